"""What an edit changes in a workbook, cell by cell: for a way of writing that takes cells, not files.

The in-place editor decides what is written, here as anywhere; its result is compared with what was there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree

from agent.procedure.rules import Column
from agent.register.addresses import Area, area
from agent.register.cells import clean, number_text, text_of_serial
from agent.register.package import q
from agent.register.sheet_part import SheetPart
from agent.register.styles import DAY, TIME
from agent.register.values import Values
from agent.register.workbook import Workbook

Value = str | int | float | bool | None
_ANYTHING = Column("", "person")
_KEYS = ("reference", "key")


@dataclass(frozen=True)
class Cell:
    """A cell that was read: what it says, what would have to be sent to put it there, whether it reckons."""

    text: str = ""
    value: Value = ""
    is_date: bool = False
    reckons: bool = False

    @property
    def format(self) -> str:
        """The look that a day or a time needs."""
        return DAY if isinstance(self.value, int) else TIME


@dataclass(frozen=True)
class Block:
    """Adjacent rows of a sheet that were touched, over the whole width of their table.

    `values` is what to send (None leaves a cell alone), `formats` the looks that new dates need. `keys` are
    the columns, from 0, by which a row is known.
    """

    sheet: str
    area: Area
    before: Sequence[Sequence[Cell]] = field(repr=False)
    after: Sequence[Sequence[Cell]] = field(repr=False)
    keys: tuple[int, ...] = ()

    @property
    def values(self) -> list[list[Value]]:
        return [
            [None if old == new else new.value for old, new in zip(*rows, strict=True)]
            for rows in zip(self.before, self.after, strict=True)
        ]

    @property
    def formats(self) -> list[list[Value]] | None:
        told: list[list[Value]] = [
            [new.format if new.is_date and not old.is_date else None for old, new in zip(*rows, strict=True)]
            for rows in zip(self.before, self.after, strict=True)
        ]
        return told if any(one for row in told for one in row) else None


@dataclass(frozen=True)
class Added:
    """Rows at the end of a table: where they are to stand, and what is to stand there.

    The table's rows begin in `first_row`; `heading` is its visible key column's, and `key` that column's
    place, from 0.
    """

    table: str
    sheet: str
    first_row: int
    heading: str
    key: int
    area: Area
    rows: Sequence[Sequence[Cell]] = field(repr=False)


@dataclass(frozen=True)
class _Table:
    name: str
    area: Area
    keys: dict[str, int]
    headings: list[str]

    @property
    def key(self) -> int:
        return self.keys.get("reference", 0)


class Difference:
    """Between a workbook and the same after an edit. `has_new_sheets`: cells alone do not tell it."""

    def __init__(self, before: bytes, after: bytes, columns: Sequence[Column], desk: str) -> None:
        self._before, self._after = Workbook(before, desk), Workbook(after, desk)
        self._key_names = {
            name.casefold(): column.field
            for column in columns
            if column.field in _KEYS
            for name in (column.heading, *column.synonyms)
        }
        self.since_1904 = self._before.values.since_1904
        self.has_new_sheets = list(self._before.sheets()) != list(self._after.sheets())
        self.blocks: list[Block] = []
        self.added: list[Added] = []
        for name, part in self._before.sheets():
            if part and part in self._after.package:
                self._compare(name, part)

    def row_before(self, sheet: str, keys: Sequence[str]) -> Sequence[Cell] | None:
        """The row of these keys as it was; None where there was none."""
        return self._rows_by_keys.get((sheet, *keys))

    @cached_property
    def _rows_by_keys(self) -> dict[tuple[str, ...], Sequence[Cell]]:
        found: dict[tuple[str, ...], Sequence[Cell]] = {}
        for name, part in self._before.sheets():
            for table in self._tables(self._before, part) if part else ():
                sheet, there = self._before.sheet(part), table.area
                for row in range(there.top + 1, there.bottom + 1):
                    cells = _row(sheet, self._before.values, row, there.left, there.right)
                    found[(name, *(cells[key].text for key in table.keys.values()))] = cells
        return found

    def _compare(self, name: str, part: str) -> None:
        if self._before.package.read(part) == self._after.package.read(part):
            return
        old, new = self._before.sheet(part), self._after.sheet(part)
        tables = list(zip(self._tables(self._before, part), self._tables(self._after, part), strict=True))
        rows = [row for row in new.numbers() if _differs(old, new, row)]
        for was, now in tables:
            below = range(was.area.bottom + 1, now.area.bottom + 1)
            if below:
                there = Area(now.area.left, below[0], now.area.right, below[-1])
                cells = self._cells(self._after, new, there)
                heading, first = was.headings[was.key], was.area.top + 1
                self.added.append(Added(was.name, name, first, heading, was.key, there, cells))
            rows = [row for row in rows if row not in below]
        for run in _runs(rows):
            there, keys = self._span(old, new, run, [was for was, _ in tables])
            before, after = (
                self._cells(book, sheet, there) for book, sheet in ((self._before, old), (self._after, new))
            )
            if any(
                one.text != other.text
                for pair in zip(before, after, strict=True)
                for one, other in zip(*pair, strict=True)
            ):
                self.blocks.append(Block(name, there, before, after, keys))

    def _span(
        self, old: SheetPart, new: SheetPart, run: range, tables: Sequence[_Table]
    ) -> tuple[Area, tuple[int, ...]]:
        """The columns to look at in these rows: a table's, else all that are filled."""
        for table in tables:
            if table.area.top < run[0] and run[-1] <= table.area.bottom:
                return Area(table.area.left, run[0], table.area.right, run[-1]), tuple(table.keys.values())
        columns = {
            column for sheet in (old, new) for row in run if row in sheet for column in sheet.glance(row)
        }
        return Area(min(columns), run[0], max(columns), run[-1]), ()

    def _cells(self, book: Workbook, sheet: SheetPart, there: Area) -> list[list[Cell]]:
        rows = range(there.top, there.bottom + 1)
        return [_row(sheet, book.values, row, there.left, there.right) for row in rows]

    def _tables(self, book: Workbook, part: str) -> Iterator[_Table]:
        for _, kind, table_part in book.package.related(part):
            root = book.package.xml(table_part) if kind == "table" else None
            there = area(root.get("ref", "")) if root is not None else None
            if root is None or there is None:
                continue
            last = there.bottom - int(root.get("totalsRowCount") or 0)
            there = Area(there.left, there.top, there.right, last)
            headings = [cell.text for cell in self._cells(book, book.sheet(part), _first_row(there))[0]]
            keys = {
                self._key_names[heading.casefold()]: place
                for place, heading in enumerate(headings)
                if heading.casefold() in self._key_names
            }
            name = str(root.get("displayName", ""))
            yield _Table(name, there, keys, headings)


def read_live(value: Value, is_date: bool, since_1904: bool) -> str:
    """What a cell that the service shows says, in the spelling of `Cell.text`."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        number = float(value)
        return text_of_serial(number, since_1904=since_1904) if is_date else number_text(number)
    return clean(value or "")


def _first_row(there: Area) -> Area:
    return Area(there.left, there.top, there.right, there.top)


def _differs(old: SheetPart, new: SheetPart, row: int) -> bool:
    if row not in old:
        return True
    plain = old.plain(row)
    return plain is None or plain != new.plain(row)


def _runs(rows: Sequence[int]) -> Iterator[range]:
    """Numbers that follow on each other, together."""
    start = last = None
    for row in sorted(rows):
        if start is None or last is None:
            start = row
        elif row != last + 1:
            yield range(start, last + 1)
            start = row
        last = row
    if start is not None and last is not None:
        yield range(start, last + 1)


def _row(sheet: SheetPart, values: Values, row: int, left: int, right: int) -> list[Cell]:
    there = sheet.glance(row) if row in sheet else {}
    return [_cell(there[column], values) if column in there else Cell() for column in range(left, right + 1)]


def _cell(found: etree._Element, values: Values) -> Cell:
    text = values.text(found, _ANYTHING)
    is_date = values.styles.is_date(int(found.get("s", "0")))
    reckons = found.find(q("f")) is not None
    kind, number = found.get("t", "n"), found.findtext(q("v"), "")
    value: Value = f"'{text}" if text else ""  # the apostrophe keeps Excel from taking it for anything else
    if kind == "n" and number:
        value = float(number)
        value = int(value) if value.is_integer() else value
    elif kind == "b":
        value = text == "TRUE"
    return Cell(text, value, is_date and kind == "n", reckons)
