"""Several sheets in one edit: the register, a table beside it, cells of the agent's own sheet, a new one."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from agent.errors import NeedsAPerson
from agent.procedure.rules import Column
from agent.register.base import Changes
from agent.register.in_place import Cells, Edit, NewSheet, Rows, edit
from agent.register.own_sheets import shown_on
from agent.register.package import Package
from agent.register.properties import MARK, property_of, set_property
from agent.register.workbook import Workbook
from tests.register.books import (
    COLUMNS,
    DESK,
    as_excel_would,
    book_with,
    converted,
    needs_libreoffice,
    parts,
    reference,
    row,
    sheet_of,
)

QUESTIONS = (
    Column("No.", "agent", "reference", "number"),
    Column("Question", "agent", "question", "long"),
    Column("Answer", "person"),
)
NO_CHANGES = Changes()


def _made(write: Callable[[Worksheet], None]) -> Callable[[str], bytes]:
    def made(title: str) -> bytes:
        book = openpyxl.Workbook()
        write(book.worksheets[0])
        book.worksheets[0].title = title
        content = io.BytesIO()
        book.save(content)
        return content.getvalue()

    return made


def _questions(sheet: Worksheet) -> None:
    sheet.append([column.heading for column in QUESTIONS])
    for index in range(1, 4):
        sheet.cell(2, index).font = Font(name="Georgia", color="00336699")
        sheet.cell(2, index).number_format = '0.000" no."'
    sheet["C1"].fill = PatternFill("solid", fgColor="0000FF00")
    sheet.conditional_formatting.add(
        "A2:A2", Rule(type="expression", dxf=DifferentialStyle(font=Font(bold=True)), formula=["$A2=7"])
    )
    sheet.print_title_rows = "1:1"
    sheet.add_table(Table(displayName="Questions", ref="A1:C2"))


def _summary(sheet: Worksheet) -> None:
    sheet.append(["Summary"])
    sheet.append(["Age", "Open"])
    for week in range(5):
        sheet.append([f"{week} weeks", week * 3])
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=2, max_row=7), titles_from_data=True)
    sheet.add_chart(chart, "E2")


def asking(changes: Changes) -> Edit:
    return Rows(QUESTIONS, changes, table="Questions", into_gaps=True)


def asked(number: str, question: str) -> Edit:
    return asking(Changes(new_rows=({"No.": number, "Question": question},)))


ALL: tuple[Edit, ...] = (
    NewSheet("Questions", _made(_questions)),
    asked("7", "Which of the two?"),
    NewSheet("Summary", _made(_summary)),
    Cells("Summary", {"B3": 9, "A9": "=1+1", "B9": date(2026, 3, 1), "B4": ""}),
)


def edited(content: bytes, *also: Edit, changes: Changes = NO_CHANGES) -> bytes:
    return edit(content, COLUMNS, DESK, changes, also)


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def test_the_register_a_table_and_a_new_sheet_are_written_in_one_edit() -> None:
    changes = Changes(cells={reference(1): {"Status": "Concluded"}})
    content = edited(book_with(row(1), row(2)), *ALL, changes=changes)

    book = opened(content)
    assert book.sheetnames == ["Need to Know", "Read me", "Questions", "Summary"]
    assert sheet_of(content).rows[reference(1)]["Status"] == "Concluded"
    assert [cell.value for cell in book["Questions"][2]] == [7, "Which of the two?", None]
    summary = book["Summary"]
    assert [summary[place].value for place in ("B3", "A9", "B9", "B4", "B5")] == [
        *(9, "=1+1", datetime.fromisoformat("2026-03-01"), None, 6)
    ]
    assert summary["A9"].data_type == "s", "a text is no formula on any sheet"


def test_a_sheet_that_is_brought_in_keeps_its_looks_its_chart_and_its_names() -> None:
    sheet = opened(edited(book_with(row(1)), *ALL))["Questions"]

    assert (sheet["A2"].font.name, sheet["A2"].number_format) == ("Georgia", '0.000" no."')
    assert sheet["C1"].fill.fgColor.rgb == "0000FF00"
    [rules] = [rules for found in sheet.conditional_formatting for rules in [found.rules]]
    assert rules[0].dxf.font.b
    assert sheet.print_title_rows == "$1:$1"
    assert "xl/charts/chart1.xml" in parts(edited(book_with(row(1)), *ALL))


def test_a_new_sheet_changes_what_names_it_and_nothing_else() -> None:
    before = book_with(row(1), row(2))
    after = parts(edited(before, NewSheet("Questions", _made(_questions))))

    changed = {name for name, content in parts(before).items() if after[name] != content}
    assert changed == {
        *("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"),
        "xl/styles.xml",  # its looks, behind those that are there
    }


def test_what_stands_there_already_is_not_written_again() -> None:
    content = edited(book_with(row(1)), *ALL)

    assert edited(content, *ALL) is content


def test_a_row_beside_the_register_changes_its_own_sheet_alone() -> None:
    before = edited(book_with(row(1)), *ALL)
    answer = Changes(cells={"7": {"Question": "Which one?"}}, new_rows=({"No.": "8"},))
    after = edited(before, asking(answer))

    changed = {name for name, content in parts(after).items() if parts(before)[name] != content}
    assert changed == {"xl/worksheets/sheet3.xml", "xl/tables/table2.xml"}
    table = Workbook(after, DESK).table(QUESTIONS, "Questions")
    assert {key: cells["Question"] for key, cells in table.shown().rows.items()} == {
        "7": "Which one?",
        "8": "",
    }


def test_a_question_that_is_gone_leaves_its_row_to_the_next_one() -> None:
    content = edited(book_with(row(1)), *ALL, asked("8", "And this?"), asked("9", "And that?"))

    content = edited(content, asking(Changes(gone=("8",))))
    assert [opened(content)["Questions"][f"A{number}"].value for number in (2, 3, 4)] == [7, None, 9]
    content = edited(content, asked("10", "Once more?"))
    assert [opened(content)["Questions"][f"A{number}"].value for number in (2, 3, 4)] == [7, 10, 9]


def test_a_persons_sheet_of_the_same_name_is_not_taken_for_ours() -> None:
    def theirs(book: openpyxl.Workbook) -> None:
        book.create_sheet("summary")["A1"] = "Ours since 2019"

    before = as_excel_would(book_with(row(1)), theirs)
    book = opened(edited(before, *ALL))

    assert book.sheetnames[2:] == ["summary", "Questions", "Summary 2"]
    assert book["summary"]["A1"].value == "Ours since 2019"
    assert book["Summary 2"]["B3"].value == 9
    with pytest.raises(NeedsAPerson, match="no sheet “Summary” of the agent's own"):
        edited(before, Cells("Summary", {"A1": "x"}))


def test_our_sheet_is_known_again_when_people_rename_it() -> None:
    def rename(book: openpyxl.Workbook) -> None:
        book["Summary"].title = "Numbers"
        name = book["Numbers"].defined_names["Agents_own_Summary"]
        name.attr_text = "'Numbers'!$A$1"

    book = opened(
        edited(as_excel_would(edited(book_with(row(1)), *ALL), rename), Cells("Summary", {"B3": 4}))
    )

    assert book.sheetnames == ["Need to Know", "Read me", "Questions", "Numbers"]
    assert book["Numbers"]["B3"].value == 4


def test_the_cells_of_our_sheet_are_read_by_address() -> None:
    content = edited(book_with(row(1)), *ALL)

    shown = shown_on(Workbook(content, DESK), "Summary")
    assert {address: shown.get(address) for address in ("A1", "B3", "A9", "B9", "B4")} == {
        "A1": "Summary",
        "B3": "9",
        "A9": "=1+1",
        "B9": "2026-03-01",
        "B4": None,
    }
    assert shown_on(Workbook(content, DESK), "Read me") == {}, "a sheet without our mark is not ours"


def test_a_mark_is_kept_with_what_is_written_and_not_for_itself() -> None:
    content = book_with(row(1))
    changes = Changes(cells={reference(1): {"Status": "Concluded"}})

    assert edit(content, COLUMNS, DESK, NO_CHANGES, mark="third") is content
    after = edit(content, COLUMNS, DESK, changes, mark="third")
    again = edit(after, COLUMNS, DESK, Changes(new_rows=(row(2),)), mark="fourth")
    assert [property_of(Package(book), MARK) for book in (content, after, again)] == ["", "third", "fourth"]
    assert property_of(Package(again), "Need to Know desk") == DESK


def test_a_workbook_without_properties_gets_a_place_for_them() -> None:
    book = io.BytesIO()
    openpyxl.Workbook().save(book)
    package = Package(book.getvalue())
    set_property(package, MARK, "first")

    found: Any = opened(package.content())
    assert [(known.name, known.value) for known in found.custom_doc_props] == [(MARK, "first")]


@needs_libreoffice
def test_libreoffice_opens_all_of_it_and_keeps_our_mark(tmp_path: Path) -> None:
    saved = converted(edited(book_with(row(1)), *ALL), tmp_path, "xlsx")

    assert opened(saved).sheetnames == ["Need to Know", "Read me", "Questions", "Summary"]
    assert (
        opened(edited(saved, Cells("Summary", {"B3": 5}), asked("8", "And this?")))["Summary"]["B3"].value
        == 5
    )
