"""What else in a workbook reaches down to the last row of a table that grows, and goes down with it:
formulas, names, charts, what pivot tables count, and the drawings that stand below.

As in Excel, a range goes down that covers all of the table's rows. One that begins further down is
somebody's choice of rows and stays. A range that names the table itself needs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from xml.sax.saxutils import escape

from lxml import etree
from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token, TokenizerError

from agent.register.addresses import Area, area
from agent.register.package import q
from agent.register.workbook import SheetTable, Workbook, quoted

_NUMBER = re.compile(r"\d+")
_RANGE = re.compile(
    r"(?P<sheet>(?:'(?:[^']|'')+'|[^'!\[\]]+)!)?"
    r"(?P<first>\$?[A-Z]{1,3}(?P<fixed>\$?)\d+)(?P<last>:\$?[A-Z]{1,3}(?P<fixed_too>\$?)\d+)?"
)
_DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"


@dataclass(frozen=True)
class Reach:
    """Rows of a table on the sheet of this name: `rows`, which go down to the row `new_last`."""

    sheet: str
    rows: Area
    new_last: int

    def grown(self, sheet: str, formula: str, filled: bool = False, lone: bool = False) -> str:
        """A formula as it reads on `sheet` once the table has grown.

        `filled`: it is meant for many cells, in each of which addresses without $ read otherwise, so that
        only those with it count. `lone`: the only row of a table is taken for all of its rows.
        """
        if not any(self._near(int(number)) for number in _NUMBER.findall(formula)):
            return formula
        try:
            tokens = Tokenizer(f"={formula}").items
        except TokenizerError:
            return formula
        return "".join(
            self._operand(token.value, sheet, filled=filled, lone=lone)
            if token.subtype == Token.RANGE
            else token.value
            for token in tokens
        )

    def _near(self, row: int) -> bool:
        return self.rows.bottom <= row < self.new_last

    def _operand(self, text: str, sheet: str, *, filled: bool, lone: bool) -> str:
        found = _RANGE.fullmatch(text)
        if found is None or not (found["last"] or lone):
            return text
        there = area(found["first"] + (found["last"] or ""))
        named = (found["sheet"] or f"{sheet}!")[:-1].casefold()
        loose = filled and not (found["fixed"] and found["fixed_too"])
        if there is None or loose or named not in (self.sheet.casefold(), quoted(self.sheet).casefold()):
            return text
        if there.top > self.rows.top or not self._near(there.bottom) or not there.meets(self.rows):
            return text
        last = found["last"] or f":{found['first']}"
        return f"{found['sheet'] or ''}{found['first']}{_NUMBER.sub(str(self.new_last), last)}"


def grow_dependants(table: SheetTable, new_last: int) -> None:
    """Let whatever covers all the rows of `table` go down to `new_last` with it."""
    rows = Area(table.area.left, table.first_row, table.area.right, table.last_row)
    workbook, reach = table.workbook, Reach(table.sheet_name, rows, new_last)
    _grow_cells(workbook, table, reach)
    for name in workbook.root.iter(q("definedName")):
        if name.text:
            name.text = reach.grown("", name.text)
    for part in workbook.package.of_kind("drawingml.chart+xml", "chartex+xml"):
        for found in workbook.tree(part).iter("{*}f"):
            if found.text:
                found.text = reach.grown("", found.text, lone=True)
    for part in workbook.package.of_kind("pivotCacheDefinition+xml"):
        for source in workbook.tree(part).iter(q("worksheetSource")):
            if source.get("ref"):
                source.set("ref", reach.grown(source.get("sheet", ""), source.get("ref", "")))
    _move_drawings(table, new_last - table.last_row)


def _grow_cells(workbook: Workbook, table: SheetTable, reach: Reach) -> None:
    """The formulas in cells, conditional formats, checks and sparklines of all sheets."""
    spelt = re.escape(escape(reach.sheet.replace("'", "''")).encode())
    named = re.compile(spelt + b"(?:'|&apos;|&#39;)?!")
    for name, part in workbook.worksheets():
        if part == table.sheet.part:
            table.sheet.reword(partial(reach.grown, name), table.area)
        elif named.search(workbook.package.read(part)):
            workbook.sheet(part).reword(partial(reach.grown, name))


def _move_drawings(table: SheetTable, down: int) -> None:
    """Pictures and charts below the table keep their distance to it, unless they are not to move."""
    for found in _below(table):
        for row in (*found.iterfind(f"{_DRAWN}from/{_DRAWN}row"), *found.iterfind(f"{_DRAWN}to/{_DRAWN}row")):
            row.text = str(int(row.text or "0") + down)


def _below(table: SheetTable) -> Iterator[etree._Element]:
    package, under = table.workbook.package, table.area.bottom
    for _, kind, part in package.related(table.sheet.part):
        for found in table.workbook.tree(part) if kind == "drawing" else ():
            there = anchored(found)
            if there is None or found.get("editAs") == "absolute":
                continue
            if there.top > under and there.left <= table.area.right and there.right >= table.area.left:
                yield found


def anchored(found: etree._Element) -> Area | None:
    """The cells that something drawn covers; only the first where it has no other corner."""
    corners = [
        (int(one.findtext("{*}col", "0")) + 1, int(one.findtext("{*}row", "0")) + 1)
        for name in ("from", "to")
        for one in found.iterfind(f"{{*}}{name}")
    ]
    return Area(*corners[0], *corners[-1]) if corners else None
