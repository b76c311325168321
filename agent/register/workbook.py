"""A register's workbook opened: whose it is, where its table lies, and what its rows say.

The table is found by its name, columns by their heading, rows by their reference; nothing is found by
position, so people may sort, filter, move and insert as they like.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from agent.errors import NeedsAPerson
from agent.procedure.rules import Column
from agent.register.addresses import Area, area, cell, letters, number
from agent.register.base import Sheet
from agent.register.cells import number_text, text_of_serial, tidy
from agent.register.package import RELATED, Package, q
from agent.register.recognise import Recognised, recognised
from agent.register.styles import Styles

TABLE = "NeedToKnow"
DESK_PROPERTY = "Need to Know desk"  # a custom document property: which desk's agent made the workbook

_USUAL_WIDTH = 9.0
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class Placed:
    """A column of the table where it stands. `column` is configured, or made up for a person's own."""

    column: Column
    index: int


class Workbook:
    """The parts of a workbook that matter to the register, as trees. Rows and columns count from 1.

    Raises NeedsAPerson, in a sentence, when the workbook is not this desk's or holds no table to work in.
    """

    def __init__(self, content: bytes, columns: Sequence[Column], desk: str) -> None:
        self.package = Package(content)
        self.workbook_part = self._workbook_part()
        self.workbook = self.package.xml(self.workbook_part)
        self._refuse_anothers(desk)
        self.sheet_name, self.sheet_part, self.table_part, self.table = self._find_table(columns)
        self.sheet = self.package.xml(self.sheet_part)
        self.area = self._table_area()
        self._number_cells()
        self._cells: dict[int, dict[int, etree._Element]] = {}
        self.values = Values(self.package, self.workbook_part, self.workbook)
        self.columns = self._place(columns)
        self.reference = self._reference_column(columns)

    # What stands there

    @property
    def first_row(self) -> int:
        """The first row of data."""
        return self.area.top + 1

    @property
    def last_row(self) -> int:
        """The last row of data, a totals row not counted; `first_row - 1` where there is none."""
        return self.area.bottom - int(self.table.get("totalsRowCount") or 0)

    @cached_property
    def rows(self) -> dict[int, etree._Element]:
        """Every row element of the sheet, by its number."""
        return {int(row.get("r", "0")): row for row in self.sheet.iterfind(f"{q('sheetData')}/{q('row')}")}

    def cell(self, column: int, row: int) -> etree._Element | None:
        """The cell element, if the sheet has one there."""
        return self.cells(row).get(column)

    def cells(self, row: int) -> dict[int, etree._Element]:
        """The cell elements of a row, by column; whoever adds one to the sheet adds it here."""
        if row not in self._cells:
            there = self.rows[row].iterfind(q("c")) if row in self.rows else ()
            self._cells[row] = {_column_of(found): found for found in there}
        return self._cells[row]

    def text(self, placed: Placed, row: int) -> str:
        """What stands in a cell, in this room's spelling."""
        found = self.cell(placed.index, row)
        return "" if found is None else self.values.text(found, placed.column)

    @cached_property
    def widths(self) -> dict[int, float]:
        """How many characters of usual width each column of the table shows."""
        found = dict.fromkeys(range(self.area.left, self.area.right + 1), _USUAL_WIDTH)
        for span in self.sheet.iterfind(f"{q('cols')}/{q('col')}"):
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
        hidden = next((placed for placed in self.columns if placed.column.field == "key"), None)
        return recognised(
            (self.text(self.reference, row), self.text(hidden, row) if hidden else "") for row in self._filled
        )

    @cached_property
    def _filled(self) -> list[int]:
        return [row for row in range(self.first_row, self.last_row + 1) if row in self.rows]

    def contents(self, row: int) -> dict[str, str]:
        """A whole row by heading."""
        by_index = {placed.index: placed.column for placed in self.columns}
        there = {placed.column.heading: "" for placed in self.columns}
        for index, found in self.cells(row).items():
            if index in by_index:
                column = by_index[index]
                there[column.heading] = self.values.text(found, column)
        return there

    def shown(self) -> Sheet:
        """The table as it stands, with doubts on what cannot be trusted."""
        lost = any(any(self.contents(row).values()) for row in self.rows_of(""))
        return Sheet(
            headings=tuple(placed.column.heading for placed in self.columns),
            rows={key: self.contents(rows[0]) for key, rows in self.references.items() if key},
            doubts=tuple(self.recognised.doubts(lost=lost)),
            twice=self.recognised.unsure,
        )

    # Finding it

    def _workbook_part(self) -> str:
        part = self.package.first_related("", "officeDocument")
        if part is None:
            raise NeedsAPerson(
                "The file is a zip, but no Excel workbook. Put the register back in its place."
            )
        return part

    def _refuse_anothers(self, desk: str) -> None:
        made_for = desk_of(self.package)
        if made_for == desk:
            return
        whose = f"belongs to the desk “{made_for}”" if made_for else "was not made by this agent"
        raise NeedsAPerson(
            f"The workbook in the register's place {whose}, so nothing is written to it. "
            f"Move or rename it, and a new register is made for the desk “{desk}”."
        )

    def _find_table(self, columns: Sequence[Column]) -> tuple[str, str, str, etree._Element]:
        """The table of our name; else (it was renamed) the only one with our reference column."""
        tables = list(self._tables())
        named = [found for found in tables if found[3].get("displayName") == TABLE]
        wanted = next(_names(column)[0] for column in columns if column.field == "reference")
        alike = [found for found in tables if wanted in {_plain(name) for name in _column_names(found[3])}]
        candidates = named or alike
        if len(candidates) == 1:
            return candidates[0]
        raise NeedsAPerson(
            f"The register's table “{TABLE}” is no longer in the workbook. Restore an earlier version of it "
            "in SharePoint, or make the rows a table again (select them with their headings, Insert > Table, "
            f"and call it {TABLE})."
        )

    def _tables(self) -> Iterator[tuple[str, str, str, etree._Element]]:
        parts = {key: name for key, _, name in self.package.related(self.workbook_part)}
        for sheet in self.workbook.iter(q("sheet")):
            part = parts.get(sheet.get(f"{{{RELATED}}}id", ""))
            for _, kind, table_part in self.package.related(part) if part else ():
                if part and kind == "table":
                    yield sheet.get("name", ""), part, table_part, self.package.xml(table_part)

    def _table_area(self) -> Area:
        found = area(self.table.get("ref", ""))
        if found is None or self.table.get("headerRowCount") == "0":
            raise NeedsAPerson(
                "The register's table has no row of headings. Switch it on again (Table Design > Header Row)."
            )
        return found

    def _number_cells(self) -> None:
        """Give every row and cell its address; a writer may leave them out where they follow on."""
        row_number = 0
        for row in self.sheet.iterfind(f"{q('sheetData')}/{q('row')}"):
            row_number = int(row.get("r") or row_number + 1)
            row.set("r", str(row_number))
            column = 0
            for found in row.iterfind(q("c")):
                column = _column_of(found) or column + 1
                found.set("r", cell(column, row_number))

    def _place(self, columns: Sequence[Column]) -> list[Placed]:
        """Every column of the table: ours by heading or synonym, the others as a person's own."""
        headings = self._headings()
        plain = {index: _plain(heading) for index, heading in headings.items()}
        ours: dict[int, Column] = {}
        for column in columns:
            index = _position(column, plain)
            if index is not None and index not in ours:
                ours[index] = column
        taken = {column.heading for column in ours.values()}
        return [
            Placed(ours.get(index) or _persons(heading, index, taken), index)
            for index, heading in headings.items()
        ]

    def _headings(self) -> dict[int, str]:
        any_text = Column(heading="", owner="person")
        row = self.area.top
        return {
            index: " ".join(self.text_at(index, row, any_text).split())
            for index in range(self.area.left, self.area.right + 1)
        }

    def text_at(self, column: int, row: int, kind: Column) -> str:
        found = self.cell(column, row)
        return "" if found is None else self.values.text(found, kind)

    def _reference_column(self, columns: Sequence[Column]) -> Placed:
        found = [placed for placed in self.columns if placed.column.field == "reference"]
        if found:
            return found[0]
        heading = next(column.heading for column in columns if column.field == "reference")
        raise NeedsAPerson(
            f"The register has no column “{heading}” any more, so no row can be recognised. "
            "Restore an earlier version of the workbook in SharePoint, or give the column its heading again."
        )


class Values:
    """Reads cells as text: strings shared and inline, numbers, dates by look or column, booleans, errors."""

    def __init__(self, package: Package, workbook_part: str, workbook: etree._Element) -> None:
        properties = workbook.find(q("workbookPr"))
        self.since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self.styles_part = package.first_related(workbook_part, "styles")
        blank = etree.Element(q("styleSheet"))
        self.styles = Styles(package.xml(self.styles_part) if self.styles_part else blank)
        self._package, self._strings_part = package, package.first_related(workbook_part, "sharedStrings")

    @cached_property
    def _strings(self) -> list[str]:
        if self._strings_part is None:
            return []
        return [_string(item) for item in self._package.xml(self._strings_part).iterfind(q("si"))]

    def text(self, found: etree._Element, column: Column) -> str:
        """What a cell says, in this room's spelling for `column`."""
        return tidy(column, self._raw(found, column))

    def _raw(self, found: etree._Element, column: Column) -> str:
        kind, value = found.get("t", "n"), found.findtext(q("v"), "")
        if kind == "inlineStr":
            inline = found.find(q("is"))
            return "" if inline is None else _string(inline)
        if kind == "s":
            return self._strings[int(value)] if value.isdecimal() and int(value) < len(self._strings) else ""
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, "")
        if kind == "n":
            return self._number(value, int(found.get("s", "0")), column)
        return _unescaped(value).removesuffix("Z") if kind == "d" else _unescaped(value)

    def _number(self, value: str, look: int, column: Column) -> str:
        try:
            number_there = float(value)
        except ValueError:
            return value
        dated = column.format in ("date", "datetime") or self.styles.is_date(look)
        if dated and column.format != "number":
            return text_of_serial(number_there, since_1904=self.since_1904)
        return number_text(number_there)


def desk_of(package: Package) -> str:
    """The desk whose agent made the workbook; "" for any other workbook."""
    part = package.first_related("", "custom-properties")
    if part is None or part not in package:
        return ""
    for known in package.xml(part):
        if known.get("name") == DESK_PROPERTY:
            return "".join(str(text) for text in known.itertext()).strip()
    return ""


def _string(item: etree._Element) -> str:
    """The text of a string, its runs joined; phonetic guides left out."""
    parts = (text for run in item if run.tag in (q("t"), q("r")) for text in run.iter(q("t")))
    return _unescaped("".join(part.text or "" for part in parts))


def _unescaped(text: str) -> str:
    """`_x000D_` is how a workbook spells a character that XML cannot hold."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _column_of(found: etree._Element) -> int:
    return number(found.get("r", "").rstrip("0123456789"))


def _column_names(table: etree._Element) -> list[str]:
    return [_unescaped(column.get("name", "")) for column in table.iter(q("tableColumn"))]


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
