"""Any document → its units in order, each with the label that a stranger to the form would give it.

Where no definition tells what is asked, only the layout can: what stands before an answer on its line,
in the cell to its left, in the heading of its column, or on the line before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Literal

from agent.forms.units import Cell, Document, Unit, boxed, place

LONGEST_LABEL = 150  # characters of a line that may label the next one
WIDEST = 100  # columns of a table in which labels are looked for; Word allows 63
_ROWS_SEEN = 20  # under what may be headings

_GAP = re.compile(r"\t|\s{3,}|\s*(?:[._]{4,}|…+)\s*")
_ASKED = re.compile(r"([^:]{1,80}?)\s*(?::(?=\s|$)|\s[–—-]\s)\s*(.*)", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_NOTES = frozenset(("comment", "footnote", "endnote"))

Line = list[Unit]
Kind = Literal["text", "control", "checkbox", "choice", "struck"]


@dataclass(frozen=True)
class Labelled:
    """One unit. A `checkbox` has its words as label and its state as value; a `choice` gives the words of
    a ticked box as the answer to the question before it. `struck` text was crossed out.

    `value` is "" for an empty control. `where` names the place in words.
    """

    label: str
    value: str | bool
    kind: Kind
    where: str


def labelled(document: Document) -> list[Labelled]:
    """The whole stream in order. A text that is only a label stands there too, with no label of its own,
    unless it shares its line with what it labels."""
    blocks = _blocks(document)
    labels = _labels_of_cells(document, blocks)
    told: list[Labelled] = []
    before = ""  # the text of the line before, where that was no answer
    for block in blocks:
        label = labels.get(id(block.cell), "") if block.cell else ""
        said = "\n".join(_text(line) for line in block.lines)
        if label and not said.endswith(":") and all(map(_is_plain, block.lines)):
            told.append(Labelled(label, said, "text", place(block.lines[0][0])))
            before = ""
            continue
        before = "" if label else before
        for line in block.lines:
            told += _line(line, before, label)
            before = str(told[-1].value) if _is_plain(line) and not told[-1].label else ""
    return told


@dataclass
class _Block:
    """The lines of one cell that follow each other, or one line outside of tables."""

    cell: Cell | None
    lines: list[Line]


def _blocks(document: Document) -> list[_Block]:
    blocks: list[_Block] = []
    for _, units in groupby(document.units, key=lambda unit: (unit.line, id(unit.cell), unit.part)):
        line = [unit for unit in units if unit.kind != "text" or unit.text.strip()]
        cell = line[0].cell if line else None
        if cell is not None and blocks and blocks[-1].cell is cell:
            blocks[-1].lines.append(line)
        elif line:
            blocks.append(_Block(cell, [line]))
    return blocks


def _is_plain(line: Line) -> bool:
    return all(unit.kind == "text" and not unit.struck for unit in line)


def _is_stressed(line: Line) -> bool:
    """Whether a line is bold, underlined or highlighted from its first letter to its last."""
    return _is_plain(line) and "".join("".join(unit.stressed) for unit in line).strip() == _text(line)


def _text(units: Iterable[Unit]) -> str:
    return "".join(unit.text for unit in units).strip()


def _clean(label: str) -> str:
    """A label without the marks around it."""
    return " ".join(label.replace("\u00ad", "").split()).strip(" :*_…")


# --- one line ----------------------------------------------------------------------------------------


def _line(line: Line, before: str, label: str) -> Iterator[Labelled]:
    """One line, after the unanswered text `before`, in a cell that is labelled `label`."""
    if line[0].part in _NOTES:
        yield Labelled(line[0].part, _text(line), "text", place(line[0]))
        return
    if any(unit.kind == "checkbox" for unit in line):
        yield from _boxes(line, label or _short(before))
        return
    pending = ""
    for unit, after in zip(line, [*line[1:], None], strict=True):
        if unit.kind == "control":
            asked = pending or _short(before) or label or unit.alias or unit.tag
            yield Labelled(asked, unit.text, "control", place(unit))
            pending = ""
        elif unit.struck:
            yield Labelled(label, unit.text.strip(), "struck", place(unit))
        else:
            pairs = _pairs(unit.text)
            if after is not None and after.kind == "control" and not pairs[-1][0]:
                pending = _clean(pairs.pop()[1])
            otherwise = _clean(before) if before.endswith(":") else label
            for asked, value in pairs:
                asked = asked or ("" if value.endswith(":") else otherwise)
                yield Labelled(asked, value, "text", place(unit))


def _short(before: str) -> str:
    return _clean(before) if len(before) <= LONGEST_LABEL else ""


def _pairs(text: str) -> list[tuple[str, str]]:
    """What a text asks and answers: "Name: A    Town: B", "Name ...... A". Never empty."""
    pairs: list[tuple[str, str]] = []
    fields = [field.strip() for field in _GAP.split(text.strip())]
    for field in fields:
        asked = _ASKED.fullmatch(field)
        if asked and _LETTER.search(asked[1]):
            pairs.append((_clean(asked[1]), asked[2]))
        elif field and pairs and not pairs[-1][1]:
            pairs[-1] = (pairs[-1][0], field)
        elif field:
            pairs.append(("", field))
    if len(pairs) == 2 and not (pairs[0][0] or pairs[1][0]):
        return [(_clean(pairs[0][1]), pairs[1][1])]
    if pairs and not pairs[-1][1] and fields[-1]:
        pairs[-1] = ("", fields[-1])  # a label whose answer stands elsewhere, and no blank to fill in
    return pairs or [("", text.strip())]


def _boxes(line: Line, otherwise: str) -> Iterator[Labelled]:
    """Tick boxes with their words, the question before them, and what is ticked as its answer."""
    words = {id(box): _clean(said) for box, said in boxed(line)}
    first = next(index for index, unit in enumerate(line) if unit.kind == "checkbox")
    asked = _text(unit for unit in line[:first] if unit.kind == "text" and not unit.struck)
    if asked and line[-1].kind != "checkbox":  # else the words stand before each box
        yield Labelled("", asked, "text", place(line[0]))
        otherwise = _clean(asked)
    said = ""
    for unit in line:
        if unit.kind == "checkbox":
            said = words[id(unit)]
            yield Labelled(said or otherwise or unit.alias or unit.tag, unit.ticked, "checkbox", place(unit))
            if unit.ticked and said and otherwise:
                yield Labelled(otherwise, said, "choice", place(unit))
        elif unit.kind == "control":
            asked = said or otherwise or unit.alias or unit.tag
            yield Labelled(asked, unit.text, "control", place(unit))
        elif unit.struck:
            yield Labelled(otherwise, unit.text.strip(), "struck", place(unit))


# --- cells -------------------------------------------------------------------------------------------


def _labels_of_cells(document: Document, blocks: Sequence[_Block]) -> dict[int, str]:
    """The label of every cell that has one in another cell, by the cell's `id`."""
    said: dict[int, list[Line]] = {}
    for block in blocks:
        if block.cell is not None:
            said.setdefault(id(block.cell), []).extend(block.lines)
    labels: dict[int, str] = {}
    for table in document.tables:
        labels |= _Table(table, said).labels()
    return labels


class _Table:
    """One table, as somebody sees it who does not know the form."""

    def __init__(self, rows: Sequence[Sequence[Cell]], said: Mapping[int, list[Line]]) -> None:
        self._said = said
        self._rows = _whole_rows(rows)
        filled = [cell for row in rows for cell in row if id(cell) in said]
        self._heads = {id(cell) for cell in filled if cell.heads or _is_stressed(said[id(cell)][0])}
        self._marked = 0 < len(self._heads) < len(filled)
        self._speaks_for_itself = len(filled) < 2 * sum(map(self._holds_label, filled))

    def labels(self) -> dict[int, str]:
        """A row of headings labels what stands under it; else each cell the one to its right."""
        found: dict[int, str] = {}
        if self._speaks_for_itself:
            return found
        headings: Sequence[Cell] = ()
        for number, row in enumerate(self._rows):
            if len(row) > WIDEST:
                headings = ()
            elif (self._marked or not headings) and self._is_heading(number):
                headings = row
            elif headings and _within(row, headings):
                found |= {id(cell): self._under(cell, headings, row) for cell in row}
            else:
                headings = ()
                found = self._beside(row) | found
        return found

    def _holds_label(self, cell: Cell) -> bool:
        """Whether a cell is its own label and answer: "Name: A"."""
        lines = self._said[id(cell)]
        asked = _ASKED.fullmatch(_text(lines[0]))
        return bool(asked and (asked[2] or len(lines) > 1 or not _is_plain(lines[0])))

    def _is_heading(self, number: int) -> bool:
        """Whether a row of texts heads the next rows: marked as such, or else by what stands there."""
        row, below = self._rows[number], self._rows[number + 1 : number + 1 + _ROWS_SEEN]
        if not row or not below or not _within(below[0], row):
            return False
        if not all(self._is_text(cell) and cell.bottom - cell.top == 1 for cell in row):
            return False
        if self._marked:
            return self._all_head(row) and not self._all_head(below[0])
        if len(row) % 2:
            return len(row) > 1
        rows = list(takewhile(lambda other: _within(other, row), below))
        return not any(self._is_text(cell) for other in rows for cell in other[::2])

    def _under(self, cell: Cell, headings: Sequence[Cell], row: Sequence[Cell]) -> str:
        """The heading of a cell's column; a lone tick box is named by its row as well."""
        head = next(head for head in headings[::-1] if head.left <= cell.left or head is headings[0])
        heading = self._label(head)
        beside = self._label(row[0]) if self._is_box(cell) and cell is not row[0] else ""
        return f"{beside}: {heading}" if beside and heading else beside or heading

    def _beside(self, row: Sequence[Cell]) -> dict[int, str]:
        """Labels from cell to cell: what is marked, else every other cell from the right, else all text."""
        boxes = [cell for cell in row if self._is_box(cell)]
        if boxes:
            return self._of_boxes(row, boxes)
        labels = [cell for cell in row if id(cell) in self._heads] if self._marked else []
        labels = labels or list(row[-2::-2])
        if any(id(cell) in self._said and not self._is_text(cell) for cell in labels):
            labels = [cell for cell in row if self._is_text(cell)]
        found: dict[int, str] = {}
        label = ""
        for cell in row:
            if cell in labels:
                label = self._label(cell)
            else:
                found[id(cell)] = label
        return found

    def _of_boxes(self, row: Sequence[Cell], boxes: Sequence[Cell]) -> dict[int, str]:
        """A row of lone tick boxes and their words, which stand before each box or else after it."""
        found: dict[int, str] = {}
        words: list[str] = []
        ordered = row[::-1] if row[0] in boxes else row
        for cell in ordered:
            if cell in boxes:
                found[id(cell)] = " ".join(words[::-1] if row[0] in boxes else words)
                words = []
            elif label := self._label(cell):
                words.append(label)
        return found

    def _all_head(self, row: Sequence[Cell]) -> bool:
        return all(id(cell) in self._heads for cell in row)

    def _is_text(self, cell: Cell) -> bool:
        lines = self._said.get(id(cell), [])
        return bool(lines) and all(map(_is_plain, lines)) and bool(_LETTER.search(_text(lines[0])))

    def _is_box(self, cell: Cell) -> bool:
        lines = self._said.get(id(cell), [])
        return len(lines) == 1 and all(unit.kind == "checkbox" for unit in lines[0])

    def _label(self, cell: Cell) -> str:
        return _clean(" ".join(_text(line) for line in self._said.get(id(cell), [])))


def _whole_rows(rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    """Rows with the cells that reach into them from above, from left to right."""
    whole: list[list[Cell]] = [[] for _ in rows]
    for row in rows:
        for cell in row:
            for reached in whole[cell.top : cell.bottom]:
                reached.append(cell)
    return [sorted(row, key=lambda cell: cell.left) for row in whole]


def _within(row: Sequence[Cell], headings: Sequence[Cell]) -> bool:
    """Whether every cell of `row` begins where a heading does, or stands under the first as a whole."""
    if len(headings) == 1 < len(row):
        return False
    starts = {head.left for head in headings}
    return all(cell.left in starts or cell.right <= headings[0].right for cell in row)
