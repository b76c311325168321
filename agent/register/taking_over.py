"""A spreadsheet that people kept, made into a register in place: its table found or made, our columns added.

Whatever stands there stays: headings, looks, formulas, columns of their own. Which of their columns is which
of ours is kept in the workbook itself, as hidden names of the heading cells, so that nothing is renamed.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from lxml import etree

from agent.errors import NeedsAPerson
from agent.procedure.rules import Column
from agent.register.addresses import LAST_ROW, Area, area, letters
from agent.register.growth import has_content, merges
from agent.register.package import CONTENT_TYPES, RELATED, RELATIONSHIPS, TYPES, free_id, q, relationships_of
from agent.register.properties import DESK, set_property
from agent.register.recognise import check_of
from agent.register.their_list import Kept, missing
from agent.register.workbook import TABLE, Workbook, column_name, quoted
from agent.register.writing import put

_TABLE_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.table+xml"
_ANY_TEXT = Column("", "person")


def taken_over(
    content: bytes, kept: Kept, columns: Sequence[Column], desk: str, references: Mapping[int, str]
) -> bytes:
    """The workbook as the desk's register: marked, one table, our columns added, a reference and a key in
    each of the rows of `references`."""
    workbook = Workbook(content, None)
    editor = _TakingOver(workbook, kept)
    editor.name_blank_headings()
    places = kept.places() | editor.add(missing(kept, columns))
    editor.make_table()
    editor.remember(kept)
    by_field = {
        column.field: (column, places[column.heading]) for column in columns if column.heading in places
    }
    for row, reference in references.items():
        for name, text in (("reference", reference), ("key", check_of(reference))):
            if name in by_field:
                column, index = by_field[name]
                put(editor.sheet.cell(index, row), column, text, workbook.values)
    set_property(workbook.package, DESK, desk)
    workbook.save()
    return workbook.package.content()


class _TakingOver:
    """One list on its way to become a table of ours."""

    def __init__(self, workbook: Workbook, kept: Kept) -> None:
        self.workbook, self.kept = workbook, kept
        self.sheet = workbook.sheet(kept.sheet_part)
        self.area = kept.area

    def name_blank_headings(self) -> None:
        """A table wants a heading over each column."""
        for index, match in enumerate(self.kept.matches, self.area.left):
            if not match.heading:
                self._write_heading(index, f"Column {letters(index)}")

    def add(self, missing: Sequence[Column]) -> dict[str, int]:
        """Our columns, to the right of theirs; gives where each stands."""
        there = self.kept.area
        room = Area(there.right + 1, there.top, there.right + len(missing), there.bottom)
        below = Area(there.left, there.bottom + 1, room.right, LAST_ROW)
        for place, where, what in (
            (room, "to the right of the list", "the agent's columns"),
            (below, "below the list", "new alerts"),
        ):
            if (found := self._first_in(place)) is not None:
                raise NeedsAPerson(
                    f"Something stands {where} (in {found}), where {what} are to be. "
                    "Move it to another sheet."
                )
        places = {column.heading: there.right + number for number, column in enumerate(missing, 1)}
        for column in missing:
            self._write_heading(places[column.heading], column.heading)
            self._set_width(places[column.heading], column)
        self.area = Area(there.left, there.top, room.right, there.bottom)
        return places

    def _first_in(self, room: Area) -> Area | None:
        """Something that stands there."""
        rows = [row for row in self.sheet.numbers() if room.top <= row <= room.bottom]
        cells = (
            Area(column, row, column, row)
            for row in rows
            for column, found in self.sheet.glance(row).items()
            if has_content(found)
        )
        tables = (
            area(found.root.get("ref", ""))
            for found in self.workbook.tables()
            if found.sheet_part == self.kept.sheet_part
        )
        there = (found for found in (*merges(self.sheet), *cells, *tables) if found)
        return next((found for found in there if found.meets(room)), None)

    def _write_heading(self, index: int, text: str) -> None:
        heading = self.sheet.cell(index, self.area.top)
        beside = self.sheet.cells(self.area.top).get(self.kept.area.right)
        if beside is not None and beside.get("s"):
            heading.set("s", beside.get("s", "0"))
        put(heading, _ANY_TEXT, text, self.workbook.values)

    def _set_width(self, index: int, column: Column) -> None:
        """The width of a column that is new; where a span of columns was told of, it is cut in two."""
        columns = self.sheet.tree.find(q("cols"))
        if columns is None:
            columns = etree.Element(q("cols"))
            place = self.sheet.tree.find(q("sheetData"))
            if place is not None:
                place.addprevious(columns)
        made = etree.Element(
            q("col"), min=str(index), max=str(index), width=str(column.width), customWidth="1"
        )
        if column.hidden:
            made.set("hidden", "1")
        for span in list(columns):
            first, last = int(span.get("min", "0")), int(span.get("max", "0"))
            if first <= index <= last:
                _cut(span, index)
        before = [span for span in columns if int(span.get("max", "0")) < index]
        if before:
            before[-1].addnext(made)
        else:
            columns.insert(0, made)

    def make_table(self) -> None:
        """One table over the list: theirs made wider, or a new one."""
        if self.kept.table:
            self._cover(self.workbook.tree(self.kept.table))
            return
        part = self._free_part()
        root = self._new_table()
        self._cover(root)
        self._link_table(part)
        self.workbook.package.replace(part, root)

    def _cover(self, root: etree._Element) -> None:
        root.set("ref", str(self.area))
        for found in root.iter(q("autoFilter")):
            found.set("ref", str(self.area))
        columns = root.find(q("tableColumns"))
        if columns is None:
            columns = etree.SubElement(root, q("tableColumns"))
        number = max((int(found.get("id", "0")) for found in columns), default=0)
        for index in range(self.area.left + len(columns), self.area.right + 1):
            number += 1
            cells = self.sheet.cells(self.area.top)
            text = self.workbook.values.text(cells[index], _ANY_TEXT)
            put(self.sheet.cell(index, self.area.top), _ANY_TEXT, text, self.workbook.values)
            etree.SubElement(columns, q("tableColumn"), id=str(number), name=text.replace("\n", "_x000a_"))
        columns.set("count", str(len(columns)))

    def _new_table(self) -> etree._Element:
        taken = [int(found.root.get("id", "0")) for found in self.workbook.tables()]
        root = etree.Element(q("table"), id=str(max(taken, default=0) + 1), name=TABLE, displayName=TABLE)
        root.set("totalsRowShown", "0")
        root.append(self._filter())
        etree.SubElement(root, q("tableColumns"))
        return root

    def _filter(self) -> etree._Element:
        """The sheet's own filter becomes the table's."""
        theirs = self.sheet.tree.find(q("autoFilter"))
        for name in list(self.workbook.root.iter(q("definedName"))):
            on_sheet = (name.text or "").startswith((quoted(self.kept.sheet), f"{self.kept.sheet}!"))
            if name.get("name") == "_xlnm._FilterDatabase" and on_sheet:
                parent = name.getparent()
                if parent is not None:
                    parent.remove(name)
        return theirs if theirs is not None else etree.Element(q("autoFilter"))

    def _free_part(self) -> str:
        number = 1
        while f"xl/tables/table{number}.xml" in self.workbook.package:
            number += 1
        return f"xl/tables/table{number}.xml"

    def _link_table(self, new: str) -> None:
        package, part = self.workbook.package, self.kept.sheet_part
        links = relationships_of(part)
        root = package.xml(links) if links in package else etree.Element(f"{{{RELATIONSHIPS}}}Relationships")
        key = free_id(root)
        etree.SubElement(
            root, f"{{{RELATIONSHIPS}}}Relationship", Id=key, Type=f"{RELATED}/table", Target=f"/{new}"
        )
        package.replace(links, root)
        types = package.xml(CONTENT_TYPES)
        etree.SubElement(types, f"{{{TYPES}}}Override", PartName=f"/{new}", ContentType=_TABLE_KIND)
        package.replace(CONTENT_TYPES, types)
        tables = self.sheet.tree.find(q("tableParts"))
        if tables is None:
            tables = etree.Element(q("tableParts"))
            last = self.sheet.tree.find(q("extLst"))
            if last is not None:
                last.addprevious(tables)
            else:
                self.sheet.tree.append(tables)
        etree.SubElement(tables, q("tablePart")).set(f"{{{RELATED}}}id", key)
        tables.set("count", str(len(tables)))

    def remember(self, kept: Kept) -> None:
        """Which of their columns is which of ours, as a hidden name of its heading cell."""
        for index, match in enumerate(kept.matches, kept.area.left):
            if match.column is not None:
                where = f"{quoted(kept.sheet)}!${letters(index)}${kept.area.top}"
                self.workbook.give_name(column_name(match.column), where, comment=match.heading)


def _cut(span: etree._Element, index: int) -> None:
    """Take one column out of a span of columns."""
    first, last = int(span.get("min", "0")), int(span.get("max", "0"))
    if last > index:
        behind = copy.deepcopy(span)
        behind.set("min", str(index + 1))
        span.addnext(behind)
    if first < index:
        span.set("max", str(index - 1))
    else:
        parent = span.getparent()
        if parent is not None:
            parent.remove(span)
