"""Makes an empty register: one table, ready to be typed in and printed, and a page that explains it.

Rows are never written here; `in_place.py` adds them as to any other workbook, so that there is one way.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from agent.errors import BadConfiguration
from agent.procedure.rules import Column
from agent.procedure.words import Status
from agent.register.addresses import cell, letters
from agent.register.styles import DAY, TIME
from agent.register.workbook import DESK_PROPERTY, TABLE

SHEET = "Need to Know"
READ_ME = "Read me"
TITLE = "Need to Know register"
TITLE_ROW, LEGEND_ROW, HEADING_ROW, FIRST_ROW = 1, 2, 3, 4
FROZEN_COLUMNS = 2
A3 = 8
A3_WIDTH = 280  # characters across a landscape page, at a size that is still pleasant to read
FONT = "Arial"
INK, FAINT, LINE = "1F2933", "7B8794", "D3D9E0"

_FORMATS = {"date": DAY, "datetime": TIME, "number": "0", "text": "@"}


@dataclass(frozen=True)
class _Owner:
    """How a column shows whose it is. `mark` stands behind its heading, so that it needs no colour."""

    words: str
    meaning: str
    mark: str
    head: str
    ink: str
    body: str | None = None


OWNERS = {
    "agent": _Owner(
        "the agent’s",
        "The agent fills these in. Whatever is typed here is put back at the next round, and reported.",
        "",
        "3E4C59",
        "FFFFFF",
    ),
    "proposed": _Owner(
        "proposed",
        "The agent fills these in from the forms. Correct what is wrong: your entry then stays for good.",
        " ◇",
        "486581",
        "FFFFFF",
    ),
    "person": _Owner(
        "yours to fill in",
        "Only people fill these in. The agent reads them and never writes here.",
        " ✎",
        "E9DFC7",
        INK,
        "FDFAF3",
    ),
}


@dataclass(frozen=True)
class _Look:
    """How a status looks; `symbol` tells it without colour."""

    symbol: str
    meaning: str
    fill: str | None = None
    ink: str = INK
    bold: bool = False
    italic: bool = False


STATUSES = {
    Status.NEW: _Look("●", "Just received; nothing has happened since.", "E3F0E6", "1B5E35", bold=True),
    Status.OPEN: _Look("○", "Being worked on; no update is due yet."),
    Status.UPDATE_DUE: _Look("△", "An update is due; the author is prompted.", "FFF3D1", "7A5200", bold=True),
    Status.UPDATE_OVERDUE: _Look(
        "▲", "Prompted without an answer; chased further.", "FBE0DD", "9B1C1C", bold=True
    ),
    Status.ON_HOLD: _Look("‖", "Not chased until the day given, or until you say so.", "EEF1F4", italic=True),
    Status.CONCLUSION_PROPOSED: _Look(
        "◆", "A form gives a conclusion; one of you has to confirm it.", "E0ECF8", "1D4E89", bold=True
    ),
    Status.CONCLUDED: _Look("✓", "Done. Nobody is chased any more.", ink=FAINT),
    Status.REOPENED: _Look("↺", "Was concluded, and is open again.", "E3F0E6", "1B5E35", bold=True),
    Status.DUPLICATE: _Look("＝", "The same matter as another alert. Not chased.", ink=FAINT, italic=True),
    Status.NOT_AN_ALERT: _Look("–", "Came in by mistake. Not chased.", ink=FAINT, italic=True),
}
CLOSED = (Status.CONCLUDED, Status.DUPLICATE, Status.NOT_AN_ALERT)


def new_workbook(columns: Sequence[Column], desk: str, *, about: str = "", marking: str = "") -> bytes:
    """An empty register for a desk, marked as its agent's own.

    `about` (the procedure's title) stands beside the title and in print, `marking` ("Confidential") in
    the page header. Raises BadConfiguration when a drop-down cannot be made.
    """
    title = f"{TITLE} · {about}" if about else TITLE
    workbook = Workbook()
    workbook.properties.creator = "Need to Know agent"
    workbook.properties.title = title
    mark = StringProperty(name=DESK_PROPERTY, value=desk)
    workbook.custom_doc_props.append(mark)  # type: ignore[attr-defined]  # missing in the stubs
    sheet = workbook.worksheets[0]
    sheet.title = SHEET
    _write_top(sheet, about)
    for index, column in enumerate(columns, 1):
        _write_column(sheet, index, column)
    _make_table(sheet, columns)
    _add_choices(sheet, columns)
    _add_looks(sheet, columns)
    _set_view(sheet)
    _set_print(sheet, title, marking, f"$A:${letters(FROZEN_COLUMNS)}")
    sheet.page_setup.fitToWidth = _pages_wide(columns)
    _write_read_me(workbook.create_sheet(READ_ME), columns, title)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


# The table


def _write_top(sheet: Worksheet, about: str) -> None:
    """The title, and a legend of the three kinds of column."""
    top = sheet.cell(TITLE_ROW, 1, TITLE)  # in the columns that every printed page repeats
    top.font = Font(name=FONT, size=15, bold=True, color=INK)
    beside = sheet.cell(TITLE_ROW, FROZEN_COLUMNS + 1, about)
    beside.font = Font(name=FONT, size=11, color=FAINT)
    top.alignment = beside.alignment = Alignment(vertical="center")
    sheet.row_dimensions[TITLE_ROW].height = 30
    for index, owner in enumerate(OWNERS.values(), 1):
        chip = sheet.cell(LEGEND_ROW, index, f"{owner.words}{owner.mark}")
        chip.fill = PatternFill("solid", fgColor=owner.head)
        chip.font = Font(name=FONT, size=8, color=owner.ink)
        chip.alignment = Alignment(horizontal="center", vertical="center")
    sheet.row_dimensions[LEGEND_ROW].height = 15


def _write_column(sheet: Worksheet, index: int, column: Column) -> None:
    owner = OWNERS[column.owner]
    head = sheet.cell(HEADING_ROW, index, column.heading)
    head.font = Font(name=FONT, size=10, bold=True, color=owner.ink)
    head.fill = PatternFill("solid", fgColor=owner.head)
    head.alignment = Alignment(vertical="center", wrap_text=True)
    head.border = Border(right=Side("thin", "FFFFFF"))
    head.number_format = f'@"{owner.mark}"' if owner.mark else "@"
    body = sheet.cell(FIRST_ROW, index)
    body.font = Font(name=FONT, size=10, color=INK, bold=column.field == "reference")
    body.alignment = Alignment(
        vertical="top",
        wrap_text=True,
        horizontal="center" if column.format == "number" else "left",
    )
    body.border = Border(bottom=Side("thin", LINE), right=Side("hair", LINE))
    body.number_format = _FORMATS.get(column.format, "General")
    if owner.body:
        body.fill = PatternFill("solid", fgColor=owner.body)
    dimension = sheet.column_dimensions[letters(index)]
    dimension.width, dimension.hidden = column.width, column.hidden


def _make_table(sheet: Worksheet, columns: Sequence[Column]) -> None:
    table = Table(displayName=TABLE, ref=f"A{HEADING_ROW}:{cell(len(columns), FIRST_ROW)}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    sheet.add_table(table)
    sheet.row_dimensions[HEADING_ROW].height = 42


def _add_choices(sheet: Worksheet, columns: Sequence[Column]) -> None:
    """Drop-downs and date checks where people type. They warn and let pass: “not known” may be true."""
    for index, column in enumerate(columns, 1):
        if column.owner == "agent":
            continue
        check = _choices(column) if column.choices else _dates(column)
        if check is not None:
            sheet.add_data_validation(check)
            check.add(cell(index, FIRST_ROW))


def _choices(column: Column) -> DataValidation:
    listed = ",".join(column.choices)
    if len(listed) > 255 or any("," in choice or '"' in choice for choice in column.choices):
        raise BadConfiguration(
            [f"Column `{column.heading}`: a drop-down holds 255 characters in all, no comma and no quotes."]
        )
    return DataValidation(
        type="list",
        formula1=f'"{listed}"',
        allow_blank=True,
        showErrorMessage=True,
        errorStyle="warning",
        errorTitle=column.heading[:32],
        error="This is not one of the usual entries.",
    )


def _dates(column: Column) -> DataValidation | None:
    if column.format not in ("date", "datetime"):
        return None
    example = "2 Mar 2026" if column.format == "date" else "2 Mar 2026 09:15"
    return DataValidation(
        type="date",
        operator="between",
        formula1="7306",  # 1 January 1920
        formula2="73050",  # 31 December 2099
        allow_blank=True,
        showErrorMessage=True,
        errorStyle="warning",
        errorTitle=column.heading[:32],
        error=f"A date is expected here, such as {example}.",
    )


# Looks that follow the values


def _add_looks(sheet: Worksheet, columns: Sequence[Column]) -> None:
    places = {column.field: letters(index) for index, column in enumerate(columns, 1) if column.field}
    if "status" in places:
        _add_status_looks(sheet, places["status"], letters(len(columns)))
    if "needs_a_person" in places:
        here = f"{places['needs_a_person']}{FIRST_ROW}"
        look = DifferentialStyle(
            font=Font(bold=True, color="7A3E00"), fill=_shade("FFE8CC"), numFmt=_shown_as(90, '"! "@')
        )
        _add_rule(sheet, here, f"LEN(${here})>0", look)
    for index, column in enumerate(columns, 1):
        if column.format == "datetime":
            # a time that is not known is no midnight: such a cell shows its day alone
            here = cell(index, FIRST_ROW)
            _add_rule(
                sheet,
                here,
                f"AND(ISNUMBER({here}),{here}=INT({here}))",
                DifferentialStyle(numFmt=_shown_as(91, DAY)),
            )


def _add_status_looks(sheet: Worksheet, place: str, last: str) -> None:
    here = f"{place}{FIRST_ROW}"
    for number, (status, look) in enumerate(STATUSES.items()):
        shown = DifferentialStyle(
            font=Font(bold=look.bold, italic=look.italic, color=look.ink),
            fill=_shade(look.fill) if look.fill else None,
            numFmt=_shown_as(number, f'"{look.symbol}  "@'),
        )
        _add_rule(sheet, here, f'${here}="{status}"', shown)
    closed = ",".join(f'${here}="{status}"' for status in CLOSED)
    faint = DifferentialStyle(font=Font(color=FAINT))
    _add_rule(sheet, f"A{FIRST_ROW}:{last}{FIRST_ROW}", f"OR({closed})", faint)


def _add_rule(sheet: Worksheet, where: str, formula: str, look: DifferentialStyle) -> None:
    sheet.conditional_formatting.add(where, Rule(type="expression", dxf=look, formula=[formula]))


def _shade(colour: str) -> PatternFill:
    return PatternFill(bgColor=colour)


def _shown_as(number: int, code: str) -> NumberFormat:
    return NumberFormat(numFmtId=200 + number, formatCode=code)


# Screen and paper


def _set_view(sheet: Worksheet) -> None:
    sheet.freeze_panes = cell(FROZEN_COLUMNS + 1, FIRST_ROW)
    sheet.sheet_view.showGridLines = False


def _set_print(sheet: Worksheet, title: str, marking: str, repeated: str | None) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = A3
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.75
    if repeated:
        sheet.print_title_rows = f"{HEADING_ROW}:{HEADING_ROW}"
        sheet.print_title_cols = repeated.replace("$", "")
    sheet.page_margins.header = sheet.page_margins.footer = 0.35
    if sheet.oddHeader is not None and sheet.oddFooter is not None:  # always: only the stubs doubt it
        sheet.oddHeader.right.text = _printed(marking) or None  # an empty one would not be valid
        sheet.oddFooter.left.text = _printed(title)
        sheet.oddFooter.right.text = "Printed &D &T, page &P of &N"


def _pages_wide(columns: Sequence[Column]) -> int:
    """Over how many pages the columns go, the frozen ones standing on each."""
    repeated = sum(column.width for column in columns[:FROZEN_COLUMNS])
    others = sum(column.width for column in columns[FROZEN_COLUMNS:] if not column.hidden)
    return max(1, math.ceil(others / (A3_WIDTH - repeated)))


def _printed(text: str) -> str:
    return text.replace("&", "&&")


# The page that explains


def _write_read_me(sheet: Worksheet, columns: Sequence[Column], title: str) -> None:
    page = _Page(sheet)
    page.heading(title, size=15)
    page.text(
        "What the Need to Know agent knows, and what you write beside it. The agent keeps its own columns up "
        "to date and reads yours; you can work here as in any other workbook."
    )
    page.heading("Whose column is it?")
    for owner in OWNERS.values():
        page.pair(f"{owner.words}{owner.mark}", owner.meaning, fill=owner.head, ink=owner.ink)
    page.heading("What you can do")
    for line in _can_do(columns):
        page.point(line)
    page.heading("Please do not")
    for line in _please_do_not(columns):
        page.point(line)
    page.heading("What the status says")
    for status, look in STATUSES.items():
        page.pair(f"{look.symbol}  {status}", look.meaning, fill=look.fill, ink=look.ink, bold=look.bold)
    page.heading("Who fills which column")
    for kind, owner in OWNERS.items():
        named = ", ".join(column.heading for column in columns if column.owner == kind)
        page.pair(f"{owner.words}{owner.mark}", named, fill=owner.head, ink=owner.ink)
    sheet.sheet_view.showGridLines = False
    _set_print(sheet, title, "", None)
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "portrait", 9  # A4


def _can_do(columns: Sequence[Column]) -> list[str]:
    name = {column.field: column.heading for column in columns if column.field}
    lines = [
        "Sort, filter, colour, comment, hide; move and add columns; add sheets of your own.",
        "Correct any proposed entry, or empty it. The agent keeps to your word, whatever later forms say.",
    ]
    if "status" in name:
        beside = [f"“{name[field]}”" for field in ("concluded_on", "concluded_by") if field in name]
        fill = f", and fill in {' and '.join(beside)}" if beside else ""
        lines.append(f"Conclude an alert: set “{name['status']}” to {Status.CONCLUDED}{fill}. Chasing stops.")
    if "on_hold_until" in name:
        lines.append(
            f"Put an alert on hold: give a date in “{name['on_hold_until']}”. It is not chased until then."
        )
    lines.append(
        "Keep the workbook open. The agent waits, and writes what it has to when you have closed it."
    )
    return lines


def _please_do_not(columns: Sequence[Column]) -> list[str]:
    reference = next((column.heading for column in columns if column.field == "reference"), "reference")
    return [
        f"Change anything under “{reference}”, or copy a row so that a reference stands twice.",
        "Delete rows. The agent writes them again; set the status instead.",
        "Write right below the table: new alerts are added there. Another sheet is a good place.",
        "Rename headings, or turn the table back into plain cells.",
    ]


class _Page:
    """Writes a plain page of text, top to bottom, in two columns."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet, self.row = sheet, 1
        for name, width in (("A", 26), ("B", 92)):
            sheet.column_dimensions[name].width = width

    def heading(self, text: str, size: int = 12) -> None:
        self.row += self.row > 1
        self._put(1, text, Font(name=FONT, size=size, bold=True, color=INK), wrap=False)
        self.sheet.row_dimensions[self.row].height = size + 9
        self.row += 1

    def text(self, text: str) -> None:
        self.sheet.merge_cells(start_row=self.row, end_row=self.row, start_column=1, end_column=2)
        self._put(1, text, Font(name=FONT, size=10, color=INK))
        self._end(text, 132)

    def point(self, text: str) -> None:
        self.text(f"–  {text}")

    def pair(
        self, left: str, right: str, *, fill: str | None = None, ink: str = INK, bold: bool = False
    ) -> None:
        self._put(1, left, Font(name=FONT, size=10, color=ink, bold=bold))
        if fill:
            self.sheet.cell(self.row, 1).fill = PatternFill("solid", fgColor=fill)
        self._put(2, right, Font(name=FONT, size=10, color=INK))
        self._end(right, 102)

    def _put(self, column: int, text: str, font: Font, *, wrap: bool = True) -> None:
        there = self.sheet.cell(self.row, column, text)
        there.font = font
        there.alignment = Alignment(vertical="top", wrap_text=wrap, indent=0)

    def _end(self, text: str, wide: int) -> None:
        # merged cells are not fitted to their text by Excel, so every row is given its height
        self.sheet.row_dimensions[self.row].height = 15 * max(1, math.ceil(len(text) / wide)) + 2
        self.row += 1
