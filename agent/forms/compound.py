"""One label that asks several things at once, and the pieces of its answer: "Name; team; telephone"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.forms.answers import said
from agent.forms.lines import Line
from agent.forms.units import Unit

_WORDS = r"[a-z]+(?: [a-z]+){0,2}"  # small letters, as an answer hardly has throughout
# "Police: informed, reference, officer"
_OF_ONE = re.compile(rf"([^:,;]{{2,40}}): ?({_WORDS}(?:, {_WORDS})+)")
_OTHERWISE = 0.85  # how sure pieces are that stand on lines of their own


def asked_at_once(label: str) -> list[str]:
    """The labels that `label` puts together, each in full; none where it is only one."""
    if "," not in label and ";" not in label:
        return []
    label = label.strip(" :*")
    if of_one := _OF_ONE.fullmatch(label):
        return [f"{of_one[1]} {part.strip()}" for part in of_one[2].split(",")]
    parts = [part.strip() for part in label.split(";")]
    return parts if len(parts) > 1 and all(parts) and ":" not in label else []


def pieces(label: str, lines: Sequence[Line], count: int) -> tuple[list[Line], float]:
    """The answers to the `count` labels of a compound one, in order, and how sure that is: less where they
    are not set apart as the labels are. None where that is not plain; a single one answers the first."""
    text = said([line.units for line in lines])
    own = "," if _OF_ONE.fullmatch(label.strip(" :*")) else ";"
    for separator in (own, r"\n", r"\t|\s{3,}"):
        found = re.split(separator, text)
        if len(found) == count:
            return [
                _line(piece.strip(), lines[0]) for piece in found
            ], 1.0 if separator == own else _OTHERWISE
        if len(found) > 1:
            return [], 0.0
    return [_line(text, lines[0])], 1.0


def _line(text: str, at: Line) -> Line:
    return Line([Unit("text", text, at.number, at.cell, at.part)], at.cell, at.part, at.number)
