"""A document as it lies on the desk: lines in their cells, and what stands beside and below them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.forms.lines import Line
from agent.forms.units import Cell, Document

_TALLEST = 21  # rows that a merged cell is looked for beside another


class Sheet:
    """The lines of one document by their places. It knows nothing of what they mean."""

    def __init__(self, document: Document, lines: list[Line]) -> None:
        self.tables = document.tables
        self.lines = lines
        self._place = {id(line): index for index, line in enumerate(lines)}
        self._grid = {  # by table, row and first column
            (cell.table, row, cell.left): cell
            for cell in (cell for table in self.tables for cells in table for cell in cells)
            for row in range(cell.top, min(cell.bottom, cell.top + _TALLEST))
        }
        self._in_cell: dict[int, list[Line]] = {}
        for line in lines:
            if line.cell is not None:
                self._in_cell.setdefault(id(line.cell), []).append(line)
        self._texts: dict[int, str] = {}

    def after(self, line: Line) -> Iterator[Line]:
        """All lines of the document that come after `line`."""
        return (self.lines[index] for index in range(self._place[id(line)] + 1, len(self.lines)))

    def lines_in(self, cell: Cell) -> list[Line]:
        return self._in_cell.get(id(cell), [])

    def text_of(self, cell: Cell) -> str:
        """What a cell says in text, its lines one after the other."""
        text = self._texts.get(id(cell))
        if text is None:
            text = " ".join(line.text for line in self.lines_in(cell) if line.text)
            self._texts[id(cell)] = text
        return text

    def is_plain(self, cell: Cell) -> bool:
        """Whether a cell holds nothing but text."""
        return all(line.plain for line in self.lines_in(cell))

    def says(self, cell: Cell | None) -> bool:
        """Whether anything stands in a cell, or may stand there: an empty control."""
        return cell is not None and any(line.says or not line.plain for line in self.lines_in(cell))

    def row_of(self, cell: Cell) -> list[Cell]:
        """The row that a cell begins in."""
        return self.tables[cell.table][cell.top]

    def beside(self, cell: Cell, column: int) -> Cell | None:
        """The cell that begins at `column`, in the row that `cell` begins in."""
        return self._grid.get((cell.table, cell.top, column))

    def below(self, cell: Cell) -> Cell | None:
        rows = self.tables[cell.table]
        return covering(rows[cell.bottom], cell) if cell.bottom < len(rows) else None


def covering(row: Sequence[Cell], cell: Cell) -> Cell | None:
    """The first cell of a row that has a column in common with `cell`."""
    return next((other for other in row if other.left < cell.right and cell.left < other.right), None)
