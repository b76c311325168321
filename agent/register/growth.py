"""A table that gets rows at its end: what may be in the way, and what has to grow with it."""

from __future__ import annotations

from lxml import etree

from agent.errors import NeedsAPerson
from agent.register.addresses import LAST_ROW, Area, area, grown, letters
from agent.register.package import q
from agent.register.sheet_part import SheetPart
from agent.register.workbook import SheetTable

_X14 = "http://schemas.microsoft.com/office/excel/2006/main"
_COVERING = ("conditionalFormatting", "dataValidation", "ignoredError", "protectedRange")


class Growth:
    """A table going down to the row `last`. Nothing happens where it is that long."""

    def __init__(self, table: SheetTable, last: int) -> None:
        self.table, self.last = table, last
        self.needed = last > table.last_row

    def refuse_if_in_the_way(self) -> None:
        """Raise NeedsAPerson when the rows below the table are not free."""
        table = self.table
        if not self.needed:
            return
        if table.last_row < table.area.bottom:
            raise NeedsAPerson(
                "The register's table has a total row, so no row can be added. "
                "Switch it off (Table Design > Total Row)."
            )
        if self.last > LAST_ROW:
            raise NeedsAPerson("The register's sheet is full. Move concluded rows to another workbook.")
        below = Area(table.area.left, table.area.bottom + 1, table.area.right, self.last)
        if self._taken(below):
            raise NeedsAPerson(
                f"Something stands right below the register's table (rows {below.top} to {below.bottom}), "
                "so no row can be added. Move it to another sheet, or into the table if it belongs there."
            )

    def _taken(self, below: Area) -> bool:
        sheet = self.table.sheet
        rows = (row for row in range(below.top, below.bottom + 1) if row in sheet)
        filled = [
            Area(column, row, column, row)
            for row in rows
            for column, found in sheet.cells(row).items()
            if has_content(found)
        ]
        return any(found.meets(below) for found in [*merges(sheet), *self._other_tables(), *filled])

    def _other_tables(self) -> list[Area]:
        package = self.table.workbook.package
        parts = [part for _, kind, part in package.related(self.table.sheet.part) if kind == "table"]
        others = [package.xml(part) for part in parts if part != self.table.part]
        return [found for other in others if (found := area(other.get("ref", "")))]

    def grow(self) -> None:
        """Let the table, and whatever covered its last row, go down."""
        if not self.needed:
            return
        table = self.table
        there, sheet = table.area, table.sheet.tree
        table.root.set("ref", str(Area(there.left, there.top, there.right, self.last)))
        for tree in (table.root, sheet):
            for found in tree.iter(q("autoFilter")):
                found.set("ref", self._grown(found.get("ref", "")))
        for found in sheet.iter(*map(q, _COVERING)):
            found.set("sqref", self._grown(found.get("sqref", "")))
        for found in sheet.iter(f"{{{_X14}}}sqref"):
            found.text = self._grown(found.text or "")
        self._grow_dimension()
        self._grow_names()

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

    def _grow_names(self) -> None:
        """Names such as the print area, where they cover the table."""
        sheet = self.table.sheet_name.replace("'", "''")
        for name in self.table.workbook.root.iter(q("definedName")):
            where, _, place = (name.text or "").rpartition("!")
            before = area(place)
            if where not in (sheet, f"'{sheet}'") or before is None:
                continue
            after = area(self._grown(str(before)))
            if after is not None and after != before:
                name.text = f"{where}!{_absolute(after)}"


def has_content(found: etree._Element) -> bool:
    """Does a cell say anything, or reckon anything?"""
    return any(child.tag in (q("v"), q("f"), q("is")) for child in found)


def merges(sheet: SheetPart) -> list[Area]:
    """The merged cells of a sheet."""
    return [found for merge in sheet.tree.iter(q("mergeCell")) if (found := area(merge.get("ref", "")))]


def _absolute(found: Area) -> str:
    first, last = f"${letters(found.left)}${found.top}", f"${letters(found.right)}${found.bottom}"
    return f"{first}:{last}"
