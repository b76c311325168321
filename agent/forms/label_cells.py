"""Cells that hold a label and nothing else: where in the table the answer to each stands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.forms.answers import is_prompt
from agent.forms.claims import BELOW, RIGHT, Claims, use
from agent.forms.labels import Match, Meaning
from agent.forms.lines import Line
from agent.forms.questions import GUIDANCE, HEAD, Questions
from agent.forms.units import Cell

_GUIDANCE_AFTER = re.compile(
    r"\s(?:Please|If (?:known|applicable|relevant)|To be (?:completed|filled)"
    r"|See (?:the )?(?:guid\w*|notes?))\b"
)


class LabelCells:
    """Reads the answers to such cells: right of them, or below."""

    def __init__(self, asked: Questions, claims: Claims) -> None:
        self._asked = asked
        self._sheet = asked.sheet
        self._claims = claims
        self._facing: dict[tuple[int, int], str] = {}  # by table and column

    def read(self, cell: Cell) -> bool:
        """Whether `cell` is a label's, and its answer therefore taken down."""
        if id(cell) in self._claims.label_cells:
            return True
        found = self._label_of(cell)
        if found is None:
            return False
        self._claims.label_cells.add(id(cell))
        use(self._sheet.lines_in(cell))
        label = self._sheet.text_of(cell)
        place = self._named_cell(cell, found.meaning) or self._value_cell(cell, found.meaning.field.options)
        if place is None:
            self._claims.claim(found, label, [], RIGHT, cell)
        else:
            self._claims.claim(found, label, self._sheet.lines_in(place[0]), place[1], place[0])
        return True

    # --- what is asked ---

    def _label_of(self, cell: Cell) -> Match | None:
        """The label that a cell holds, and nothing else but guidance on how to answer."""
        lines = [line for line in self._sheet.lines_in(cell) if line.says]
        if not lines or any(line.used and not self._asked.book.heading(line.text) for line in lines):
            return None
        if not all(line.plain and not line.struck for line in lines):
            return None
        text = self._sheet.text_of(cell)
        is_long = len(lines) > 1 or ":" in text.rstrip(": ")
        found = self._asked.exactly(text) if is_long else self._asked.nearly(text)
        if found is None and len(lines) > 1 and (_are_guidance(lines[1:]) or self._is_in_column(cell)):
            found = self._asked.nearly(lines[0].text)
        if found is None and (guidance := _GUIDANCE_AFTER.search(text)):
            found = self._asked.reworded(text[: guidance.start()])
        return found or self._label_with_choices(cell, text) or self._several(lines, text)

    def _several(self, lines: Sequence[Line], text: str) -> Match | None:
        return self._asked.first_of_several(text) if len(lines) == 1 else None

    def _label_with_choices(self, cell: Cell, text: str) -> Match | None:
        """The label that prints what may be answered ("Risk: low / high") where the next cell answers it."""
        label, colon, offered = text.partition(":")
        right = self._asked.right_of(cell) if colon and "/" in offered else None
        said = self._sheet.text_of(right) if right else ""
        if right is None or not said or self._asked.is_label(right) or HEAD.match(said):
            return None
        units = [unit for line in self._sheet.lines_in(cell) for unit in line.units]
        is_marked = any(unit.struck or unit.stressed for unit in units)
        return None if is_marked else self._asked.reworded(label)

    def _is_in_column(self, cell: Cell) -> bool:
        """Whether the cells above and below are labels too, each with its answer on the right."""
        return self._faces(cell) == "right"

    # --- where it is answered ---

    def _named_cell(self, cell: Cell, asked: Meaning) -> tuple[Cell, float] | None:
        """The cell on the right, where all it holds is a control that says itself what it answers."""
        right = self._sheet.beside(cell, cell.right)
        units = [unit for line in self._sheet.lines_in(right) for unit in line.units] if right else []
        is_named = len(units) == 1 and units[0].kind == "control" and self._asked.own_name(units[0]) == asked
        return (right, RIGHT) if right and is_named else None

    def _value_cell(self, cell: Cell, options: Sequence[str]) -> tuple[Cell, float] | None:
        """Where the value of a label's cell is: right of it, or below where the row is all labels.

        One of the `options` is the answer, though it may be a label elsewhere ("Conclusion")."""
        right, facing = self._asked.right_of(cell), self._faces(cell)
        if right is not None and self._sheet.text_of(right) in options:
            return right, RIGHT
        under = self._sheet.below(cell) if options and facing != "right" else None
        if under is not None and self._sheet.text_of(under) in options:
            return under, BELOW
        below = self._free_below(cell) if facing != "right" else None
        if below is not None and (facing == "below" or self._asked.is_like_label(right)):
            return below, BELOW
        if facing == "inside" and right is not None and HEAD.match(self._sheet.text_of(right)):
            return None
        if right is not None and not self._is_answered_label(cell, right):
            return right, RIGHT
        below = self._free_below(cell)
        return (below, BELOW) if below is not None and self._row_of_labels(cell) else None

    def _free_below(self, cell: Cell) -> Cell | None:
        """The cell below, where that asks nothing itself."""
        below = self._sheet.below(cell)
        return None if below is None or self._asked.is_label(below) else below

    def _row_of_labels(self, cell: Cell) -> bool:
        return all(
            self._asked.is_pure_label(other) or self._asked.is_like_label(other)
            for other in self._sheet.row_of(cell)
            if self._sheet.text_of(other)
        )

    def _is_answered_label(self, label: Cell, right: Cell) -> bool:
        """Whether the cell on the right is a label of its own, not an answer that looks like one."""
        is_label = self._asked.is_label
        if not is_label(right):
            return False
        if not self._asked.is_pure_label(right) or self._sheet.text_of(right).endswith(":"):
            return True  # it has its own answer with it, or waits for one
        if len(self._sheet.row_of(label)) != 2:
            return True
        below = self._sheet.below(label)
        above = self._sheet.tables[label.table][label.top - 1][:1] if label.top else []
        return not ((below and is_label(below)) or (not below and above and is_label(above[0])))

    # --- where the answers to a column of labels stand ---

    def _faces(self, cell: Cell) -> str:
        """Where the cell's column is answered: "right", "below", or "" where that is not plain."""
        place = (cell.table, cell.left)
        if place not in self._facing:
            self._facing[place] = ""  # what is asked while this is being found out
            cells = [other for row in self._sheet.tables[cell.table] for other in row]
            alike = [other for other in cells if other.left == cell.left]
            self._facing[place] = self._found_facing(alike) or self._found_facing(cells)
        return self._facing[place]

    def _found_facing(self, cells: Sequence[Cell]) -> str:
        votes = {"right": 0, "below": 0, "inside": 0}
        for cell in cells:
            if self._asked.begins_with_label(cell):
                if vote := self._vote(self._asked.right_of(cell), self._sheet.below(cell)):
                    votes[vote] += 1
            elif any(self._asked.split(line) for line in self._sheet.lines_in(cell)[:1]):
                votes["inside"] += 1
        most = max(votes, key=lambda vote: votes[vote])
        is_plain = sum(map(bool, votes.values())) == 1 and votes[most] > (most == "right")
        return most if is_plain else ""

    def _vote(self, right: Cell | None, below: Cell | None) -> str:
        """Where one label's answer must stand, told by where other labels stand around it."""
        is_free_beside = right is not None and not self._asked.begins_with_label(right)
        if below is None or self._asked.begins_with_label(below):
            return "right" if is_free_beside else ""
        is_asked_beside = (
            not is_free_beside or not self._sheet.says(right) or self._asked.is_like_label(right)
        )
        return "below" if is_asked_beside and self._sheet.says(below) else ""


def _are_guidance(lines: Sequence[Line]) -> bool:
    return all(GUIDANCE.match(line.text) or is_prompt(line.text) for line in lines)
