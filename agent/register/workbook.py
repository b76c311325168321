"""A register's workbook opened: whose it is, where its tables lie, and what their rows say.

A table is found by its name, columns by their heading, rows by their reference; nothing is found by
position, so people may sort, filter, move and insert as they like.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from lxml import etree

from agent.errors import NeedsAPerson
from agent.procedure.rules import Column
from agent.register.addresses import Area, area, letters
from agent.register.base import Doubt, Sheet
from agent.register.package import RELATED, Package, q
from agent.register.properties import DESK, property_of
from agent.register.recognise import Recognised, keys_in, recognised
from agent.register.sheet_part import SheetPart
from agent.register.values import Values, unescaped

TABLE = "NeedToKnow"
QUESTIONS_TABLE = "NeedToKnowQuestions"

ADDRESS = re.compile(r"\$?\b[A-Z]{1,3}\$?\d+\b")
NAMED_OR_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]')  # parts of a formula that are no address
_USUAL_WIDTH = 9.0
_BEFORE_NAMES = ("sheets", "functionGroups", "externalReferences")  # what stands before them in a workbook
_REMEMBERED = 10_000  # different cells of a column whose words are kept


@dataclass(frozen=True)
class Placed:
    """A column of a table where it stands. `column` is configured, or made up for a person's own."""

    column: Column
    index: int


@dataclass(frozen=True)
class Remembered:
    """Where a column stands whose heading is not ours, and what it was called when its place was kept."""

    index: int
    heading: str


class Workbook:
    """A workbook opened: its parts that matter here, as trees.

    Raises NeedsAPerson, in a sentence, when it is not this desk's; `desk` is None for anybody's.
    """

    def __init__(self, content: bytes, desk: str | None) -> None:
        self.package = Package(content)
        self._trees: dict[str, tuple[etree._Element, bytes]] = {}
        self.part = self._workbook_part()
        self.root = self.tree(self.part)
        if desk is not None:
            self._refuse_anothers(desk)
        self.values = Values(self.package, self.part, self.root)
        self._sheets: dict[str, SheetPart] = {}

    def tree(self, part: str) -> etree._Element:
        """A small part as a tree, the same one at each call; `save` writes it where it was changed."""
        if part not in self._trees:
            root = self.package.xml(part)
            self._trees[part] = (root, etree.tostring(root))
        return self._trees[part][0]

    def save(self) -> None:
        """Put all that was changed in trees into the package."""
        for part, (root, before) in self._trees.items():
            if etree.tostring(root) != before:
                self.package.replace(part, root)
        if self.values.styles.changed and self.values.styles_part:
            self.package.replace(self.values.styles_part, self.values.styles.root)
        for sheet in self._sheets.values():
            if sheet.touched:
                self.package.put(sheet.part, list(sheet.pieces()))

    def sheet(self, part: str) -> SheetPart:
        """A worksheet opened, the same one at each call."""
        if part not in self._sheets:
            self._sheets[part] = SheetPart(self.package, part)
        return self._sheets[part]

    def opened(self) -> Iterable[SheetPart]:
        """The worksheets that were opened."""
        return self._sheets.values()

    def sheets(self) -> Iterator[tuple[str, str]]:
        """(name, part) of every sheet, in the order of their tabs; "" as part where it cannot be found."""
        parts = {key: name for key, _, name in self.package.related(self.part)}
        for sheet in self.root.iter(q("sheet")):
            yield sheet.get("name", ""), parts.get(sheet.get(f"{{{RELATED}}}id", ""), "")

    def worksheets(self) -> Iterator[tuple[str, str]]:
        """(name, part) of every sheet that holds cells: not those that are one chart."""
        charts = {part for _, kind, part in self.package.related(self.part) if kind != "worksheet"}
        return ((name, part) for name, part in self.sheets() if part in self.package and part not in charts)

    def table(
        self, columns: Sequence[Column], name: str = TABLE, last: LastReading | None = None
    ) -> SheetTable:
        """The table of this name; else (it was renamed) the only one with our key column. It is looked at
        sooner with the `last` reading of the same.

        NeedsAPerson when there is none.
        """
        tables = list(self.tables())
        named = [found for found in tables if found.root.get("displayName") == name]
        key = next(column for column in columns if column.field == "reference")
        alike = [found for found in tables if self._has(found, key)]
        candidates = named or alike
        if len(candidates) == 1:
            return SheetTable(self, candidates[0], columns, last or LastReading())
        raise NeedsAPerson(
            f"The register's table “{name}” is no longer in the workbook. Restore an earlier version of it "
            "in SharePoint, or make the rows a table again (select them with their headings, Insert > Table, "
            f"and call it {name})."
        )

    def tables(self) -> Iterator[TablePart]:
        """Every table of the workbook."""
        for sheet_name, sheet_part in self.sheets():
            for _, kind, part in self.package.related(sheet_part) if sheet_part else ():
                if kind == "table":
                    yield TablePart(sheet_name, sheet_part, part, self.tree(part))

    def _has(self, found: TablePart, column: Column) -> bool:
        """Does a table have this column, by its heading or as it was called when the table was taken over?"""
        if _names(column)[0] in {_plain(heading) for heading in found.headings()}:
            return True
        place = area(found.root.get("ref", ""))
        return place is not None and self.remembered(column, found.sheet_name, place) is not None

    def reckons_with_row(self, row: int) -> bool:
        """Does any formula of the workbook name a cell in a row of this number?"""
        named = re.compile(rf"\$?\b[A-Z]{{1,3}}\$?{row}\b")
        formulas = (text for _, part in self.worksheets() for text in self.sheet(part).formulas())
        return any(named.search(text) for text in formulas)

    # Names

    def remembered(self, column: Column, sheet: str, table: Area) -> Remembered | None:
        """Where a column stands whose heading is not ours: a hidden name goes with its heading's cell."""
        wanted = column_name(column)
        for name in self.root.iter(q("definedName")):
            where, _, place = (name.text or "").rpartition("!")
            there = area(place)
            if name.get("name") == wanted and where in (sheet, quoted(sheet)) and there is not None:
                inside = table.top == there.top and table.holds(there.left, there.top)
                return Remembered(there.left, name.get("comment", "")) if inside else None
        return None

    def give_name(self, name: str, where: str, **more: str) -> None:
        """Add a hidden name."""
        names = self.root.find(q("definedNames"))
        if names is None:
            names = etree.Element(q("definedNames"))
            before = [found for tag in _BEFORE_NAMES if (found := self.root.find(q(tag))) is not None]
            before[-1].addnext(names)
        etree.SubElement(names, q("definedName"), {"name": name, "hidden": "1", **more}).text = where

    def _workbook_part(self) -> str:
        part = self.package.first_related("", "officeDocument")
        if part is None:
            raise NeedsAPerson(
                "The file is a zip, but no Excel workbook. Put the register back in its place."
            )
        return part

    def _refuse_anothers(self, desk: str) -> None:
        made_for = property_of(self.package, DESK)
        if made_for == desk:
            return
        whose = f"belongs to the desk “{made_for}”" if made_for else "was not made by this agent"
        raise NeedsAPerson(
            f"The workbook in the register's place {whose}, so nothing is written to it. "
            f"Move or rename it, and a new register is made for the desk “{desk}”."
        )


@dataclass(frozen=True)
class TablePart:
    """A table where it was found."""

    sheet_name: str
    sheet_part: str
    part: str
    root: etree._Element

    def headings(self) -> list[str]:
        return [unescaped(column.get("name", "")) for column in self.root.iter(q("tableColumn"))]


class LastReading:
    """What the rows of a table said when it was read last, by the prints of their bytes: of thousands, nearly
    all stand there unchanged when it is read again."""

    def __init__(self) -> None:
        self._made_of: object = None
        self._rows: Mapping[bytes, ReadRow] = {}

    def of(self, made_of: object) -> Mapping[bytes, ReadRow]:
        """The rows of a table made of this, by their prints."""
        return self._rows if self._made_of == made_of else {}

    def keep(self, made_of: object, rows: Mapping[bytes, ReadRow]) -> None:
        """For the next reading, what was read in this one."""
        self._made_of, self._rows = made_of, rows


class ReadRow(NamedTuple):
    """A row as it was read: the keys that it carries (see `keys_in`), and its words by heading."""

    keys: tuple[str, str]
    words: dict[str, str]


class _Known:
    """A column in a hurry: its heading, and what bytes of its cells were put in words already."""

    def __init__(self, placed: Placed) -> None:
        self.column, self.heading = placed.column, placed.column.heading
        self.texts: dict[bytes, str] = {}


class SheetTable:
    """A table in its sheet: where it lies and what its rows say. Rows and columns count from 1.

    `reference` is the column by which its rows are known.
    Raises NeedsAPerson, in a sentence, when it cannot be worked in.
    """

    def __init__(
        self, workbook: Workbook, found: TablePart, columns: Sequence[Column], last: LastReading
    ) -> None:
        self.workbook, self.values, self._last = workbook, workbook.values, last
        self.sheet_name, self.part, self.root = found.sheet_name, found.part, found.root
        self.sheet = workbook.sheet(found.sheet_part)
        self.area = self._area()
        self._renamed: dict[str, str] = {}  # what columns are called now, by their headings
        self.columns = self._place(columns)
        self.reference = self._key_column(columns)
        self._known = {letters(placed.index).encode(): _Known(placed) for placed in self.columns}

    # What stands there

    @property
    def first_row(self) -> int:
        """The first row of data."""
        return self.area.top + 1

    @property
    def last_row(self) -> int:
        """The last row of data, a totals row not counted; `first_row - 1` where there is none."""
        return self.area.bottom - int(self.root.get("totalsRowCount") or 0)

    def cell(self, column: int, row: int) -> etree._Element | None:
        """The cell element, to be looked at, if the sheet has one there."""
        return self.sheet.cells(row).get(column)

    def text(self, placed: Placed, row: int) -> str:
        """What stands in a cell, in this room's spelling."""
        return self._said(self.cell(placed.index, row), placed)

    @cached_property
    def widths(self) -> dict[int, float]:
        """How many characters of usual width each column of the table shows."""
        found = dict.fromkeys(range(self.area.left, self.area.right + 1), _USUAL_WIDTH)
        for span in self.sheet.tree.iterfind(f"{q('cols')}/{q('col')}"):
            first, last = int(span.get("min", "0")), int(span.get("max", "0"))
            wide = float(span.get("width", _USUAL_WIDTH))
            found |= {column: wide for column in found if first <= column <= last}
        return found

    def rows_of(self, key: str) -> list[int]:
        """The rows of the table that carry this reference."""
        return self.references.get(key, [])

    @cached_property
    def references(self) -> dict[str, list[int]]:
        """Row numbers by reference, in the order they stand; "" for rows without one."""
        found: dict[str, list[int]] = {}
        for row, key in zip(self._filled, self.recognised.keys, strict=True):
            found.setdefault(key, []).append(row)
        return found

    @cached_property
    def recognised(self) -> Recognised:
        """Whose the table's rows are."""
        before = self._last.of(self._made_of)
        if not before:
            return recognised(map(self._keys, self._filled))
        read = {row: before.get(known) for row, known in self._prints.items()}
        return recognised(one.keys if one else self._keys(row) for row, one in read.items())

    def _keys(self, row: int) -> tuple[str, str]:
        """The keys that a row carries, looked up without taking it apart where that can be helped."""
        hidden = self._hidden
        return keys_in(self._quick_text(self.reference, row), self._quick_text(hidden, row) if hidden else "")

    @cached_property
    def _hidden(self) -> Placed | None:
        return next((placed for placed in self.columns if placed.column.field == "key"), None)

    @cached_property
    def _prints(self) -> dict[int, bytes]:
        return {row: self.sheet.print_of(row) for row in self._filled}

    @cached_property
    def _filled(self) -> list[int]:
        return [row for row in range(self.first_row, self.last_row + 1) if row in self.sheet]

    def contents(self, row: int) -> dict[str, str]:
        """A whole row by heading."""
        plain = self.sheet.plain(row)
        if plain is None:
            cells = self.sheet.glance(row)
            return {
                placed.column.heading: self._said(cells.get(placed.index), placed) for placed in self.columns
            }
        there = dict(self._blank)
        for place, cell_bytes in plain:
            known = self._known.get(place)
            if known is not None:
                text = known.texts.get(cell_bytes)
                there[known.heading] = self._put_in_words(known, cell_bytes) if text is None else text
        return there

    def _renamed_columns(self) -> Iterator[Doubt]:
        for heading, now in self._renamed.items():
            yield Doubt(
                "column_renamed",
                heading,
                f"The register's column “{heading}” is called “{now}” now. It is kept under its new name.",
            )

    @cached_property
    def _blank(self) -> dict[str, str]:
        return {placed.column.heading: "" for placed in self.columns}

    def _quick_text(self, placed: Placed, row: int) -> str:
        cell_bytes = self.sheet.quick(letters(placed.index).encode(), row)
        if cell_bytes is None:
            return self._said(self.sheet.glance(row).get(placed.index), placed)
        return self.values.text_of(cell_bytes, placed.column)

    def _said(self, found: etree._Element | None, placed: Placed) -> str:
        return "" if found is None else self.values.text(found, placed.column)

    def _put_in_words(self, known: _Known, cell_bytes: bytes) -> str:
        """The text of a cell; the same bytes are put in words once, or nearly so."""
        if len(known.texts) >= _REMEMBERED:
            known.texts.clear()
        text = known.texts[cell_bytes] = self.values.text_of(cell_bytes, known.column)
        return text

    @cached_property
    def _made_of(self) -> object:
        """While this is the same, the same bytes of a row say the same."""
        return tuple(self.columns), self.values.made_of, tuple(self.sheet.tree.nsmap.items())

    def shown(self) -> Sheet:
        """The table as it stands, with doubts on what cannot be trusted."""
        before, read = self._last.of(self._made_of), dict[int, ReadRow]()
        for row, known in self._prints.items():
            read[row] = before.get(known) or ReadRow(self._keys(row), self.contents(row))
        self._last.keep(self._made_of, {self._prints[row]: one for row, one in read.items()})
        lost = any(any(read[row].words.values()) for row in self.rows_of(""))
        return Sheet(
            headings=tuple(placed.column.heading for placed in self.columns),
            rows={key: read[rows[0]].words for key, rows in self.references.items() if key},
            doubts=(*self.recognised.doubts(lost=lost), *self._renamed_columns()),
            twice=self.recognised.unsure,
        )

    # Finding its columns

    def _area(self) -> Area:
        found = area(self.root.get("ref", ""))
        if found is None or self.root.get("headerRowCount") == "0":
            raise NeedsAPerson(
                "The register's table has no row of headings. Switch it on again (Table Design > Header Row)."
            )
        return found

    def _place(self, columns: Sequence[Column]) -> list[Placed]:
        """Every column of the table: ours by heading or synonym, the others as a person's own."""
        headings = self._headings()
        plain = {index: _plain(heading) for index, heading in headings.items()}
        ours: dict[int, Column] = {}
        for column in columns:
            index = _position(column, plain)
            kept = None if index else self.workbook.remembered(column, self.sheet_name, self.area)
            if kept is not None:
                index = kept.index
                if kept.heading and _plain(kept.heading) != plain[index]:
                    self._renamed[column.heading] = headings[index]
            if index is not None and index not in ours:
                ours[index] = column
        taken = {column.heading for column in ours.values()}
        return [
            Placed(ours.get(index) or _persons(heading, index, taken), index)
            for index, heading in headings.items()
        ]

    def _headings(self) -> dict[int, str]:
        any_text = Column(heading="", owner="person")
        cells = self.sheet.glance(self.area.top) if self.area.top in self.sheet else {}
        return {
            index: " ".join(self.values.text(cells[index], any_text).split()) if index in cells else ""
            for index in range(self.area.left, self.area.right + 1)
        }

    def _key_column(self, columns: Sequence[Column]) -> Placed:
        found = [placed for placed in self.columns if placed.column.field == "reference"]
        if found:
            return found[0]
        heading = next(column.heading for column in columns if column.field == "reference")
        raise NeedsAPerson(
            f"The register has no column “{heading}” any more, so no row can be recognised. "
            "Restore an earlier version of the workbook in SharePoint, or give the column its heading again."
        )


def quoted(title: str) -> str:
    """A sheet's name as it stands in a formula."""
    return "'" + title.replace("'", "''") + "'"


def column_name(column: Column) -> str:
    """The name by which a column is known again whose heading is another one."""
    return "Agents_column_" + re.sub(r"\W", "_", column.field or column.heading)


def _plain(heading: str) -> str:
    return " ".join(heading.split()).casefold()


def _names(column: Column) -> list[str]:
    return [_plain(name) for name in (column.heading, *column.synonyms)]


def _position(column: Column, plain: Mapping[int, str]) -> int | None:
    """Where a column stands: under its heading, else under the one synonym that is there."""
    heading, *synonyms = _names(column)
    exact = [index for index, name in plain.items() if name == heading]
    if exact:
        return exact[0]
    alike = [index for index, name in plain.items() if name in synonyms]
    return alike[0] if len(alike) == 1 else None


def _persons(heading: str, index: int, taken: set[str]) -> Column:
    """A column of a person's own; a heading that another column has already is told apart by its letter."""
    unlike = heading if heading not in taken else f"{heading} ({letters(index)})"
    return Column(heading=unlike, owner="person")


def most_common(texts: Iterable[str]) -> str | None:
    """The most common of `texts`, the latest of equals."""
    counts = Counter(reversed(list(texts)))
    return max(counts, key=lambda text: counts[text]) if counts else None
