"""Makes an empty register: one table, ready to be typed in and printed, and a page that explains it.

Rows are never written here; `in_place.py` adds them as to any other workbook, so that there is one way.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

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
from agent.register.addresses import cell, letters
from agent.register.looks import CLOSED, FAINT, FONT, INK, LINE, OWNERS, STATUSES
from agent.register.properties import DESK
from agent.register.read_me import write_read_me
from agent.register.styles import DAY, TIME
from agent.register.workbook import TABLE

SHEET = "Need to Know"
READ_ME = "Read me"
TITLE = "Need to Know register"
TITLE_ROW, LEGEND_ROW, HEADING_ROW, FIRST_ROW = 1, 2, 3, 4
FROZEN_COLUMNS = 2
A3, A4 = 8, 9
A3_WIDTH = 280  # characters across a landscape page, at a size that is still pleasant to read

_FORMATS = {"date": DAY, "datetime": TIME, "number": "0", "text": "@"}


def new_workbook(columns: Sequence[Column], desk: str, *, about: str = "", marking: str = "") -> bytes:
    """An empty register for a desk, marked as its agent's own.

    `about` (the procedure's title) stands beside the title and in print, `marking` ("Confidential") in
    the page header. Raises BadConfiguration when a drop-down cannot be made.
    """
    title = f"{TITLE} · {about}" if about else TITLE
    workbook = Workbook()
    workbook.properties.creator = "Need to Know agent"
    workbook.properties.title = title
    mark = StringProperty(name=DESK, value=desk)
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
    _set_print(sheet, title, marking, f"A:{letters(FROZEN_COLUMNS)}")
    sheet.page_setup.fitToWidth = _pages_wide(columns)
    page = workbook.create_sheet(READ_ME)
    write_read_me(page, columns, title)
    _set_print(page, title, "", None)
    page.page_setup.orientation, page.page_setup.paperSize = "portrait", A4
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
    _add_day_looks(sheet, columns)  # first, as LibreOffice lets only the first of several ranges dress a cell
    places = {column.field: letters(index) for index, column in enumerate(columns, 1) if column.field}
    if "status" in places:
        _add_status_looks(sheet, places["status"], letters(len(columns)))
    if "needs_a_person" in places:
        here = f"{places['needs_a_person']}{FIRST_ROW}"
        look = DifferentialStyle(
            font=Font(bold=True, color="7A3E00"), fill=_shade("FFE8CC"), numFmt=_shown_as(90, '"! "@')
        )
        _add_rule(sheet, here, f"LEN(${here})>0", look)


def _add_day_looks(sheet: Worksheet, columns: Sequence[Column]) -> None:
    """A time that is not known is no midnight: where only a day stands, only the day is shown."""
    look = DifferentialStyle(numFmt=_shown_as(91, DAY))
    for index, column in enumerate(columns, 1):
        if column.format == "datetime":
            here = cell(index, FIRST_ROW)
            _add_rule(sheet, here, f"AND(ISNUMBER({here}),{here}=INT({here}))", look)


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
    """Landscape A3; `repeated` columns and the headings stand on every page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = A3
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.75
    if repeated:
        sheet.print_title_rows = f"{HEADING_ROW}:{HEADING_ROW}"
        sheet.print_title_cols = repeated
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
