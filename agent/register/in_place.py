"""Edits a register's workbook in place: touched cells and what depends on them, and nothing else.

Bytes in, bytes out. Every part of the file that is not touched keeps its very bytes; text is written as
text, so that no mail or form can put a formula into a cell. What cannot be done safely is refused in a
sentence before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from textwrap import wrap

from lxml import etree
from openpyxl.formula.translate import Translator

from agent.errors import ChangedMeanwhile, NeedsAPerson
from agent.procedure.rules import Column
from agent.register.addresses import area, cell
from agent.register.base import Changes
from agent.register.cells import moment_text, number_text, reference_key, same, shown, tidy
from agent.register.growth import Growth, has_content, merges
from agent.register.own_sheets import bring_in, own_sheet
from agent.register.package import CONTENT_TYPES, Package, q, relationships_of
from agent.register.properties import MARK, set_property
from agent.register.sheet_part import has_formulas
from agent.register.workbook import (
    ADDRESS,
    NAMED_OR_QUOTED,
    TABLE,
    LastReading,
    Placed,
    SheetTable,
    Workbook,
    most_common,
)
from agent.register.writing import look_of, put

_WIDER = 1.1  # characters of a cell's usual text in the width of one of the workbook's own font
_LOOKS_AT = 20  # rows above a new one that decide what its cells look like
_AFTER_CALC = (  # elements that stand behind `calcPr` in a workbook part
    *("oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr", "smartTagTypes"),
    *("webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst"),
)


@dataclass(frozen=True)
class Rows:
    """Rows to write into the table of this name.

    New rows go to its end or, with `into_gaps`, first into rows that were emptied.
    """

    columns: Sequence[Column]
    changes: Changes
    table: str = TABLE
    into_gaps: bool = False
    last: LastReading | None = None


@dataclass(frozen=True)
class Cells:
    """Cells to write by their address, such as `B4`, on a sheet of the agent's own."""

    sheet: str
    values: Mapping[str, str | int | float | date] = field(repr=False)


@dataclass(frozen=True)
class NewSheet:
    """A sheet of the agent's own that shall be in the workbook; nothing happens where it is there.

    `made` gives a workbook that holds it under the name it is told: another, where a person has a sheet
    of that name already.
    """

    sheet: str
    made: Callable[[str], bytes]


Edit = Rows | Cells | NewSheet


def edit(
    content: bytes,
    columns: Sequence[Column],
    desk: str,
    changes: Changes,
    also: Sequence[Edit] = (),
    mark: str = "",
    last: LastReading | None = None,
) -> bytes:
    """The workbook with `changes` in its register and whatever is `also` asked, in this order; the very same
    bytes when all of it stands there already. A `mark` is kept in it where anything else was written. With
    the `last` reading of the register its rows are found sooner.

    ChangedMeanwhile when a row to be changed is not there; NeedsAPerson when the workbook cannot be
    edited safely. References that stand there twice are not written, and none gets a second row.
    """
    editing = _Editing(Workbook(content, desk))
    for one in (Rows(columns, changes, last=last), *also):
        editing.carry_out(one)
    if not editing.touched:
        return content
    if mark:
        set_property(editing.workbook.package, MARK, mark)
    return editing.finished()


class _Editing:
    """One edit of one workbook. Trees are changed as asked; parts are replaced only in `finished`."""

    def __init__(self, workbook: Workbook) -> None:
        self.workbook = workbook
        self.touched = False
        self.formula_gone = False

    def carry_out(self, one: Edit) -> None:
        if isinstance(one, Rows):
            self._write_rows(one)
        elif isinstance(one, Cells):
            self._write_cells(one)
        elif own_sheet(self.workbook, one.sheet) is None:
            bring_in(self.workbook, one.sheet, one.made)
            self.touched = True

    def _write_rows(self, wanted: Rows) -> None:
        if not wanted.changes:
            return
        table = self.workbook.table(wanted.columns, wanted.table, wanted.last)
        editor = _TableEditor(self, table)
        for reference, cells in wanted.changes.cells.items():
            editor.update(reference, cells)
        editor.empty(wanted.changes.gone)
        new_rows = {editor.key(row): row for row in wanted.changes.new_rows}
        editor.add(
            [row for key, row in new_rows.items() if not table.rows_of(key)], into_gaps=wanted.into_gaps
        )

    def _write_cells(self, wanted: Cells) -> None:
        part = own_sheet(self.workbook, wanted.sheet)
        if part is None:
            raise NeedsAPerson(f"The workbook has no sheet “{wanted.sheet}” of the agent's own any more.")
        sheet, values = self.workbook.sheet(part), self.workbook.values
        for address, value in wanted.values.items():
            place = area(address)
            if place is None:
                raise ValueError(f"{address} is no address of a cell")
            column = Column("", "agent", format=_format_of(value))
            text = tidy(column, value if isinstance(value, str) else _text_of(value))
            there = sheet.cells(place.top).get(place.left)
            if not same(column, "" if there is None else values.text(there, column), text):
                self.put(sheet.cell(place.left, place.top), column, text)

    def put(self, found: etree._Element, column: Column, text: str) -> None:
        """Write one cell."""
        self._take_formula_away(found)
        put(found, column, text, self.workbook.values)
        self.touched = True

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
        self.formula_gone = True

    # The end

    def finished(self) -> bytes:
        """The file with all that was touched."""
        package = self.workbook.package
        if self.formula_gone:
            self._forget_calculation_chain(package)
        self._calculate_on_opening()
        self.workbook.save()
        return package.content()

    def _calculate_on_opening(self) -> None:
        """Results that Excel kept may be stale now: it is asked to work them out."""
        root = self.workbook.root
        calc = root.find(q("calcPr"))
        if (calc is not None and calc.get("fullCalcOnLoad") == "1") or not self._has_formulas():
            return
        if calc is None:
            calc = etree.Element(q("calcPr"))
            later = [found for found in root if found.tag in map(q, _AFTER_CALC)]
            if later:
                later[0].addprevious(calc)
            else:
                root.append(calc)
        calc.set("fullCalcOnLoad", "1")

    def _has_formulas(self) -> bool:
        opened = {sheet.part: sheet for sheet in self.workbook.opened()}
        package = self.workbook.package
        return any(
            opened[part].has_formulas if part in opened else has_formulas(package.read(part))
            for _, part in self.workbook.worksheets()
        )

    def _forget_calculation_chain(self, package: Package) -> None:
        """A formula is gone: the chain that lists it goes too; Excel makes it anew."""
        chain = package.first_related(self.workbook.part, "calcChain")
        if chain is None:
            return
        links = relationships_of(self.workbook.part)
        for part, attribute in ((CONTENT_TYPES, "PartName"), (links, "Target")):
            root = package.xml(part)
            for found in [found for found in root if found.get(attribute, "").endswith("calcChain.xml")]:
                root.remove(found)
            package.replace(part, root)
        package.drop(chain)


class _TableEditor:
    """Writes the rows of one table."""

    def __init__(self, editing: _Editing, table: SheetTable) -> None:
        self.editing, self.table, self.values = editing, table, table.values
        self.placed = {placed.column.heading: placed for placed in table.columns}
        self._merges = merges(table.sheet)

    def key(self, row: Mapping[str, str]) -> str:
        return reference_key(row.get(self.table.reference.column.heading, ""))

    # Rows that are there

    def update(self, reference: str, cells: Mapping[str, str]) -> None:
        """Put these values into the row of `reference`."""
        rows = self.table.rows_of(reference_key(reference))
        if not rows:
            raise ChangedMeanwhile(f"The register has no row for {shown(reference)} any more.")
        if reference_key(reference) not in self.table.recognised.unsure:
            self._write(rows[0], list(self._placed_values(cells)))

    def _placed_values(self, cells: Mapping[str, str]) -> Iterator[tuple[Placed, str]]:
        """Values with their columns; a heading that the table does not have is left out."""
        for heading, value in cells.items():
            if heading in self.placed:
                yield self.placed[heading], value

    def _write(self, row: int, values: Sequence[tuple[Placed, str]]) -> None:
        changed = False
        for placed, value in values:
            text = tidy(placed.column, value)
            if not same(placed.column, self.table.text(placed, row), text):
                self._refuse_merged(placed.index, row)
                self.editing.put(self.table.sheet.cell(placed.index, row), placed.column, text)
                changed = True
        if changed:
            self._fit_height(row)

    def _refuse_merged(self, column: int, row: int) -> None:
        for merged in self._merges:
            if merged.holds(column, row) and (column, row) != (merged.left, merged.top):
                raise NeedsAPerson(
                    f"Cell {cell(column, row)} of the register is merged with others, "
                    "so it cannot be written. Unmerge the cells."
                )

    def _fit_height(self, row: int) -> None:
        """Make the row as high as its text needs, unless a person set its height."""
        element = self.table.sheet.row(row)
        if element.get("customHeight") in ("1", "true"):
            return
        lines = [1, *(self._lines(placed, row) for placed in self.table.columns)]
        element.set("ht", f"{min(409.0, 12.75 * max(lines) + 2.25):g}")

    def _lines(self, placed: Placed, row: int) -> int:
        """How many lines a cell's text takes in its column, roughly."""
        found = self.table.cell(placed.index, row)
        if found is None or not self.values.styles.wraps(look_of(found)):
            return 1
        wide = max(1, int(self.table.widths[placed.index] * _WIDER))
        text = self.values.text(found, placed.column)
        return sum(1 if len(line) <= wide else len(wrap(line, wide)) for line in text.split("\n"))

    def empty(self, references: Iterable[str]) -> None:
        """Leave nothing in the rows of `references`; a row that may be another's stays."""
        for key in {reference_key(reference) for reference in references} - self.table.recognised.unsure:
            for row in self.table.rows_of(key):
                self._write(row, [(placed, "") for placed in self.table.columns])

    # New rows

    def add(self, new_rows: Sequence[Mapping[str, str]], *, into_gaps: bool) -> None:
        """Add rows at the end of the table, the empty ones at its end first."""
        if not new_rows:
            return
        first = self._first_free_row()
        gaps = [row for row in range(self.table.first_row, first) if self._is_free(row)] if into_gaps else []
        places = [*gaps, *range(first, first + len(new_rows))][: len(new_rows)]
        looks, formulas = self._usual_looks(first), self._column_formulas()
        growth = Growth(self.table, places[-1])
        growth.refuse_if_in_the_way()
        growth.make_room()
        for number, values in zip(places, new_rows, strict=True):
            self._new_row(number, values, looks, formulas)
        growth.grow()
        self.editing.touched = True

    def _first_free_row(self) -> int:
        """Where the table's empty rows at its end begin; formulas that people filled down don't count."""
        row = self.table.last_row
        while row >= self.table.first_row and self._is_free(row):
            row -= 1
        return row + 1

    def _is_free(self, row: int) -> bool:
        there = (self.table.cell(placed.index, row) for placed in self.table.columns)
        return not any(
            has_content(found) and found.find(q("f")) is None for found in there if found is not None
        )

    def _usual_looks(self, below: int) -> dict[int, str]:
        """What most of the last rows look like in each column: one row in yellow makes no fashion."""
        rows = range(max(self.table.first_row, below - _LOOKS_AT), max(below, self.table.first_row + 1))
        usual = {}
        for placed in self.table.columns:
            cells = (self.table.cell(placed.index, row) for row in rows)
            look = most_common(found.get("s", "0") for found in cells if found is not None)
            if look is not None:
                usual[placed.index] = look
        return usual

    def _column_formulas(self) -> dict[int, str]:
        """Formulas that people gave a whole column and that are true in any row."""
        found = {}
        for index, column in enumerate(self.table.root.iter(q("tableColumn")), self.table.area.left):
            formula = column.findtext(q("calculatedColumnFormula"))
            if formula and not ADDRESS.search(NAMED_OR_QUOTED.sub("", formula)):
                found[index] = formula
        return found

    def _filled_down(self, column: int, row: int) -> str:
        """The formula that people filled down to the row above, as it reads here; "" where there is none.

        One that does not go on from the row before that is no column's but one cell's.
        """
        one, two = (self._formula(column, number) for number in (row - 1, row - 2))
        above, here = cell(column, row - 1), cell(column, row)
        if not one or not two or _translated(two, cell(column, row - 2), above) != one:
            return ""
        return _translated(one, above, here).removeprefix("=")

    def _formula(self, column: int, row: int) -> str:
        """A cell's formula with its equals sign, also where it shares that of another; else ""."""
        found = self.table.cell(column, row) if row >= self.table.first_row else None
        formula = None if found is None else found.find(q("f"))
        if formula is None or formula.get("t", "shared") != "shared":
            return ""
        if formula.text:
            return f"={formula.text}"
        origin, text = self.table.sheet.shared_formula(formula.get("si", ""))
        return _translated(f"={text}", origin, cell(column, row)) if text else ""

    def _new_row(
        self, row: int, values: Mapping[str, str], looks: Mapping[int, str], formulas: Mapping[int, str]
    ) -> None:
        for placed in self.table.columns:
            self._refuse_merged(placed.index, row)
            found = self.table.sheet.cell(placed.index, row)
            if placed.index in looks and "s" not in found.attrib:
                found.set("s", looks[placed.index])
            value = tidy(placed.column, values.get(placed.column.heading, ""))
            if value:
                put(found, placed.column, value, self.values)
            elif not has_content(found) and (
                formula := formulas.get(placed.index) or self._filled_down(placed.index, row)
            ):
                etree.SubElement(found, q("f")).text = formula
        self._fit_height(row)


def _translated(formula: str, origin: str, place: str) -> str:
    """A formula with its addresses as they read in another cell."""
    return str(Translator(formula, origin).translate_formula(place))


def _format_of(value: str | int | float | date) -> str:
    if isinstance(value, datetime):
        return "datetime"
    if isinstance(value, date):
        return "date"
    return "text" if isinstance(value, str) else "number"


def _text_of(value: float | date) -> str:
    return moment_text(value) if isinstance(value, date) else number_text(float(value))
