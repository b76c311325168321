"""An existing workbook is edited in place: what was asked for changes, and nothing else."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from agent.errors import ChangedMeanwhile, NeedsAPerson
from agent.register.base import Changes
from agent.register.cells import clean
from agent.register.in_place import edit
from tests.register.books import (
    BY_HEADING,
    COLUMNS,
    DESK,
    as_excel_would,
    book_with,
    parts,
    reference,
    row,
    sheet_of,
    with_parts,
)

SHEET = "xl/worksheets/sheet1.xml"
TABLE = "xl/tables/table1.xml"


def changed_to(content: bytes, number: int, **cells: str) -> bytes:
    """The workbook with cells of one row set; keyword `Child_name` stands for “Child name”."""
    named = {heading.replace("_", " "): value for heading, value in cells.items()}
    return edit(content, COLUMNS, DESK, Changes(cells={reference(number): named}))


def added(content: bytes, *numbers: int, **values: str) -> bytes:
    return edit(content, COLUMNS, DESK, Changes(new_rows=tuple(row(number, **values) for number in numbers)))


def opened(content: bytes) -> Any:
    """The first sheet as openpyxl, an independent reader, sees it."""
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]


def put_into(content: bytes, part: str, old: str, new: str) -> bytes:
    text = parts(content)[part].decode()
    assert old in text
    return with_parts(content, {part: text.replace(old, new, 1).encode()})


# Values


def test_values_arrive_as_what_they_are() -> None:
    sheet = opened(book_with(row(1)))

    values = [cell.value for cell in sheet[4]]
    assert values[:4] == [reference(1), "Open", datetime.fromisoformat("2026-03-01T09:15"), 1]
    assert values[5] == datetime.fromisoformat("2026-04-01")
    assert sheet["C4"].number_format == "dd mmm yyyy hh:mm"
    assert sheet["F4"].number_format == "dd mmm yyyy"


@pytest.mark.parametrize(
    "hostile",
    ["=1+1", '=HYPERLINK("https://evil.example","x")', "+44 1604", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0"],
)
def test_no_mail_can_put_a_formula_into_the_register(hostile: str) -> None:
    content = book_with(row(1, child_name=hostile))

    cell = opened(content)["E4"]
    assert (cell.value, cell.data_type) == (hostile, "s")
    assert cell.quotePrefix, "Excel would make a formula of it as soon as somebody edits the cell"
    assert b"<f>" not in parts(content)[SHEET]
    assert sheet_of(content).rows[reference(1)]["Child name"] == hostile


def test_a_text_that_is_no_longer_risky_is_no_longer_marked() -> None:
    content = changed_to(book_with(row(1, child_name="=1+1")), 1, Child_name="Lena")

    assert not opened(content)["E4"].quotePrefix


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec=None), max_size=80))
def test_any_text_is_read_back_as_it_was_written(text: str) -> None:
    content = book_with(row(1, summary=text))

    assert sheet_of(content).rows[reference(1)]["Summary"] == clean(text)


def test_what_looks_like_excels_own_escapes_stays_text() -> None:
    content = book_with(row(1, summary="_x0041_ and _x000D_"))

    assert sheet_of(content).rows[reference(1)]["Summary"] == "_x0041_ and _x000D_"


@pytest.mark.parametrize(
    ("heading", "value"),
    [("Next update due", "not known"), ("Received", "2026-07-01T09:15+00:00"), ("Children", "two or three")],
)
def test_what_is_no_date_or_number_is_written_as_the_words_it_is(heading: str, value: str) -> None:
    content = edit(book_with(row(1)), COLUMNS, DESK, Changes(cells={reference(1): {heading: value}}))

    assert sheet_of(content).rows[reference(1)][heading] == value


def test_a_day_without_a_time_does_not_become_midnight() -> None:
    content = book_with(row(1, received_at="2026-03-02"))

    assert sheet_of(content).rows[reference(1)]["Received"] == "2026-03-02"


def test_an_emptied_cell_is_empty_and_keeps_its_look() -> None:
    before = book_with(row(1))

    cell = opened(changed_to(before, 1, Next_update_due=""))["F4"]

    assert cell.value is None
    assert cell.number_format == "dd mmm yyyy"


def test_a_date_written_into_a_cell_formatted_as_text_shows_as_a_date() -> None:
    def as_text(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["F4"].number_format = "@"
        book.worksheets[0]["F4"] = "soon"

    content = changed_to(as_excel_would(book_with(row(1)), as_text), 1, Next_update_due="2026-05-01")

    cell = opened(content)["F4"]
    assert (cell.value, cell.number_format) == (datetime.fromisoformat("2026-05-01"), "dd mmm yyyy")


def test_a_workbook_that_counts_from_1904_gets_its_own_numbers() -> None:
    def from_1904(book: openpyxl.Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904

    content = changed_to(as_excel_would(book_with(row(1)), from_1904), 1, Next_update_due="2026-05-01")

    assert opened(content)["F4"].value == datetime.fromisoformat("2026-05-01")
    assert sheet_of(content).rows[reference(1)]["Next update due"] == "2026-05-01"


# Rows are found by reference, columns by heading


def test_nothing_to_change_gives_back_the_very_same_bytes() -> None:
    content = book_with(row(1))

    assert changed_to(content, 1, Status=" Open ", Next_update_due="1 Apr 2026") is content
    assert added(content, 1) is content


def test_rows_are_found_after_people_sorted_and_moved_columns() -> None:
    def work(book: openpyxl.Workbook) -> None:
        sheet = book.worksheets[0]
        first, second = ([cell.value for cell in sheet[number]] for number in (4, 5))
        for index, (one, other) in enumerate(zip(first, second, strict=True), 1):
            sheet.cell(4, index).value, sheet.cell(5, index).value = other, one
        for number in (3, 4, 5):  # swap the columns Status and Child name
            a, b = sheet.cell(number, 2), sheet.cell(number, 5)
            a.value, b.value = b.value, a.value
        columns = sheet.tables["NeedToKnow"].tableColumns
        columns[1].name, columns[4].name = "Child name", "Status"

    content = as_excel_would(book_with(row(1), row(2)), work)
    content = changed_to(content, 1, Status="Concluded")

    rows = sheet_of(content).rows
    assert [rows[reference(number)]["Status"] for number in (1, 2)] == ["Concluded", "Open"]
    assert [rows[reference(number)]["Child name"] for number in (1, 2)] == [
        "Invented Child 1",
        "Invented Child 2",
    ]


def test_a_column_is_found_under_a_synonym_and_a_persons_own_is_shown_but_left() -> None:
    def rename(book: openpyxl.Workbook) -> None:
        sheet = book.worksheets[0]
        sheet["E3"], sheet["I3"] = "young  PERSON", "Our colour"
        columns = sheet.tables["NeedToKnow"].tableColumns
        columns[4].name, columns[8].name = "young  PERSON", "Our colour"
        sheet["I4"] = "blue"

    sheet = sheet_of(as_excel_would(book_with(row(1)), rename))

    assert sheet.rows[reference(1)]["Child name"] == "Invented Child 1"
    assert sheet.rows[reference(1)]["Our colour"] == "blue"
    assert "Notes" not in sheet.headings


def test_a_reference_that_stands_twice_is_told_and_not_written() -> None:
    def copy_row(book: openpyxl.Workbook) -> None:
        sheet = book.worksheets[0]
        sheet["A5"] = sheet["A4"].value

    content = as_excel_would(book_with(row(1), row(2)), copy_row)
    sheet = sheet_of(content)

    assert sheet.twice == {reference(1)}
    assert len(sheet.doubts) == 1
    assert sheet.doubts[0].text.startswith("HA-2026-0001 stands in more than one row")
    assert changed_to(content, 1, Status="Concluded") is content


def test_a_row_without_a_reference_is_told_and_left() -> None:
    content = as_excel_would(
        book_with(row(1), row(2)), lambda book: book.worksheets[0].__setitem__("A5", None)
    )

    sheet = sheet_of(content)

    assert set(sheet.rows) == {reference(1)}
    assert "A row has no reference" in sheet.doubts[0].text
    after = opened(added(content, 3))
    assert [after[f"A{number}"].value for number in (4, 5, 6)] == [reference(1), None, reference(3)]


def test_a_row_that_is_gone_is_not_written_somewhere_else() -> None:
    with pytest.raises(ChangedMeanwhile, match="HA-2026-0009"):
        changed_to(book_with(row(1)), 9, Status="Concluded")


# What other programs write


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('t="d"><v>2026-05-01T00:00:00Z</v>', "2026-05-01"),
        ('t="str"><v>2026-05-01</v>', "2026-05-01"),
        ("><v>46143.5</v>", "2026-05-01T12:00"),
        ('t="n"><v>46143</v>', "2026-05-01"),
        ('t="e"><v>#N/A</v>', "#N/A"),
        ('t="b"><v>1</v>', "TRUE"),
        (
            't="inlineStr"><is><r><t>not </t></r><r><t>known</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is>',
            "not known",
        ),
        ("><f>TODAY()</f><v>46143</v>", "2026-05-01"),
    ],
)
def test_every_kind_of_cell_is_read(cell: str, shown: str) -> None:
    text = parts(book_with(row(1)))[SHEET].decode()
    there = re.search(r'<c r="F4" s="(\d+)"><v>[^<]*</v></c>', text)
    assert there
    text = text.replace(there[0], f'<c r="F4" s="{there[1]}" {cell}</c>'.replace(" >", ">"))
    content = with_parts(book_with(row(1)), {SHEET: text.encode()})

    assert sheet_of(content).rows[reference(1)]["Next update due"] == shown


def test_rows_and_cells_without_addresses_are_counted() -> None:
    """The addresses `r` are optional where rows and cells follow on."""
    text = parts(book_with(row(1)))[SHEET].decode()
    content = with_parts(
        book_with(row(1)), {SHEET: re.sub(r'(<(?:row|c)) r="[A-Z]*\d+"', r"\1", text).encode()}
    )

    assert sheet_of(content).rows == sheet_of(book_with(row(1))).rows
    assert opened(changed_to(content, 1, Status="Concluded"))["B4"].value == "Concluded"


def _prefixed(text: str) -> str:
    """As the Open XML SDK writes: every element of the sheet with a prefix."""
    return re.sub(r"<(/?)(\w+)(?=[\s/>])", r"<\1x:\2", text).replace(" xmlns=", " xmlns:x=")


def _remarked(text: str) -> str:
    return text.replace("<row ", "<!-- a row --><row ").replace("</sheetData>", "<?why not?></sheetData>")


@pytest.mark.parametrize(
    "spell",
    [_prefixed, _remarked, lambda text: text.replace('"', "'"), lambda text: text.replace("<c r=", "<c\nr=")],
    ids=["prefixes", "remarks", "single quotes", "line ends"],
)
def test_a_sheet_in_an_unusual_spelling_is_read_and_written_all_the_same(spell: Any) -> None:
    usual = book_with(row(1, summary="A & B <C>"), row(2))
    content = with_parts(usual, {SHEET: spell(parts(usual)[SHEET].decode()).encode()})

    assert sheet_of(content).rows == sheet_of(usual).rows
    after = changed_to(added(content, 3), 1, Status="Concluded")
    assert after != content
    assert sheet_of(after).rows == sheet_of(changed_to(added(usual, 3), 1, Status="Concluded")).rows
    assert [opened(after)[f"A{number}"].value for number in (4, 5, 6)] == [*map(reference, (1, 2, 3))]


def test_a_file_with_large_zip_headers_is_edited() -> None:
    usual, out = book_with(row(1)), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, part in parts(usual).items():
            with target.open(name, "w", force_zip64=True) as file:
                file.write(part)

    assert sheet_of(changed_to(out.getvalue(), 1, Status="New")).rows[reference(1)]["Status"] == "New"


# What grows with the table


def test_the_table_and_what_covers_it_grow_with_new_rows() -> None:
    content = added(book_with(row(1)), 2, 3)

    sheet = opened(content)
    assert sheet.tables["NeedToKnow"].ref == "A3:I6"
    assert sheet.tables["NeedToKnow"].autoFilter.ref == "A3:I6"
    assert sheet.dimensions == "A1:I6"
    assert {str(check.sqref) for check in sheet.data_validations.dataValidation} >= {
        "B4:B6",
        "F4:F6",
        "H4:H6",
    }
    assert {str(rule.sqref) for rule in sheet.conditional_formatting} >= {"A4:I6", "B4:B6", "C4:C6"}


def test_a_total_row_goes_down_before_new_rows() -> None:
    content = added(as_excel_would(book_with(row(1)), _total_row), 2, 3)

    sheet = opened(content)
    assert sheet.tables["NeedToKnow"].ref == "A3:I7"
    assert sheet.tables["NeedToKnow"].totalsRowCount == 1
    assert [sheet[f"A{number}"].value for number in (4, 5, 6, 7)] == [*map(reference, (1, 2, 3)), "Total"]
    assert sheet["D7"].value == "=SUBTOTAL(109,NeedToKnow[Children])"
    assert sheet.tables["NeedToKnow"].autoFilter.ref == "A3:I6"
    assert set(sheet_of(content).rows) == set(map(reference, (1, 2, 3)))


def test_a_formula_that_people_filled_down_goes_on_with_its_addresses() -> None:
    def reckon(book: openpyxl.Workbook) -> None:
        sheet = book.worksheets[0]
        sheet["I4"], sheet["I5"] = "=TODAY()-C4+$D$4", "=TODAY()-C5+$D$4"

    sheet = opened(added(as_excel_would(book_with(row(1), row(2)), reckon), 3, 4))

    assert [sheet[f"I{number}"].value for number in (6, 7)] == ["=TODAY()-C6+$D$4", "=TODAY()-C7+$D$4"]


def test_a_formula_in_one_cell_is_nobodys_column() -> None:
    def reckon(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["I5"] = "=TODAY()-C5"

    assert opened(added(as_excel_would(book_with(row(1), row(2)), reckon), 3))["I6"].value is None


def test_a_formula_that_excel_shares_between_its_cells_goes_on_too() -> None:
    text = parts(book_with(row(1), row(2)))[SHEET].decode()
    for number, formula in ((4, '<f t="shared" ref="I4:I5" si="0">D4*2</f>'), (5, '<f t="shared" si="0"/>')):
        text, count = re.subn(
            rf'<c r="I{number}"( s="\d+")?(?: t="n")?/>', rf'<c r="I{number}"\1>{formula}<v>2</v></c>', text
        )
        assert count == 1
    content = with_parts(book_with(row(1), row(2)), {SHEET: text.encode()})

    assert opened(added(content, 3))["I6"].value == "=D6*2"


def test_a_print_area_over_the_table_grows_and_other_names_do_not() -> None:
    def name(book: openpyxl.Workbook) -> None:
        book.worksheets[0].print_area = "A1:I4"
        book.defined_names["Elsewhere"] = openpyxl.workbook.defined_name.DefinedName(
            "Elsewhere", attr_text="'Read me'!$A$1:$B$4"
        )

    book = openpyxl.load_workbook(io.BytesIO(added(as_excel_would(book_with(row(1)), name), 2, 3)))

    assert book.worksheets[0].print_area == "'Need to Know'!$A$1:$I$6"
    assert book.defined_names["Elsewhere"].attr_text == "'Read me'!$A$1:$B$4"


def test_new_rows_look_like_the_column_and_not_like_one_marked_row() -> None:
    def mark(book: openpyxl.Workbook) -> None:
        for cell in book.worksheets[0][6]:
            cell.fill = openpyxl.styles.PatternFill("solid", fgColor="FFFF00")

    content = added(as_excel_would(book_with(row(1), row(2), row(3)), mark), 4)

    sheet = opened(content)
    assert sheet["E6"].fill.fgColor.rgb == "00FFFF00"
    assert sheet["E7"].fill.fgColor.rgb != "00FFFF00"
    assert sheet["C7"].number_format == "dd mmm yyyy hh:mm"


def test_a_column_formula_of_a_persons_goes_on_in_new_rows() -> None:
    content = put_into(
        book_with(row(1)),
        TABLE,
        'name="Notes"/>',
        'name="Notes"><calculatedColumnFormula>NeedToKnow[[#This Row],[Children]]*2</calculatedColumnFormula>'
        "</tableColumn>",
    )

    assert opened(added(content, 2))["I5"].value == "=NeedToKnow[[#This Row],[Children]]*2"


def test_empty_rows_at_the_end_of_the_table_are_filled_first() -> None:
    def draw_longer(book: openpyxl.Workbook) -> None:
        sheet = book.worksheets[0]
        sheet.tables["NeedToKnow"].ref = sheet.tables["NeedToKnow"].autoFilter.ref = "A3:I8"

    sheet = opened(added(as_excel_would(book_with(row(1)), draw_longer), 2))

    assert sheet["A5"].value == reference(2)
    assert sheet.tables["NeedToKnow"].ref == "A3:I8"


def test_a_result_kept_in_a_formula_is_reckoned_anew() -> None:
    def count(book: openpyxl.Workbook) -> None:
        book.create_sheet("Ours")["A1"] = "=COUNTA('Need to Know'!A4:A99)"

    content = as_excel_would(book_with(row(1)), count)
    content = put_into(content, "xl/workbook.xml", ' fullCalcOnLoad="1"', "")

    assert b'fullCalcOnLoad="1"' in parts(changed_to(content, 1, Status="New"))["xl/workbook.xml"]


def test_a_formula_in_a_column_of_the_agents_gives_way_with_its_place_in_the_chain() -> None:
    def formula(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["D4"] = "=40+2"

    content = as_excel_would(book_with(row(1)), formula)
    here = parts(content)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    chain = f'<calcChain xmlns="{main}"><c r="D4" i="1"/></calcChain>'
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"
    link = f'<Relationship Id="rId99" Type="{kind}" Target="calcChain.xml"/></Relationships>'
    declared = (
        '<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.calcChain+xml"/></Types>'
    )
    content = with_parts(
        content,
        {
            "xl/calcChain.xml": chain.encode(),
            "xl/_rels/workbook.xml.rels": here["xl/_rels/workbook.xml.rels"].replace(
                b"</Relationships>", link.encode()
            ),
            "[Content_Types].xml": here["[Content_Types].xml"].replace(b"</Types>", declared.encode()),
        },
    )

    after = changed_to(content, 1, Children="3")

    assert opened(after)["D4"].value == 3
    assert not [name for name, part in parts(after).items() if "calcChain" in name or b"calcChain" in part]


# What is refused, in a sentence, before anything is written


def _total_row(book: openpyxl.Workbook) -> None:
    table = book.worksheets[0].tables["NeedToKnow"]
    table.ref, table.totalsRowCount = "A3:I5", 1
    book.worksheets[0]["A5"], book.worksheets[0]["D5"] = "Total", "=SUBTOTAL(109,NeedToKnow[Children])"


def _total_by_addresses(book: openpyxl.Workbook) -> None:
    _total_row(book)
    book.worksheets[0]["D5"] = "=SUM(D4:D4)"


def _total_used_elsewhere(book: openpyxl.Workbook) -> None:
    _total_row(book)
    book.create_sheet("Ours")["A1"] = "='Need to Know'!D5"


def _total_with_a_comment(book: openpyxl.Workbook) -> None:
    _total_row(book)
    book.worksheets[0]["D5"].comment = Comment("Ask Casey", "Ava")


def _total_over_a_note(book: openpyxl.Workbook) -> None:
    _total_row(book)
    book.worksheets[0]["L6"] = "ask Ava"


def _note_below(book: openpyxl.Workbook) -> None:
    book.worksheets[0]["C5"] = "ask Ava"


def _comment_below(book: openpyxl.Workbook) -> None:
    book.worksheets[0]["C5"].comment = Comment("about another matter", "Casey")


def _no_table(book: openpyxl.Workbook) -> None:
    del book.worksheets[0].tables["NeedToKnow"]


def _merged(book: openpyxl.Workbook) -> None:
    book.worksheets[0].merge_cells("A4:B4")


@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        (_total_by_addresses, "total row, which cannot be moved down"),
        (_total_used_elsewhere, "total row, which cannot be moved down"),
        (_total_with_a_comment, "total row, which cannot be moved down"),
        (_total_over_a_note, "total row, which cannot be moved down"),
        (_note_below, "right below the register's table"),
        (_comment_below, "right below the register's table"),
        (_no_table, "table “NeedToKnow” is no longer in the workbook"),
        (_merged, "Cell B4 of the register is merged"),
    ],
)
def test_what_cannot_be_done_safely_is_refused(work: Any, sentence: str) -> None:
    content = as_excel_would(book_with(row(1)), work)
    changes = Changes(cells={reference(1): {"Status": "Concluded"}}, new_rows=(row(2),))

    with pytest.raises(NeedsAPerson, match=sentence):
        edit(content, COLUMNS, DESK, changes)


def test_a_formula_that_other_cells_share_is_not_torn_apart() -> None:
    text = parts(book_with(row(1), row(2)))[SHEET].decode()
    shared = re.sub(
        r'<c r="D4"( s="\d+")?><v>1</v></c>',
        r'<c r="D4"\1><f t="shared" ref="D4:D5" si="0">1+1</f><v>2</v></c>',
        text,
    )
    assert shared != text
    content = with_parts(book_with(row(1), row(2)), {SHEET: shared.encode()})

    with pytest.raises(NeedsAPerson, match="Cell D4 of the register holds a formula that other cells share"):
        changed_to(content, 1, Children="3")


def test_two_new_rows_of_one_reference_become_one() -> None:
    content = edit(book_with(row(1)), COLUMNS, DESK, Changes(new_rows=(row(2), row(2, status="New"))))

    assert sheet_of(content).twice == frozenset()
    assert sheet_of(content).rows[reference(2)]["Status"] == "New"


def renamed(book: openpyxl.Workbook) -> None:
    """As in Excel, where the name of a heading's cell moves with it."""
    sheet = book.worksheets[0]
    sheet["A3"], sheet["E3"] = "Number", "Who"
    sheet.tables["NeedToKnow"].tableColumns[0].name = "Number"
    sheet.tables["NeedToKnow"].tableColumns[4].name = "Who"


def test_a_renamed_column_is_kept_under_its_new_name_and_people_are_told() -> None:
    content = as_excel_would(book_with(row(1)), renamed)

    sheet = sheet_of(content)
    assert sheet.rows[reference(1)]["Child name"] == "Invented Child 1"
    assert [(doubt.code, doubt.about) for doubt in sheet.doubts] == [
        ("column_renamed", "Ref"),
        ("column_renamed", "Child name"),
    ]
    assert "is called “Who” now" in sheet.doubts[1].text
    after = opened(added(changed_to(content, 1, Child_name="Lena"), 2))
    assert [after[address].value for address in ("A3", "E3", "E4", "A5")] == [
        "Number",
        "Who",
        "Lena",
        reference(2),
    ]


def test_a_renamed_reference_column_whose_name_is_gone_is_refused() -> None:
    def rename(book: openpyxl.Workbook) -> None:
        renamed(book)
        book.defined_names.clear()

    with pytest.raises(NeedsAPerson, match="no column “Ref” any more"):
        sheet_of(as_excel_would(book_with(row(1)), rename))


def test_anothers_workbook_is_refused() -> None:
    other = openpyxl.Workbook()
    content = io.BytesIO()
    other.save(content)

    with pytest.raises(NeedsAPerson, match="was not made by this agent"):
        sheet_of(content.getvalue())
    with pytest.raises(NeedsAPerson, match="belongs to the desk “harbour”"):
        edit(book_with(row(1)), COLUMNS, "another", Changes(new_rows=(row(2),)))


def _bomb() -> bytes:
    """A workbook whose parts promise more than anybody has room for."""
    content = bytearray(book_with(row(1)))
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        names = [info.filename for info in read.infolist()]
    position = 0
    for _ in names:  # the central directory tells the sizes: raise each to nearly 4 GB
        position = content.index(b"PK\x01\x02", position + 1)
        content[position + 24 : position + 28] = (0xF0000000).to_bytes(4, "little")
    return bytes(content)


def _with_a_document_type(content: bytes) -> bytes:
    text = parts(content)[SHEET].decode().split("?>", 1)[-1]
    return with_parts(content, {SHEET: f'<!DOCTYPE x [<!ENTITY a "aaaa">]>{text}'.encode()})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"Dear all, see below", "not an Excel workbook"),
        (b"", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on", "encrypted"),
        (book_with(row(1))[:-200], "not an Excel workbook"),
        (_bomb(), "larger than the agent opens"),
        (_with_a_document_type(book_with(row(1))), "document type"),
        (with_parts(book_with(row(1)), {SHEET: b"<worksheet"}), "damaged"),
        (
            put_into(
                book_with(row(1)),
                "xl/workbook.xml",
                "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                "http://purl.oclc.org/ooxml/spreadsheetml/main",
            ),
            "Strict Open XML",
        ),
        (with_parts(book_with(row(1)), {"_xmlsignatures/sig1.xml": b"<Signature/>"}), "digitally signed"),
        (
            with_parts(book_with(row(1)), {"xl/revisions/revisionLog1.xml": b"<revisions/>"}),
            "shared workbook",
        ),
    ],
    ids=[
        *("prose", "nothing", "encrypted", "cut off", "zip bomb", "document type", "broken part", "strict"),
        *("signed", "shared"),
    ],
)
def test_what_is_no_sound_workbook_is_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(NeedsAPerson, match=sentence):
        sheet_of(content)


def test_a_whole_column_merged_by_a_click_costs_nothing() -> None:
    """openpyxl hangs for minutes on this."""
    content = put_into(
        book_with(row(1)),
        SHEET,
        "</sheetData>",
        '</sheetData><mergeCells count="1"><mergeCell ref="Z1:Z1048576"/></mergeCells>',
    )

    assert sheet_of(changed_to(content, 1, Status="New")).rows[reference(1)]["Status"] == "New"


def test_every_column_of_the_tests_is_in_their_workbook() -> None:
    assert sheet_of(book_with(row(1))).headings == tuple(BY_HEADING)
    assert date.fromisoformat(sheet_of(book_with(row(1))).rows[reference(1)]["Next update due"])
