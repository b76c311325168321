"""Edits a register's workbook in place: touched cells and what depends on them, and nothing else.

Bytes in, bytes out. Every part of the file that is not touched keeps its very bytes; text is written as
text, so that no mail or form can put a formula into a cell. What cannot be done safely is refused in a
sentence before anything is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from lxml import etree

from agent.errors import ChangedMeanwhile, NeedsAPerson
from agent.procedure.rules import Column
from agent.register.addresses import cell
from agent.register.base import Changes
from agent.register.cells import reference_key, same, shown, tidy
from agent.register.growth import Growth, has_content, merges
from agent.register.package import Package, q, relationships_of
from agent.register.workbook import Placed, Workbook, most_common
from agent.register.writing import look_of, put

_LOOKS_AT = 20  # rows above a new one that decide what its cells look like
_ADDRESS = re.compile(r"\$?\b[A-Z]{1,3}\$?\d+\b")
_NAMED_OR_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]')
_FORMULA = re.compile(rb"<(\w+:)?f[ >/]")
_AFTER_CALC = (  # elements that stand behind `calcPr` in a workbook part
    *("oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr", "smartTagTypes"),
    *("webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst"),
)


def edit(content: bytes, columns: Sequence[Column], desk: str, changes: Changes) -> bytes:
    """The workbook with `changes` in it; the very same bytes when they stand there already.

    ChangedMeanwhile when a row to be changed is not there; NeedsAPerson when the workbook cannot be
    edited safely. References that stand there twice are not written, and none gets a second row.
    """
    book = Workbook(content, columns, desk)
    editor = _Editor(book)
    for reference, cells in changes.cells.items():
        editor.update(reference, cells)
    new_rows = {editor.key(row): row for row in changes.new_rows}
    editor.append([row for key, row in new_rows.items() if not book.rows_of(key)])
    return editor.finished() if editor.touched else content


class _Editor:
    """One edit of one workbook. Trees are changed as asked; parts are replaced only in `finished`."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.placed = {placed.column.heading: placed for placed in book.columns}
        self.touched = False
        self._table_changed = False
        self._workbook_changed = False
        self._formula_gone = False
        self._merges = merges(book)

    def key(self, row: Mapping[str, str]) -> str:
        return reference_key(row.get(self.book.reference.column.heading, ""))

    # Rows that are there

    def update(self, reference: str, cells: Mapping[str, str]) -> None:
        """Put these values into the row of `reference`."""
        rows = self.book.rows_of(reference_key(reference))
        if not rows:
            raise ChangedMeanwhile(f"The register has no row for {shown(reference)} any more.")
        if reference_key(reference) not in self.book.recognised.unsure:
            for placed, value in self._placed_values(cells):
                self._set(placed, rows[0], value)

    def _placed_values(self, cells: Mapping[str, str]) -> Iterator[tuple[Placed, str]]:
        """Values with their columns; a heading that the table does not have is left out."""
        for heading, value in cells.items():
            if heading in self.placed:
                yield self.placed[heading], value

    def _set(self, placed: Placed, row: int, value: str) -> None:
        value = tidy(placed.column, value)
        if same(placed.column, self.book.text(placed, row), value):
            return
        self._refuse_merged(placed.index, row)
        found = self._cell(placed.index, row)
        self._take_formula_away(found)
        put(found, placed.column, value, self.book.values)
        self._fit_height(row)
        self.touched = True

    def _refuse_merged(self, column: int, row: int) -> None:
        for merged in self._merges:
            if merged.holds(column, row) and (column, row) != (merged.left, merged.top):
                raise NeedsAPerson(
                    f"Cell {cell(column, row)} of the register is merged with others, "
                    "so it cannot be written. Unmerge the cells."
                )

    def _cell(self, column: int, row: int) -> etree._Element:
        """The cell's element, made where the sheet has none."""
        element = self._row(row)
        cells = self.book.cells(row)
        if column not in cells:
            element.attrib.pop("spans", "")  # optional, and no longer true
            new = etree.Element(q("c"), r=cell(column, row))
            _put_in_order(new, column, cells, element)
        return cells[column]

    def _row(self, row: int) -> etree._Element:
        """The row's element, made where the sheet has none."""
        rows = self.book.rows
        if row not in rows:
            new = etree.Element(q("row"), r=str(row))
            _put_in_order(new, row, rows, self._data())
        return rows[row]

    def _data(self) -> etree._Element:
        data = self.book.sheet.find(q("sheetData"))
        if data is None:  # the table's headings were read from it
            raise NeedsAPerson("The register's sheet is empty. Restore an earlier version in SharePoint.")
        return data

    def _take_formula_away(self, found: etree._Element) -> None:
        formula = found.find(q("f"))
        if formula is None:
            return
        shares = formula.get("ref") is not None or formula.get("t") in ("array", "dataTable")
        if shares and formula.get("ref", found.get("r")) != found.get("r"):
            raise NeedsAPerson(
                f"Cell {found.get('r')} of the register holds a formula that other cells share, in a column "
                "that the agent keeps. Clear the formulas in this column."
            )
        self._formula_gone = True

    def _fit_height(self, row: int) -> None:
        """Make the row as high as its text needs, unless a person set its height."""
        element = self.book.rows[row]
        if element.get("customHeight") in ("1", "true"):
            return
        lines = [1, *(self._lines(placed, row) for placed in self.book.columns)]
        element.set("ht", f"{min(409.0, 12.75 * max(lines) + 2.25):g}")

    def _lines(self, placed: Placed, row: int) -> int:
        """How many lines a cell's text takes in its column, roughly."""
        found = self.book.cell(placed.index, row)
        if found is None or not self.book.values.styles.wraps(look_of(found)):
            return 1
        wide = max(1.0, self.book.widths[placed.index])
        text = self.book.values.text(found, placed.column)
        return sum(max(1, math.ceil(len(line) * 0.9 / wide)) for line in text.split("\n"))

    # New rows

    def append(self, new_rows: Sequence[Mapping[str, str]]) -> None:
        """Add rows at the end of the table, the empty ones at its end first."""
        if not new_rows:
            return
        first = self._first_free_row()
        last = first + len(new_rows) - 1
        looks, formulas = self._usual_looks(first), self._column_formulas()
        growth = Growth(self.book, last)
        growth.refuse_if_in_the_way()
        for number, values in enumerate(new_rows, first):
            self._new_row(number, values, looks, formulas)
        self._workbook_changed |= growth.grow()
        self._table_changed = growth.needed
        self.touched = True

    def _first_free_row(self) -> int:
        """Where the table's empty rows at its end begin; formulas that people filled down don't count."""
        row = self.book.last_row
        while row >= self.book.first_row and self._is_free(row):
            row -= 1
        return row + 1

    def _is_free(self, row: int) -> bool:
        there = (self.book.cell(placed.index, row) for placed in self.book.columns)
        return not any(
            has_content(found) and found.find(q("f")) is None for found in there if found is not None
        )

    def _usual_looks(self, below: int) -> dict[int, str]:
        """What most of the last rows look like in each column: one row in yellow makes no fashion."""
        rows = range(max(self.book.first_row, below - _LOOKS_AT), max(below, self.book.first_row + 1))
        usual = {}
        for placed in self.book.columns:
            cells = (self.book.cell(placed.index, row) for row in rows)
            look = most_common(found.get("s", "0") for found in cells if found is not None)
            if look is not None:
                usual[placed.index] = look
        return usual

    def _column_formulas(self) -> dict[int, str]:
        """Formulas that people gave a whole column and that are true in any row."""
        found = {}
        for index, column in enumerate(self.book.table.iter(q("tableColumn")), self.book.area.left):
            formula = column.findtext(q("calculatedColumnFormula"))
            if formula and not _ADDRESS.search(_NAMED_OR_QUOTED.sub("", formula)):
                found[index] = formula
        return found

    def _new_row(
        self, row: int, values: Mapping[str, str], looks: Mapping[int, str], formulas: Mapping[int, str]
    ) -> None:
        for placed in self.book.columns:
            self._refuse_merged(placed.index, row)
            found = self._cell(placed.index, row)
            if placed.index in looks and "s" not in found.attrib:
                found.set("s", looks[placed.index])
            value = tidy(placed.column, values.get(placed.column.heading, ""))
            if value:
                put(found, placed.column, value, self.book.values)
            elif placed.index in formulas and not has_content(found):
                etree.SubElement(found, q("f")).text = formulas[placed.index]
        self._fit_height(row)

    # The end

    def finished(self) -> bytes:
        """The file with all that was touched."""
        book, package = self.book, self.book.package
        if book.values.styles.changed and book.values.styles_part:
            package.replace(book.values.styles_part, book.values.styles.root)
        if self._formula_gone:
            self._forget_calculation_chain(package)
        package.replace(book.sheet_part, book.sheet)
        if self._table_changed:
            package.replace(book.table_part, book.table)
        if self._has_formulas() and self._calculate_on_opening():
            self._workbook_changed = True
        if self._workbook_changed:
            package.replace(book.workbook_part, book.workbook)
        return package.content()

    def _has_formulas(self) -> bool:
        package = self.book.package
        sheets = (part for _, kind, part in package.related(self.book.workbook_part) if kind == "worksheet")
        return any(_FORMULA.search(package.read(part)) for part in sheets)

    def _calculate_on_opening(self) -> bool:
        """Results that Excel kept may be stale now: it is asked to work them out. True when that is news."""
        root = self.book.workbook
        calc = root.find(q("calcPr"))
        if calc is None:
            calc = etree.Element(q("calcPr"))
            later = [found for found in root if found.tag in map(q, _AFTER_CALC)]
            if later:
                later[0].addprevious(calc)
            else:
                root.append(calc)
        news = calc.get("fullCalcOnLoad") != "1"
        calc.set("fullCalcOnLoad", "1")
        return news

    def _forget_calculation_chain(self, package: Package) -> None:
        """A formula is gone: the chain that lists it goes too; Excel makes it anew."""
        chain = package.first_related(self.book.workbook_part, "calcChain")
        if chain is None:
            return
        links = relationships_of(self.book.workbook_part)
        for part, attribute in (("[Content_Types].xml", "PartName"), (links, "Target")):
            root = package.xml(part)
            for found in [found for found in root if found.get(attribute, "").endswith("calcChain.xml")]:
                root.remove(found)
            package.replace(part, root)
        package.drop(chain)


def _put_in_order(
    new: etree._Element, number: int, among: dict[int, etree._Element], parent: etree._Element
) -> None:
    """Put a row or cell behind the one that comes before it."""
    before = number - 1 if number - 1 in among else max((n for n in among if n < number), default=None)
    if before is None:
        parent.insert(0, new)
    else:
        among[before].addnext(new)
    among[number] = new
