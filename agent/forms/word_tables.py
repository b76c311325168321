"""Tables of a Word document as cells on a grid, through merges and every wrapper that Word allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.forms.stream import Stream
from agent.forms.units import Cell
from agent.forms.word_looks import Look, cell_look, child_of, is_on, leading, look_of, number_of
from agent.forms.word_names import DELETED, SDT, SDT_CONTENT, TC, TC_PR, TR, TR_PR, Element, W

CUSTOM_XML = W + "customXml"
ROW_WRAPPERS = (W + "ins", W + "moveTo", CUSTOM_XML)
GRID_BEFORE, HEADING, HIDDEN = W + "gridBefore", W + "tblHeader", W + "hidden"


class Tables:
    """Writes tables; `walk` goes over the content of a cell, given the control around it, if any."""

    def __init__(self, stream: Stream, walk: Callable[[Element, Element | None], None]) -> None:
        self._stream = stream
        self._walk = walk

    def read(self, at: Element) -> None:
        """The table `at`, in the cell or paragraph where the pen is."""
        number = len(self._stream.document.tables)
        rows: list[list[Cell]] = []
        self._stream.document.tables.append(rows)
        outer = self._stream.cell
        above: dict[int, Cell] = {}
        repeated = True  # whether the row before may come again
        for row, look in self._rows(at):
            before, repeated = repeated, _is_repeated(row)
            if repeated and not before:
                for cell in rows[-1]:
                    cell.heads = True
            above = self._row(row, look, number, rows, above)
        self._stream.cell = outer

    def _rows(self, at: Element) -> Iterator[tuple[Element, Look]]:
        """Table rows that are neither deleted nor hidden, each with what describes it."""
        for child in at:
            if (tag := child.tag) == TR:
                look = look_of(child_of(child, TR_PR))
                if DELETED in look:
                    self._stream.document.noticed.add("tracked_changes")
                elif is_on(look.get(HIDDEN)):
                    self._stream.document.noticed.add("hidden_text")
                else:
                    yield child, look
            elif tag == SDT:
                content = child.find(SDT_CONTENT)
                yield from () if content is None else self._rows(content)
            elif tag in ROW_WRAPPERS:
                yield from self._rows(child)

    def _row(
        self, at: Element, look: Look, table: int, rows: list[list[Cell]], above: dict[int, Cell]
    ) -> dict[int, Cell]:
        """Walk one row; gives its cells by left column, for merges from the row below."""
        number = len(rows)
        cells: list[Cell] = []
        rows.append(cells)
        here: dict[int, Cell] = {}
        column, heading = number_of(look.get(GRID_BEFORE), 0), is_on(look.get(HEADING))
        for cell_at, control in _cells(at, None):
            self._stream.count_place()
            span, continues, shaded = cell_look(leading(cell_at, TC_PR))
            if continues and column in above:
                cell = above[column]
                cell.bottom = number + 1
            else:
                cell = Cell(table, number, number + 1, column, column + span, heading or shaded)
                cells.append(cell)
                self._stream.cell = cell
                self._walk(cell_at, control)
            here[column] = cell
            column += span
        return here


def _is_repeated(row: Element) -> bool:
    """Whether a row stands in a control, and so may come again."""
    parent = row.getparent()
    return parent is not None and parent.tag == SDT_CONTENT


def _cells(at: Element, control: Element | None) -> Iterator[tuple[Element, Element | None]]:
    """The cells of a row, each with the content control around it, if any."""
    for child in at:
        if (tag := child.tag) == TC:
            yield child, control
        elif tag == SDT:
            content = child.find(SDT_CONTENT)
            yield from () if content is None else _cells(content, child)
        elif tag == CUSTOM_XML:
            yield from _cells(child, control)
