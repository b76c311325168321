"""How things look in a Word document: what describes a run, a cell or a row, and switches that are on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.forms.word_names import VAL, Element, W

WIDEST_SPAN = 1_000

GRID_SPAN, V_MERGE, SHADE, FILL = W + "gridSpan", W + "vMerge", W + "shd", W + "fill"
VANISH, STRIKE, DOUBLE_STRIKE = W + "vanish", W + "strike", W + "dstrike"
RUN_STYLE, FONTS = W + "rStyle", W + "rFonts"
STRESSES = frozenset((W + "b", W + "u", W + "highlight", SHADE))
WATCHED = STRESSES | {VANISH, STRIKE, DOUBLE_STRIKE, RUN_STYLE, FONTS}
SIGNS = ("Wingdings", "Webdings", "Symbol")  # fonts that draw signs instead of letters
_NUMBER = re.compile(r"\d{1,9}")
OFF = ("0", "false", "off", "none")


Look = Mapping[str, Element]


def look_of(at: Element | None) -> Look:
    """What an element of properties says, by name."""
    return {} if at is None else {mark.tag: mark for mark in at}


def leading(at: Element, tag: str) -> Element | None:
    """What describes an element stands first in it; anything else would be an error to Word."""
    first = at[0] if len(at) else None
    return first if first is not None and first.tag == tag else None


def child_of(at: Element, tag: str) -> Element | None:
    """As `find`, which costs several times as much where the children are few."""
    for child in at:
        if child.tag == tag:
            return child
    return None


def marks_of(look: Element) -> dict[str, str]:
    """What a run's look says of the marks that matter here; those that are off are left out."""
    found = {}
    for mark in look:
        if (tag := mark.tag) in WATCHED:
            said = mark.get(VAL, "1")
            if tag == FONTS:
                said = mark.get(W + "ascii", "")
                said = said if said.startswith(SIGNS) else "none"
            elif tag == SHADE:
                said = "1" if _is_shaded(mark) else "none"
            if said not in OFF or tag == VANISH:
                found[tag] = said
    return found


def _is_shaded(mark: Element) -> bool:
    return mark.get(FILL, "auto").lower() not in ("auto", "ffffff")


def cell_look(look: Element | None) -> tuple[int, bool, bool]:
    """How many columns a cell covers, whether it goes on from the row above, and whether it is shaded."""
    span, continues, shaded = 1, False, False
    for mark in () if look is None else look:
        if (tag := mark.tag) == GRID_SPAN:
            span = number_of(mark, 1) or 1
        elif tag == V_MERGE:
            continues = mark.get(VAL, "continue") == "continue"
        elif tag == SHADE:
            shaded = _is_shaded(mark)
    return span, continues, shaded


def is_on(at: Element | None) -> bool:
    """A switch that is there is on, unless it says otherwise."""
    return at is not None and at.get(VAL, "1") not in OFF


def val(at: Element | None) -> str:
    return "" if at is None else at.get(VAL, "")


def number_of(at: Element | None, otherwise: int) -> int:
    text = val(at)
    return min(int(text), WIDEST_SPAN) if _NUMBER.fullmatch(text) else otherwise
