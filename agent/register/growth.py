"""A table that gets rows at its end: what may be in the way, and what has to grow with it."""

from __future__ import annotations

from lxml import etree

from agent.errors import NeedsAPerson
from agent.register.addresses import LAST_ROW, Area, area, grown, letters
from agent.register.package import q
from agent.register.workbook import Workbook

_X14 = "http://schemas.microsoft.com/office/excel/2006/main"
_COVERING = ("conditionalFormatting", "dataValidation", "ignoredError", "protectedRange")


class Growth:
    """The register's table going down to the row `last`. Nothing happens where it is that long."""

    def __init__(self, book: Workbook, last: int) -> None:
        self.book, self.last = book, last
        self.needed = last > book.last_row

    def refuse_if_in_the_way(self) -> None:
        """Raise NeedsAPerson when the rows below the table are not free."""
        book = self.book
        if not self.needed:
            return
        if book.last_row < book.area.bottom:
            raise NeedsAPerson(
                "The register's table has a total row, so no row can be added. "
                "Switch it off (Table Design > Total Row)."
            )
        if self.last > LAST_ROW:
            raise NeedsAPerson("The register's sheet is full. Move concluded rows to another workbook.")
        below = Area(book.area.left, book.area.bottom + 1, book.area.right, self.last)
        if self._taken(below):
            raise NeedsAPerson(
                f"Something stands right below the register's table (rows {below.top} to {below.bottom}), "
                "so no row can be added. Move it to another sheet, or into the table if it belongs there."
            )

    def _taken(self, below: Area) -> bool:
        rows = (row for number, row in self.book.rows.items() if below.top <= number <= below.bottom)
        filled = (area(found.get("r", "")) for row in rows for found in row if has_content(found))
        areas = [*merges(self.book), *self._other_tables(), *(found for found in filled if found)]
        return any(found.meets(below) for found in areas)

    def _other_tables(self) -> list[Area]:
        package = self.book.package
        parts = [part for _, kind, part in package.related(self.book.sheet_part) if kind == "table"]
        tables = [package.xml(part) for part in parts if part != self.book.table_part]
        return [found for table in tables if (found := area(table.get("ref", "")))]

    def grow(self) -> bool:
        """Let the table, and whatever covered its last row, go down. True when the workbook's names grew."""
        if not self.needed:
            return False
        book = self.book
        there = book.area
        book.table.set("ref", str(Area(there.left, there.top, there.right, self.last)))
        for tree in (book.table, book.sheet):
            for found in tree.iter(q("autoFilter")):
                found.set("ref", self._grown(found.get("ref", "")))
        for found in book.sheet.iter(*map(q, _COVERING)):
            found.set("sqref", self._grown(found.get("sqref", "")))
        for found in book.sheet.iter(f"{{{_X14}}}sqref"):
            found.text = self._grown(found.text or "")
        self._grow_dimension()
        return self._grow_names()

    def _grown(self, ranges: str) -> str:
        book = self.book
        return grown(ranges, first=book.first_row, old_last=book.last_row, new_last=self.last)

    def _grow_dimension(self) -> None:
        dimension = self.book.sheet.find(q("dimension"))
        there = area(dimension.get("ref", "")) if dimension is not None else None
        if dimension is None or there is None:
            return
        table = self.book.area
        left, right = min(there.left, table.left), max(there.right, table.right)
        whole = Area(left, min(there.top, table.top), right, max(there.bottom, self.last))
        dimension.set("ref", str(whole))

    def _grow_names(self) -> bool:
        """Names such as the print area, where they cover the table."""
        sheet = self.book.sheet_name.replace("'", "''")
        changed = False
        for name in self.book.workbook.iter(q("definedName")):
            where, _, place = (name.text or "").rpartition("!")
            before = area(place)
            if where not in (sheet, f"'{sheet}'") or before is None:
                continue
            after = area(self._grown(str(before)))
            if after is not None and after != before:
                name.text = f"{where}!{_absolute(after)}"
                changed = True
        return changed


def has_content(found: etree._Element) -> bool:
    """Does a cell say anything, or reckon anything?"""
    return any(child.tag in (q("v"), q("f"), q("is")) for child in found)


def merges(book: Workbook) -> list[Area]:
    """The merged cells of the sheet."""
    return [found for merge in book.sheet.iter(q("mergeCell")) if (found := area(merge.get("ref", "")))]


def _absolute(found: Area) -> str:
    first, last = f"${letters(found.left)}${found.top}", f"${letters(found.right)}${found.bottom}"
    return f"{first}:{last}"
