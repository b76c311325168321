"""What the Excel service does to a workbook on the application's behalf: tables, ranges and rows.

openpyxl holds the workbook, so whatever openpyxl does not keep (threaded comments, slicers) is lost when
this service writes; the real one keeps it. Values are taken as if typed: `=…` becomes a formula, `2/3/2026`
a date and `007` a number, unless an apostrophe stands before them or the cell is formatted as text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from copy import copy
from datetime import date, datetime, time
from typing import Any

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.cell_range import MultiCellRange
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from agent.sandbox.answers import Refused

Json = dict[str, Any]
Value = str | int | float | bool | None
Grid = list[list[Value]]

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_DAY_FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")


class Area:
    """A rectangle of cells on one sheet; rows and columns count from 1 and are inclusive."""

    def __init__(self, sheet: Worksheet, left: int, top: int, right: int, bottom: int) -> None:
        self.sheet = sheet
        self.left, self.top, self.right, self.bottom = left, top, right, bottom

    @property
    def address(self) -> str:
        first = f"{get_column_letter(self.left)}{self.top}"
        last = f"{get_column_letter(self.right)}{self.bottom}"
        return first if first == last else f"{first}:{last}"

    def cells(self) -> list[list[Any]]:
        return [
            [self.sheet.cell(row, column) for column in range(self.left, self.right + 1)]
            for row in range(self.top, self.bottom + 1)
        ]

    def shown(self) -> Json:
        """The range as the service describes it."""
        cells = self.cells()
        values = [[value_of(cell) for cell in row] for row in cells]
        name = self.sheet.title.replace("'", "''")
        return {
            "address": f"'{name}'!{self.address}",
            "addressLocal": f"'{name}'!{self.address}",
            "cellCount": len(cells) * len(cells[0]),
            "columnCount": len(cells[0]),
            "columnIndex": self.left - 1,
            "rowCount": len(cells),
            "rowIndex": self.top - 1,
            "values": values,
            "text": [[_text(value) for value in row] for row in values],
            "formulas": [[_formula(cell) for cell in row] for row in cells],
            "numberFormat": [[cell.number_format for cell in row] for row in cells],
        }

    def put(self, values: Grid | None, formats: Grid | None) -> None:
        """Formats first, as they decide how a value is taken; None leaves a cell as it is."""
        for told, take in ((formats, _set_format), (values, type_in)):
            if told is None:
                continue
            self._check(told)
            for row, wanted in zip(self.cells(), told, strict=True):
                for cell, value in zip(row, wanted, strict=True):
                    if value is not None:
                        take(cell, value)

    def _check(self, told: Grid) -> None:
        wide, high = self.right - self.left + 1, self.bottom - self.top + 1
        if len(told) != high or any(len(row) != wide for row in told):
            raise Refused(
                400,
                "InvalidArgument",
                "The argument is invalid or missing or has an incorrect format.",
            )


class TableArea:
    """A table where it stands. `body` never shows a totals row."""

    def __init__(self, sheet: Worksheet, table: Table) -> None:
        self.sheet, self.table = sheet, table
        self.left, self.top, self.right, self.bottom = _bounds(str(table.ref))

    @property
    def last(self) -> int:
        return int(self.bottom) - int(self.table.totalsRowCount or 0)

    def all(self) -> Area:
        return Area(self.sheet, self.left, self.top, self.right, self.bottom)

    def header(self) -> Area:
        return Area(self.sheet, self.left, self.top, self.right, self.top)

    def body(self) -> Area:
        return Area(self.sheet, self.left, self.top + 1, self.right, self.last)

    def row(self, index: int) -> Area:
        """The row at this place, from 0: places are no identity, and move when people sort."""
        at = self.top + 1 + index
        if not self.top < at <= self.last:
            raise Refused(404, "ItemNotFound", "The requested resource doesn't exist.")
        return Area(self.sheet, self.left, at, self.right, at)

    def add(self, values: Grid, index: int | None) -> int:
        """Rows at the end, or before the row at `index`; gives the place of the first."""
        wide = self.right - self.left + 1
        if not values or any(len(row) != wide for row in values):
            raise Refused(
                400, "InvalidArgument", "The number of rows or columns in the input array is wrong."
            )
        at = self.last + 1 if index is None else self.top + 1 + index
        self._make_room(at, len(values))
        for offset, row in enumerate(values):
            area = Area(self.sheet, self.left, at + offset, self.right, at + offset)
            for new, above in zip(area.cells()[0], self._above(at), strict=True):
                new._style = copy(above._style)
            area.put([row], None)
        return at - self.top - 1

    def delete(self, index: int) -> None:
        gone = self.row(index).top
        if self.bottom > gone:
            below = f"{get_column_letter(self.left)}{gone + 1}:{get_column_letter(self.right)}{self.bottom}"
            self.sheet.move_range(below, rows=-1)
        else:
            for cell in Area(self.sheet, self.left, gone, self.right, gone).cells()[0]:
                cell.value = None
        self._reach(self.bottom - 1)

    def _make_room(self, at: int, rows: int) -> None:
        below = Area(self.sheet, self.left, self.bottom + 1, self.right, self.bottom + rows)
        if any(cell.value is not None for row in below.cells() for cell in row):
            raise Refused(
                409,
                "InsertDeleteConflict",
                "The operation would push cells out of their place.",
                inner={"code": "insertDeleteConflict"},
            )
        if at <= self.bottom:
            moved = f"{get_column_letter(self.left)}{at}:{get_column_letter(self.right)}{self.bottom}"
            self.sheet.move_range(moved, rows=rows)
        self._reach(self.bottom + rows)

    def _above(self, at: int) -> list[Any]:
        return Area(self.sheet, self.left, max(at - 1, self.top + 1), self.right, at).cells()[0]

    def _reach(self, bottom: int) -> None:
        """The table and what belongs to its last row end here now."""
        old = self.bottom
        self.bottom = max(bottom, self.top + 1)
        self.table.ref = self.all().address
        if self.table.autoFilter is not None:
            self.table.autoFilter.ref = Area(self.sheet, self.left, self.top, self.right, self.last).address
        for known in self.sheet.data_validations.dataValidation:
            self._stretch(known.sqref, old)
        looks = ConditionalFormattingList()
        for look in self.sheet.conditional_formatting:
            where = self._stretch(MultiCellRange(str(look.sqref)), old)
            for rule in look.rules:
                looks.add(str(where), rule)
        self.sheet.conditional_formatting = looks

    def _stretch(self, ranges: MultiCellRange, old: int) -> MultiCellRange:
        for one in ranges.ranges:
            if one.max_row == old and one.min_row > self.top:
                one.max_row = self.bottom
        return ranges


class Spreadsheet:
    """One workbook under the service's hands."""

    def __init__(self, content: bytes) -> None:
        try:
            self.book = openpyxl.load_workbook(io.BytesIO(content))
        except Exception as wrong:
            raise Refused(
                403, "OpenWorkbookAccessDenied", "The workbook cannot be opened in a browser."
            ) from wrong
        for area in self.tables():  # Excel fits rows to their text where nobody set their height
            for row in range(area.top + 1, area.bottom + 1):
                area.sheet.row_dimensions[row].height = None

    def saved(self) -> bytes:
        out = io.BytesIO()
        self.book.save(out)
        return out.getvalue()

    def sheet(self, wanted: str) -> Worksheet:
        for sheet in self.book.worksheets:
            if wanted.casefold() in (sheet.title.casefold(), sheet_id(sheet).casefold()):
                return sheet
        raise Refused(404, "ItemNotFound", "The requested resource doesn't exist.")

    def tables(self, sheet: Worksheet | None = None) -> Iterator[TableArea]:
        for one in self.book.worksheets if sheet is None else [sheet]:
            for table in one.tables.values():
                yield TableArea(one, table)

    def table(self, wanted: str) -> TableArea:
        for found in self.tables():
            if wanted.casefold() in (str(found.table.displayName).casefold(), str(found.table.id)):
                return found
        raise Refused(404, "ItemNotFound", "The requested resource doesn't exist.")

    def area(self, sheet: Worksheet, address: str) -> Area:
        return Area(sheet, *_bounds(address.rpartition("!")[2].replace("$", "")))

    def used(self, sheet: Worksheet, *, values_only: bool) -> Area:
        rows = [
            (int(cell.row or 1), int(cell.column or 1))
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None or not values_only
        ]
        bottom = max((row for row, _ in rows), default=1)
        right = max((column for _, column in rows), default=1)
        return Area(sheet, 1, 1, right, bottom)


def _bounds(address: str) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of `B4:F9`; whole rows and columns are no range here."""
    try:
        left, top, right, bottom = range_boundaries(address)
    except ValueError:
        left = top = right = bottom = None
    if left is None or top is None or right is None or bottom is None:
        raise Refused(400, "InvalidArgument", "The address of the range is not valid.")
    return left, top, right, bottom


def sheet_id(sheet: Worksheet) -> str:
    """Excel gives sheets ids in braces; ours follow from their place when the file was made."""
    sheets = [one.title for one in sheet.parent.worksheets]  # type: ignore[union-attr]  # it has one
    number = sheets.index(sheet.title) + 1
    return f"{{00000000-0001-0000-{number:04d}-000000000000}}"


def type_in(cell: Cell, value: Value) -> None:
    """Put a value as if it was typed."""
    cell.quotePrefix = False
    if value == "":
        cell.value = None
    elif not isinstance(value, str):
        cell.value = value
    elif value.startswith("'"):
        _set_text(cell, value[1:])
        cell.quotePrefix = True  # the apostrophe is a mark of the cell's look, and no part of its text
    elif value.startswith("="):  # also in a cell formatted as text: so the service
        cell.value = value
    elif cell.number_format == "@":
        _set_text(cell, value)
    else:
        _guess(cell, value)


def _set_text(cell: Cell, value: str) -> None:
    cell.value = value
    cell.data_type = "s"  # openpyxl would take `=…` for a formula


def _guess(cell: Cell, value: str) -> None:
    plain = value.strip()
    if plain.upper() in ("TRUE", "FALSE"):
        cell.value = plain.upper() == "TRUE"
        return
    if _NUMBER.fullmatch(plain):
        cell.value = float(plain) if "." in plain else int(plain)
        return
    for form in _DAY_FORMS:
        try:
            moment = datetime.strptime(plain, form)  # noqa: DTZ007 - wall time, as sheets hold it
        except ValueError:
            continue
        look = cell.number_format
        cell.value = moment
        cell.number_format = look if cell.is_date and look != "General" else "dd/mm/yyyy"
        return
    cell.value = value


def _set_format(cell: Cell, value: Value) -> None:
    cell.number_format = str(value)


def value_of(cell: Cell) -> Value:
    """A cell's value: days and times as numbers, an empty cell as "", a formula's as not yet computed."""
    value = cell.value
    if value is None or cell.data_type == "f":
        return ""
    if isinstance(value, datetime | date | time):
        serial = float(to_excel(value))  # type: ignore[no-untyped-call]
        return int(serial) if serial.is_integer() else serial
    return value if isinstance(value, str | int | float | bool) else str(value)


def _formula(cell: Cell) -> Value:
    return str(cell.value) if cell.data_type == "f" else value_of(cell)


def _text(value: Value) -> str:
    return str(value).upper() if isinstance(value, bool) else str(value)


def rows_of(told: object) -> Grid:
    """The two-dimensional `values` of a request."""
    if (
        not isinstance(told, list)
        or not all(isinstance(row, list) for row in told)
        or not all(_plain(row) for row in told)
    ):
        raise Refused(400, "InvalidArgument", "The values must be rows of plain values.")
    return told


def _plain(row: Sequence[object]) -> bool:
    return all(value is None or isinstance(value, str | int | float | bool) for value in row)
