"""Whatever else a workbook holds stays byte for byte, and the result still opens."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.worksheet.datavalidation import DataValidation

from agent.errors import NeedsAPerson
from agent.register.base import Changes
from agent.register.in_place import edit
from agent.register.their_list import look
from tests.register.books import (
    COLUMNS,
    DESK,
    as_csv,
    as_excel_would,
    converted,
    needs_libreoffice,
    parts,
    reference,
    row,
    sheet_of,
    with_parts,
)
from tests.register.decorations import DECORATIONS, SHEET, button, plain

SHEET_LINKS = "xl/worksheets/_rels/sheet1.xml.rels"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
CHANGES = Changes(
    cells={reference(1): {"Status": "Concluded", "Children": "4"}},
    new_rows=(row(7, child_name="Newly Added"), row(8, child_name="=1+1")),
)


def lived_in() -> bytes:
    """Notes, a chart, sheets with formulas and checks of their own, names, a picture in the header."""

    def work(book: openpyxl.Workbook) -> None:
        register = book.worksheets[0]
        register["B4"].comment = Comment("Rang twice", "Casey")
        ours = book.create_sheet("Ours")
        ours.append(["Week", "Alerts"])
        for week in range(1, 9):
            ours.append([week, week * 3 % 7])
        ours["D1"] = "=COUNTIF('Need to Know'!B:B,\"Open\")"
        chart = BarChart()
        chart.add_data(Reference(ours, min_col=2, min_row=1, max_row=9), titles_from_data=True)
        ours.add_chart(chart, "F2")
        check = DataValidation(type="list", formula1='"a,b"')
        ours.add_data_validation(check)
        check.add("E1:E20")
        register.row_dimensions[5].height = 44
        register.column_dimensions["D"].hidden = True

    return as_excel_would(plain(), work)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PICTURE = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
    + _chunk(b"IEND", b"")
)
DRAWING = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
 xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{OFFICE}"><xdr:oneCellAnchor>
<xdr:from><xdr:col>11</xdr:col><xdr:colOff>0</xdr:colOff>
<xdr:row>1</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>
<xdr:ext cx="90000" cy="90000"/><xdr:pic><xdr:nvPicPr>
<xdr:cNvPr id="2" name="Logo"/><xdr:cNvPicPr/></xdr:nvPicPr>
<xdr:blipFill><a:blip r:embed="rId1"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill>
<xdr:spPr><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr></xdr:pic><xdr:clientData/>
</xdr:oneCellAnchor></xdr:wsDr>"""
THREADED = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"><threadedComment
 ref="B5" dT="2026-03-03T10:00:00.00" personId="{10000000-0000-0000-0000-000000000001}"
 id="{20000000-0000-0000-0000-000000000001}"><text>Who rang?</text></threadedComment></ThreadedComments>"""
PERSONS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<personList xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"><person
 displayName="Casey Penhallow" id="{10000000-0000-0000-0000-000000000001}" userId="x" providerId="None"/>
</personList>"""
SLICERS = """<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
 uri="{78C0D931-6437-407d-A8EE-F0AAD7539E65}"><x14:conditionalFormattings><x14:conditionalFormatting
 xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"><x14:cfRule type="dataBar"
 id="{30000000-0000-0000-0000-000000000001}"><x14:dataBar minLength="0" maxLength="100">
<x14:cfvo type="autoMin"/><x14:cfvo type="autoMax"/></x14:dataBar></x14:cfRule><xm:sqref>D4:D6</xm:sqref>
</x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst>"""
LABEL = """<?xml version="1.0" encoding="utf-8" standalone="yes"?><clbl:labelList
 xmlns:clbl="http://schemas.microsoft.com/office/2020/mipLabelMetadata"><clbl:label id="{4}" enabled="1"
 method="Privileged" siteId="{5}" removed="0"/></clbl:labelList>"""
KINDS = {
    "xl/drawings/drawing9.xml": "application/vnd.openxmlformats-officedocument.drawing+xml",
    "xl/threadedComments/threadedComment1.xml": "application/vnd.ms-excel.threadedcomments+xml",
    "xl/persons/person.xml": "application/vnd.ms-excel.person+xml",
    "docMetadata/LabelInfo.xml": "application/vnd.ms-office.classificationlabels+xml",
}


def decorated() -> bytes:
    """What openpyxl cannot make: threaded comments, a picture, x14 formats, a label, printer settings."""
    content = plain()
    here = {name: part.decode("utf-8", "replace") for name, part in parts(content).items()}
    links = [
        ("rId90", f"{OFFICE}/drawing", "../drawings/drawing9.xml"),
        (
            "rId91",
            "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment",
            "../threadedComments/threadedComment1.xml",
        ),
        ("rId92", f"{OFFICE}/printerSettings", "../printerSettings/printerSettings1.bin"),
    ]
    sheet = here[SHEET].replace("<tableParts", f'<drawing xmlns:r="{OFFICE}" r:id="rId90"/><tableParts')
    sheet = sheet.replace("</worksheet>", f"{SLICERS}</worksheet>")
    types = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in KINDS.items())
    types += '<Default Extension="png" ContentType="image/png"/><Default Extension="bin" ContentType="x/y"/>'
    added = {
        SHEET: sheet,
        SHEET_LINKS: _linked(here[SHEET_LINKS], links),
        "[Content_Types].xml": here["[Content_Types].xml"].replace("</Types>", f"{types}</Types>"),
        "_rels/.rels": _linked(
            here["_rels/.rels"], [("rId80", f"{OFFICE}/customXml", "customXml/item1.xml")]
        ),
        "xl/drawings/drawing9.xml": DRAWING,
        "xl/drawings/_rels/drawing9.xml.rels": _linked(
            f'<Relationships xmlns="{RELATIONSHIPS}"></Relationships>',
            [("rId1", f"{OFFICE}/image", "../media/image9.png")],
        ),
        "xl/threadedComments/threadedComment1.xml": THREADED,
        "xl/persons/person.xml": PERSONS,
        "docMetadata/LabelInfo.xml": LABEL,
        "customXml/item1.xml": "<anything  kept='as it is'/>",
    }
    binary = {
        "xl/media/image9.png": PICTURE,
        "xl/printerSettings/printerSettings1.bin": bytes(range(256)),
        "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 not really",
    }
    return with_parts(content, {name: text.encode() for name, text in added.items()} | binary)


def _linked(rels: str, links: list[tuple[str, str, str]]) -> str:
    lines = "".join(f'<Relationship Id="{key}" Type="{kind}" Target="{to}"/>' for key, kind, to in links)
    return rels.replace("</Relationships>", f"{lines}</Relationships>")


BOOKS = {"plain": plain, "lived in": lived_in, "decorated": decorated, **DECORATIONS}
# The sheet, its table, and the marked look of a text that begins like a formula; beside them only what
# reaches down to the table's last row.
TOUCHED = {SHEET, "xl/tables/table1.xml", "xl/styles.xml"}
GROWN = {
    "boxes": "xl/drawings/drawing9.xml",
    "chart": "xl/charts/chart9.xml",
    "pivot table": "xl/pivotCache/pivotCacheDefinition1.xml",
    "sparklines": "xl/worksheets/sheet9.xml",
}


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize("kind", BOOKS)
def test_an_update_and_two_new_rows_leave_every_other_part_as_it_was(kind: str) -> None:
    content = BOOKS[kind]()

    after = edit(content, COLUMNS, DESK, CHANGES)

    assert changed(parts(content), parts(after)) == TOUCHED | ({GROWN[kind]} if kind in GROWN else set())
    assert list(parts(after)) == list(parts(content)), "the order of the parts is kept too"


@pytest.mark.filterwarnings("ignore:.* extension")  # openpyxl cannot keep them; we do
@pytest.mark.parametrize("kind", BOOKS)
def test_what_was_written_is_read_by_another_program(kind: str) -> None:
    after = edit(BOOKS[kind](), COLUMNS, DESK, CHANGES)

    sheet = openpyxl.load_workbook(io.BytesIO(after)).worksheets[0]
    assert [sheet.cell(4, index).value for index in (1, 2, 4)] == [reference(1), "Concluded", 4]
    assert [sheet.cell(number, 5).value for number in (7, 8)] == ["Newly Added", "=1+1"]


def test_extensions_on_the_sheet_stay_and_grow() -> None:
    after = parts(edit(decorated(), COLUMNS, DESK, CHANGES))[SHEET]

    assert b"<xm:sqref>D4:D8</xm:sqref>" in after
    assert b'r:id="rId90"/>' in after


def test_the_sizes_people_gave_to_rows_and_columns_stay() -> None:
    before = lived_in()
    sheet = openpyxl.load_workbook(io.BytesIO(edit(before, COLUMNS, DESK, CHANGES))).worksheets[0]

    assert sheet.row_dimensions[5].height == 44
    assert sheet.column_dimensions["D"].hidden
    assert sheet["B4"].comment.text == "Rang twice"


@needs_libreoffice
def test_libreoffice_opens_each_result_and_shows_the_new_values(tmp_path: Path) -> None:
    books = {kind: edit(make(), COLUMNS, DESK, CHANGES) for kind, make in BOOKS.items()}

    for kind, shown in as_csv(books, tmp_path).items():
        assert '"HA-2026-0001","Concluded",01 Mar 2026 09:15,4,' in shown, kind
        assert "Newly Added" in shown, kind
        assert "=1+1" in shown, kind


@needs_libreoffice
def test_a_register_that_libreoffice_saved_goes_on_as_before(tmp_path: Path) -> None:
    saved = converted(lived_in(), tmp_path, "xlsx")

    assert sheet_of(saved).rows == sheet_of(lived_in()).rows
    after = edit(saved, COLUMNS, DESK, CHANGES)
    touched = changed(parts(saved), parts(after))
    assert touched == {SHEET, "xl/tables/table1.xml", "xl/styles.xml", "xl/workbook.xml"}
    rows = sheet_of(after).rows
    assert (rows[reference(1)]["Status"], rows[reference(8)]["Child name"]) == ("Concluded", "=1+1")
    (tmp_path / "again").mkdir()
    assert sheet_of(converted(after, tmp_path / "again", "xlsx")).rows == rows


# What reaches down to the table's last row


def after_two_more(kind: str, part: str) -> str:
    """A part of this workbook with a table of the rows 4 to 6 once the rows 7 and 8 are there."""
    return parts(edit(BOOKS[kind](), COLUMNS, DESK, CHANGES))[part].decode()


def test_a_chart_of_the_tables_columns_shows_the_new_alerts() -> None:
    text = after_two_more("chart", GROWN["chart"])

    assert re.findall("<c:f>[^<]*!([^<]*)</c:f>", text) == ["$D$3", "$A$4:$A$8", "$D$4:$D$8"]


def test_a_chart_on_a_sheet_of_its_own_grows_too_and_is_no_list_of_anybodys() -> None:
    def chart(book: openpyxl.Workbook) -> None:
        shown = BarChart()
        shown.add_data(Reference(book.worksheets[0], min_col=4, min_row=3, max_row=6), titles_from_data=True)
        book.create_chartsheet("Chart").add_chart(shown)

    content = as_excel_would(plain(), chart)
    after = parts(edit(content, COLUMNS, DESK, CHANGES))

    assert b"$D$4:$D$8" in after["xl/charts/chart1.xml"]
    assert look(content, COLUMNS[:2], {}, "HA").sheet == "Need to Know"


def test_a_pivot_table_of_the_tables_cells_counts_the_new_alerts() -> None:
    assert 'ref="A3:I8"' in after_two_more("pivot table", GROWN["pivot table"])


def test_formulas_and_sparklines_on_other_sheets_reckon_with_the_new_alerts() -> None:
    text = after_two_more("sparklines", GROWN["sparklines"])

    assert re.findall("<(?:xm:)?f>([^<]*)</", text) == [
        "SUM('Need to Know'!$D$4:$D$8)",
        """COUNTIF('Need to Know'!B3:B8,"Open")&amp;" of D4:D6\"""",
        "SUM('Need to Know'!D5:D6)",  # somebody's choice of rows
        "SUM(D4:D6)",  # other cells
        "'Need to Know'!D4:D8",
    ]


def test_drawings_below_the_table_go_down_and_others_stay() -> None:
    text = after_two_more("boxes", GROWN["boxes"])

    rows = [int(found) + 1 for found in re.findall("<xdr:row>(\\d+)</xdr:row>", text)]
    assert list(zip(rows[::2], rows[1::2], strict=True)) == [(1, 2), (5, 9), (9, 11), (14, 16), (20, 22)]


@pytest.mark.parametrize(("formula", "after"), [("SUM($D$4:$D$6)", "SUM($D$4:$D$8)"), ("SUM(D$4:D6)",) * 2])
def test_a_formula_in_the_table_grows_unless_it_reads_otherwise_in_each_row(formula: str, after: str) -> None:
    def reckon(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["I6"] = f"={formula}"
        book.worksheets[0]["K1"] = "=COUNTA(A4:A6)"

    sheet = openpyxl.load_workbook(
        io.BytesIO(edit(as_excel_would(plain(), reckon), COLUMNS, DESK, CHANGES))
    ).worksheets[0]

    assert (sheet["I6"].value, sheet["K1"].value) == (f"={after}", "=COUNTA(A4:A8)")


def test_a_button_where_new_rows_are_to_be_is_for_people_to_move() -> None:
    with pytest.raises(NeedsAPerson, match="Something stands right below the register's table"):
        edit(button(top=8), COLUMNS, DESK, CHANGES)
