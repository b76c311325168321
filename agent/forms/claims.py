"""Takes down each label and what was found as its answer, and keeps count of what was used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.forms.answers import Typed, said, typed
from agent.forms.compound import asked_at_once, pieces
from agent.forms.labels import Match, Meaning
from agent.forms.lines import Line
from agent.forms.questions import Questions
from agent.forms.units import Cell, where

# how sure it is that an answer belongs to a label, by where it stands
SAME_LINE, SAME_CELL, RIGHT, UNDER_HEADING, BELOW, NEXT = 0.97, 0.95, 0.94, 0.94, 0.86, 0.8


@dataclass(frozen=True)
class Claim:
    """One label and what was found as its answer."""

    meaning: Meaning
    label: str
    typed: Typed
    where: str
    confidence: float
    new_row: bool = False


class Claims:
    """What was found so far. `new_row` is whether the next answer to a table begins a row of it."""

    def __init__(self, asked: Questions) -> None:
        self._asked = asked
        self.made: list[Claim] = []
        self.problems: list[str] = []
        self.new_row = False
        self.ticked: dict[str, Line] = {}  # by code of the category
        self.left_over: list[str] = []  # of lines of which only a part was an answer
        self.label_cells: set[int] = set()
        self.misplaced: set[int] = set()  # controls that stand beside a label which is not theirs

    def claim(
        self,
        found: Match,
        label: str,
        lines: Sequence[Line],
        place: float,
        cell: Cell | None,
        at: Line | None = None,
    ) -> None:
        """The `lines`, in `cell` or about the line `at`, answer the label `found`, printed as `label`."""
        asked = found.meaning.field
        several = asked_at_once(label) if lines and asked.type != "long" else []  # a story is told as a whole
        if several and self._asked.exactly(label) is None:
            self._claim_each(several, label, lines, place, cell, at)
            return
        elsewhere = [
            unit for line in lines for unit in line.units if self._asked.asks_otherwise(unit, found.meaning)
        ]
        if elsewhere:
            self.misplaced.update(map(id, elsewhere))
            return
        value = typed(asked, [line.units for line in lines])
        if value.text and value.value not in asked.options and all(map(self._asked.is_said_by_form, lines)):
            return
        use(lines)
        here = _place(cell, at)
        if value.problem:
            self.problems.append(
                f"{value.problem}: {_why(value.problem, label.strip(' :*'), value.text)} ({here})"
            )
        confidence = round(found.quality * place * value.certainty, 3)
        self.made.append(Claim(found.meaning, label.strip(" :*\t"), value, here, confidence, self.new_row))
        self.new_row = False

    def _claim_each(
        self,
        several: Sequence[str],
        label: str,
        lines: Sequence[Line],
        place: float,
        cell: Cell | None,
        at: Line | None,
    ) -> None:
        """Each of the labels that are asked at once is answered by its own piece of what is said."""
        told, sure = pieces(label, lines, len(several))
        text = said([line.units for line in lines])
        use(lines)
        if text and not told:
            self.problems.append(
                f"several_asked: “{text}” answers “{label}”, which asks several things, and it is not plain "
                f"what answers which ({_place(cell, at)})"
            )
        for one, piece in zip(several, told, strict=False):  # a single piece answers the first
            if found := self._asked.reworded(one):
                self.claim(found, one, [piece], place * sure, cell, at)
            elif piece.text:
                self.left_over.append(f"{one}: {piece.text}")


def use(lines: Iterable[Line]) -> None:
    """Marks lines as understood."""
    for line in lines:
        line.used = True


def _place(cell: Cell | None, at: Line | None) -> str:
    return where(cell, at.part if at else "body", at.number if at else 0)


def _why(problem: str, label: str, text: str) -> str:
    said = f"“{text}” under “{label}”"
    return {
        "impossible": f"{said} is no date of the calendar",
        "several": f"{said} names more than one date",
        "no_year": f"{said} has no year",
        "no_date": f"{said} is no date that can be read",
        "only_a_date": f"{said} is only a date",
        "unsure": f"{said} is not certain",
        "weekday": f"in {said} the weekday and the date differ",
        "time_unclear": f"in {said} the time is not clear, so only the day was taken",
        "several_ticked": f"several answers are ticked under “{label}”",
        "unclear_choice": f"{said} is none of the answers offered",
        "bound_conflict": f"the control under “{label}” shows something else than it stores",
    }[problem]
