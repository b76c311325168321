"""A table that gets rows at its end: what may be in the way, and what has to grow with it."""

from __future__ import annotations

from lxml import etree

from agent.errors import NeedsAPerson
from agent.register.addresses import LAST_COLUMN, LAST_ROW, Area, area, grown
from agent.register.dependants import anchored, grow_dependants
from agent.register.package import q
from agent.register.sheet_part import SheetPart
from agent.register.workbook import ADDRESS, NAMED_OR_QUOTED, SheetTable

_X14 = "http://schemas.microsoft.com/office/excel/2006/main"
_COMMENTS = ("comments", "threadedComment")
_COVERING = ("conditionalFormatting", "dataValidation", "ignoredError", "protectedRange")


class Growth:
    """A table going down to the row `last`. Nothing happens where it is that long."""

    def __init__(self, table: SheetTable, last: int) -> None:
        self.table, self.last = table, last
        self.needed = last > table.last_row
        self.totals = table.area.bottom - table.last_row

    def refuse_if_in_the_way(self) -> None:
        """Raise NeedsAPerson when the rows below the table are not free."""
        table = self.table
        if not self.needed:
            return
        if self.last + self.totals > LAST_ROW:
            raise NeedsAPerson("The register's sheet is full. Move concluded rows to another workbook.")
        there = table.area
        below = Area(there.left, there.bottom + 1, there.right, self.last + self.totals)
        if self._taken(below):
            raise NeedsAPerson(
                f"Something stands right below the register's table (rows {below.top} to {below.bottom}), "
                "so no row can be added. Move it to another sheet, or into the table if it belongs there."
            )
        if self.totals and self._holds_totals(Area(1, table.last_row + 1, LAST_COLUMN, below.bottom)):
            raise NeedsAPerson(
                "The register's table has a total row, which cannot be moved down for new rows: it reckons "
                "with addresses of cells, others reckon with it, or something is tied to it or stands beside "
                "or below it. Switch it off (Table Design > Total Row)."
            )

    def _holds_totals(self, whole: Area) -> bool:
        """Would something be torn apart if the total row went down?"""
        table, sheet = self.table, self.table.sheet
        cells = {
            (row, column): found
            for row in range(whole.top, whole.bottom + 1)
            if row in sheet
            for column, found in sheet.cells(row).items()
            if has_content(found)
        }
        inside = {place for place in cells if table.area.holds(place[1], place[0])}
        own = (found.findtext(q("f")) or "" for found in cells.values())
        tied = [*merges(sheet), *self._noted(), *self._linked()]
        return (
            bool(cells.keys() - inside)
            or any(ADDRESS.search(NAMED_OR_QUOTED.sub("", formula)) for formula in own)
            or any(found.meets(whole) for found in tied)
            or table.workbook.reckons_with_row(table.last_row + 1)
        )

    def _linked(self) -> list[Area]:
        links = self.table.sheet.tree.iter(q("hyperlink"))
        return [found for link in links if (found := area(link.get("ref", "")))]

    def _taken(self, below: Area) -> bool:
        sheet = self.table.sheet
        rows = (row for row in range(below.top, below.bottom + 1) if row in sheet)
        filled = [
            Area(column, row, column, row)
            for row in rows
            for column, found in sheet.cells(row).items()
            if has_content(found)
        ]
        return any(
            found.meets(below)
            for found in [*merges(sheet), *self._other_tables(), *self._noted(), *self._controls(), *filled]
        )

    def _noted(self) -> list[Area]:
        """Cells with a comment: one on an empty cell below would become one on somebody's alert."""
        package = self.table.workbook.package
        parts = [part for _, kind, part in package.related(self.table.sheet.part) if kind in _COMMENTS]
        places = (area(found.get("ref", "")) for part in parts for found in package.xml(part).iter("{*}*"))
        return [found for found in places if found]

    def _controls(self) -> list[Area]:
        """Buttons and the like: they are told of in three places, and are people's to move."""
        anchors = self.table.sheet.tree.iter("{*}anchor")
        return [found for anchor in anchors if (found := anchored(anchor))]

    def _other_tables(self) -> list[Area]:
        package = self.table.workbook.package
        parts = [part for _, kind, part in package.related(self.table.sheet.part) if kind == "table"]
        others = [package.xml(part) for part in parts if part != self.table.part]
        return [found for other in others if (found := area(other.get("ref", "")))]

    def make_room(self) -> None:
        """Let the total row, where there is one, go down. Its formulas name columns and stay as they are."""
        if self.needed and self.totals:
            self.table.sheet.move_row(self.table.last_row + 1, self.last + 1)

    def grow(self) -> None:
        """Let the table, and whatever covered its last row, go down."""
        if not self.needed:
            return
        table = self.table
        there, sheet = table.area, table.sheet.tree
        table.root.set("ref", str(Area(there.left, there.top, there.right, self.last + self.totals)))
        for tree in (table.root, sheet):
            for found in tree.iter(q("autoFilter")):
                found.set("ref", self._grown(found.get("ref", "")))
        for found in sheet.iter(*map(q, _COVERING)):
            found.set("sqref", self._grown(found.get("sqref", "")))
        for found in sheet.iter(f"{{{_X14}}}sqref"):
            found.text = self._grown(found.text or "")
        self._grow_dimension()
        grow_dependants(table, self.last)

    def _grown(self, ranges: str) -> str:
        table = self.table
        return grown(ranges, first=table.first_row, old_last=table.last_row, new_last=self.last)

    def _grow_dimension(self) -> None:
        dimension = self.table.sheet.tree.find(q("dimension"))
        there = area(dimension.get("ref", "")) if dimension is not None else None
        if dimension is None or there is None:
            return
        ours = self.table.area
        left, right = min(there.left, ours.left), max(there.right, ours.right)
        whole = Area(left, min(there.top, ours.top), right, max(there.bottom, self.last))
        dimension.set("ref", str(whole))


def has_content(found: etree._Element) -> bool:
    """Does a cell say anything, or reckon anything?"""
    return any(child.tag in (q("v"), q("f"), q("is")) for child in found)


def merges(sheet: SheetPart) -> list[Area]:
    """The merged cells of a sheet."""
    return [found for merge in sheet.tree.iter(q("mergeCell")) if (found := area(merge.get("ref", "")))]
