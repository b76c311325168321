"""Tables whose first row or column heads the others: a row for each update, a column for each child."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.forms.answers import typed
from agent.forms.claims import RIGHT, UNDER_HEADING, Claims, use
from agent.forms.definition import FormTable
from agent.forms.labels import Match, Meaning, key
from agent.forms.questions import Questions
from agent.forms.sheet import covering
from agent.forms.units import Cell

_NUMBER, _NUMBERS = re.compile(r"\d{0,2}[.)]?"), frozenset(("", "no", "number", "update no"))
_FEWEST_COLUMNS = 3  # of a label's cell and two children
_MOST = 0.6  # how many of a row's cells have to be headings

Row = Sequence[Cell]
Told = Sequence[tuple[Row, Meaning]]


class HeadingRows:
    """Reads such tables, each from the cell that begins its headings."""

    def __init__(self, asked: Questions, claims: Claims) -> None:
        self._asked = asked
        self._sheet = asked.sheet
        self._claims = claims
        self._rows_seen: set[tuple[int, int]] = set()
        # the form's table and the document's whose headings had one row below: more headings go on with it
        self._one_row: tuple[FormTable | None, int] | None = None

    def read(self, cell: Cell) -> bool:
        """Whether `cell` begins the headings of a table, which then is taken down."""
        return self._heading_row(cell) or self._side_by_side(cell)

    # --- a row of headings ---

    def _heading_row(self, cell: Cell) -> bool:
        if (cell.table, cell.top) in self._rows_seen:
            return False
        self._rows_seen.add((cell.table, cell.top))
        row = self._sheet.row_of(cell)
        if sum(bool(self._sheet.text_of(other)) for other in row) < 2:
            return False  # most rows: a label and its control
        for name in self._asked.book.definition.tables:
            columns = self._headings(row, name)
            if columns:
                self._rows_below(cell, columns)
                return True
        return False

    def _headings(self, row: Row, table: str) -> list[tuple[Cell, Meaning]]:
        """The columns that the cells of `row` head, if that is what they do."""
        said = [(cell, self._sheet.text_of(cell) if self._sheet.is_plain(cell) else "") for cell in row]
        found = [
            (cell, meaning)
            for cell, text in said
            if text and (meaning := self._asked.book.column(table, text))
        ]
        if found and not self._is_table(found):
            return []
        names = {meaning.field.name for _, meaning in found}
        filled = sum(bool(text) for _, text in said)
        enough = (
            len(found) >= 2
            and len(names) == len(found)
            and len(found) >= _MOST * len(row)
            and len(found) >= _MOST * filled
        )
        return found if enough else []

    def _is_table(self, found: Sequence[tuple[Cell, Meaning]]) -> bool:
        """Whether labels head a table: not where all of them are questions of the section they stand in."""
        if found[0][1].section is self._asked.section:
            return True
        singly = [self._asked.exactly(self._sheet.text_of(cell)) for cell, _ in found]
        return not all(match and match.meaning.table is None for match in singly)

    def _rows_below(self, begins: Cell, columns: list[tuple[Cell, Meaning]]) -> None:
        rows, headings = self._sheet.tables[begins.table], self._sheet.row_of(begins)
        self._claims.label_cells.update(map(id, headings))
        for cell, _ in columns:
            use(self._sheet.lines_in(cell))
        read = (columns[0][1].table, begins.table)
        goes_on, count = self._one_row == read, 0
        for row in rows[begins.top + 1 :]:
            if self._stops_rows(row):
                break
            self._rows_seen.update((cell.table, cell.top) for cell in row)
            self._use_number(headings[0], row[0])
            first = True
            for head, meaning in columns:
                under = covering(row, head)
                lines = self._sheet.lines_in(under) if under else []
                self._claims.new_row = first and not goes_on
                first = False
                label = self._sheet.text_of(head)
                self._claims.claim(Match(meaning, 1.0), label, lines, UNDER_HEADING, under or head)
            goes_on, count = False, count + 1
        self._one_row = read if count == 1 else None
        self._claims.new_row = count != 1

    def _use_number(self, head: Cell, cell: Cell) -> None:
        """The number of a row is the form's own."""
        if _NUMBER.fullmatch(self._sheet.text_of(cell)) and key(self._sheet.text_of(head)) in _NUMBERS:
            use((*self._sheet.lines_in(head), *self._sheet.lines_in(cell)))

    def _stops_rows(self, row: Row) -> bool:
        """A heading, or a row that asks something else, ends the rows."""
        if not row:
            return True
        text, is_label = self._sheet.text_of(row[0]), self._asked.is_pure_label
        if self._asked.book.heading(text) is not None or self._asked.book.row_heading(text) is not None:
            return True
        if (said := [cell for cell in row if self._sheet.text_of(cell)]) and all(map(is_label, said)):
            return True
        return len(row) > 1 and is_label(row[0]) and not is_label(row[1])

    # --- a column for each child ---

    def _side_by_side(self, cell: Cell) -> bool:
        """Whether `cell` begins rows of labels with a column for each child; then each column is read down.

        Only where two columns at least hold an answer of the label's kind: a date of birth each."""
        if len(self._sheet.row_of(cell)) < _FEWEST_COLUMNS:
            return False
        rows = self._sheet.tables[cell.table][cell.top :]
        for name, table in self._asked.book.definition.tables.items():
            if table.shape != "blocks":
                continue
            asked = [
                (row, self._asked.book.column(name, self._sheet.text_of(row[0]))) for row in self._alike(rows)
            ]
            told = [(row, meaning) for row, meaning in asked if meaning]
            if len(told) < 2 or len(told) < len(asked) - 1 or told[0][0][0] is not cell:
                continue
            columns = range(1, len(told[0][0]))
            if sum(self._dated(told, column) for column in columns) < 2:
                continue
            for column in columns:
                self._claims.new_row = True
                for row, meaning in told:
                    label, at = self._sheet.text_of(row[0]), row[column]
                    self._claims.claim(Match(meaning, 1.0), label, self._sheet.lines_in(at), RIGHT, at)
            use(line for row, _ in told for line in self._sheet.lines_in(row[0]))
            self._claims.new_row = True
            return True
        return False

    def _alike(self, rows: Sequence[Row]) -> Iterator[Row]:
        """The rows from the first on that have as many cells, none but the first of them a label."""
        for row in rows:
            if len(row) != len(rows[0]) or any(map(self._asked.is_label, row[1:])):
                return
            yield row

    def _dated(self, told: Told, column: int) -> bool:
        """Whether what stands in a column is a date wherever its label asks for one."""
        dates = [
            typed(meaning.field, [line.units for line in self._sheet.lines_in(row[column])]).value
            for row, meaning in told
            if meaning.field.type in ("date", "datetime")
        ]
        return bool(dates) and all(dates)
