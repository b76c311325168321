"""The list of categories with a box for each: which of them are ticked."""

from __future__ import annotations

from collections.abc import Sequence

from agent.forms.claims import Claims
from agent.forms.labels import LabelBook
from agent.forms.lines import Line
from agent.forms.sheet import Sheet
from agent.forms.units import Cell, Unit, boxed

_TICK_WORDS = frozenset(("x", "yes", "y", "✓", "✔"))
_NO_TICK_WORDS = frozenset(("no", "n"))
_LONGEST_ROW = 6  # lines of a row that holds one category and its tick


def read_category_ticks(sheet: Sheet, book: LabelBook, claims: Claims) -> None:
    """Take down every ticked category, and mark the lines of the list as understood."""
    ticks = _Ticks(sheet, book, claims)
    for table in sheet.tables:
        for row in table:
            ticks.row(row)
    for line in sheet.lines:
        if not line.used and not line.plain:
            ticks.line(line)


class _Ticks:
    def __init__(self, sheet: Sheet, book: LabelBook, claims: Claims) -> None:
        self._sheet = sheet
        self._book = book
        self._claims = claims

    def row(self, row: Sequence[Cell]) -> None:
        """A row with one category in it, and one cell for its tick."""
        lines = [line for cell in row for line in self._sheet.lines_in(cell)]
        if not 1 < len(lines) <= _LONGEST_ROW:
            return
        named = [line for line in lines if line.text and self._book.category(line.text)]
        codes = {str(self._book.category(line.text)) for line in named}
        if len(codes) != 1:
            return
        marks = [line for line in lines if _is_mark(line)]
        words = [line for line in named if line not in marks]
        if len(marks) != 1 or not words:
            return
        if any(unit.kind == "checkbox" for line in lines if line not in marks for unit in line.units):
            return
        if _is_ticked(marks[0]):
            self._claims.ticked[codes.pop()] = marks[0]
        marks[0].used = True
        for line in words:
            self._use(line)

    def line(self, line: Line) -> None:
        """Boxes and their words on one line; the words stand after the box, or else before it."""
        for box, words in boxed(line.units):
            code = self._book.category(box.tag) if box.tag else None
            code = code or self._book.category(words.strip())
            if code is None:
                continue
            self._use(line)
            if box.ticked:
                self._claims.ticked[code] = line

    def _use(self, line: Line) -> None:
        line.used = True
        if self._book.says_more(line.text):
            self._claims.left_over.append(line.text)


def _boxes(line: Line) -> list[Unit]:
    return [unit for unit in line.units if unit.kind == "checkbox"]


def _said(line: Line) -> str:
    return "".join(unit.text for unit in line.units).strip().casefold()


def _is_mark(line: Line) -> bool:
    boxes, said = _boxes(line), _said(line)
    return (len(boxes) == 1 and not said) or (not boxes and said in _TICK_WORDS | _NO_TICK_WORDS)


def _is_ticked(line: Line) -> bool:
    boxes = _boxes(line)
    return boxes[0].ticked if boxes else _said(line) in _TICK_WORDS
