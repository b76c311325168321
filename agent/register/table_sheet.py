"""A sheet with one table of the agent's, ready to be typed in: headings, drop-downs, and looks that follow
the values.

Rows are never written here; `in_place.py` adds them as to any other workbook, so that there is one way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from agent.errors import BadConfiguration
from agent.procedure.rules import Column
from agent.register.addresses import cell, letters
from agent.register.looks import CLOSED, FAINT, FONT, INK, LINE, OWNERS, STATUSES
from agent.register.styles import DAY, TIME

TITLE_ROW, LEGEND_ROW, HEADING_ROW, FIRST_ROW = 1, 2, 3, 4

_FORMATS = {"date": DAY, "datetime": TIME, "number": "0", "text": "@"}


@dataclass(frozen=True)
class TableSheet:
    """A table and what stands above it. `frozen` columns stay in view and on every printed page."""

    table: str
    title: str
    beside: str
    columns: Sequence[Column]
    frozen: int

    def write(self, sheet: Worksheet) -> None:
        """Lay the table out, with one empty row. BadConfiguration when a drop-down cannot be made."""
        _write_top(sheet, self)
        for index, column in enumerate(self.columns, 1):
            _write_column(sheet, index, column)
        _make_table(sheet, self)
        _add_choices(sheet, self.columns)
        _add_looks(sheet, self.columns)
        sheet.freeze_panes = cell(self.frozen + 1, FIRST_ROW)
        sheet.sheet_view.showGridLines = False


def _write_top(sheet: Worksheet, told: TableSheet) -> None:
    """The title, and a legend of the three kinds of column."""
    top = sheet.cell(TITLE_ROW, 1, told.title)  # in the columns that every printed page repeats
    top.font = Font(name=FONT, size=15, bold=True, color=INK)
    beside = sheet.cell(TITLE_ROW, told.frozen + 1, told.beside)
    beside.font = Font(name=FONT, size=11, color=FAINT)
    top.alignment = beside.alignment = Alignment(vertical="center")
    sheet.row_dimensions[TITLE_ROW].height = 30
    owners = {column.owner for column in told.columns}
    for index, owner in enumerate(OWNERS.values() if owners == OWNERS.keys() else (), 1):
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
    is_link = column.field == "mail"  # an address shows its beginning, and makes no row high
    body.alignment = Alignment(
        vertical="top",
        wrap_text=not is_link,
        horizontal="fill" if is_link else "center" if column.format == "number" else "left",
    )
    body.border = Border(bottom=Side("thin", LINE), right=Side("hair", LINE))
    body.number_format = _FORMATS.get(column.format, "General")
    if owner.body:
        body.fill = PatternFill("solid", fgColor=owner.body)
    dimension = sheet.column_dimensions[letters(index)]
    dimension.width, dimension.hidden = column.width, column.hidden


def _make_table(sheet: Worksheet, told: TableSheet) -> None:
    ref = f"A{HEADING_ROW}:{cell(len(told.columns), FIRST_ROW)}"
    table = Table(displayName=told.table, ref=ref)
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
    if column.field == "answer":  # any alert's reference is an answer, too
        return DataValidation(
            type="list",
            formula1=f'"{listed}"',
            allow_blank=True,
            showInputMessage=True,
            promptTitle=column.heading[:32],
            prompt="Choose from the list, or type the reference of the alert it belongs to.",
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
    if {"answer", "outcome"} <= places.keys():
        _add_question_looks(sheet, places, letters(len(columns)))
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


def _add_question_looks(sheet: Worksheet, places: dict[str, str], last: str) -> None:
    """A question that waits, and one that was dealt with."""
    number, answer, outcome = (f"{places[name]}{FIRST_ROW}" for name in ("reference", "answer", "outcome"))
    waits = DifferentialStyle(
        font=Font(bold=True, color="7A3E00"), fill=_shade("FFE8CC"), numFmt=_shown_as(92, _marked("●"))
    )
    done = DifferentialStyle(numFmt=_shown_as(93, _marked("✓")))
    _add_rule(sheet, number, f"AND(LEN(${number})>0,LEN(${answer})=0,LEN(${outcome})=0)", waits)
    _add_rule(sheet, number, f"LEN(${outcome})>0", done)
    faint = DifferentialStyle(font=Font(color=FAINT))
    _add_rule(sheet, f"A{FIRST_ROW}:{last}{FIRST_ROW}", f"LEN(${outcome})>0", faint)


def _marked(symbol: str) -> str:
    """A format that shows numbers and text behind a symbol."""
    return f'"{symbol}  "0;"{symbol}  "-0;"{symbol}  "0;"{symbol}  "@'


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
