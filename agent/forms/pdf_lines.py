"""Words with their places → lines, and which lines only go on with the one above."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from statistics import median

from agent.forms.pdf_fields import Filled
from agent.forms.pdf_page import SLIGHT, Page, Word

_WIDE = 1.3  # in heights of a line: a gap that sets things apart on a line
_NEAR = 0.8  # in heights of a line: how far below a line the rest of its sentence begins
_SPACE, _LETTER = 0.3, 0.6  # in heights of a line: how wide they are
_STRETCHED = 1.2  # of a space: so wide only where a line is made to reach the edge
_MANY, _MOST = 0.25, 0.6  # shares of words, and of line ends, with a space after them
_UNFINISHED = re.compile(r"(?:,|\b(?:and|at|by|in|of|on|the|to))$")
_BREAKABLE = re.compile(r"\w[-/]$")

Piece = Word | Filled


def said(line: Iterable[Piece]) -> str:
    return " ".join(piece.text for piece in line)


def lines(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces on a level together, from left to right; the topmost line first."""
    ordered = sorted(pieces, key=lambda piece: -level(piece))
    heights = [piece.box.top - piece.box.bottom for piece in ordered if isinstance(piece, Word)]
    near = (median(heights) if heights else 12.0) / 2
    line: list[Piece] = []
    for piece in ordered:
        if line and level(line[0]) - level(piece) > near:
            yield sorted(line, key=lambda one: one.box.left)
            line = []
        line.append(piece)
    if line:
        yield sorted(line, key=lambda one: one.box.left)


def level(piece: Piece) -> float:
    """How high a piece stands: its middle, or that of its first line where it has several."""
    if isinstance(piece, Filled) and (piece.tall or piece.kind == "text"):
        return max(piece.box.top - 7.0, piece.box.middle[1])
    return piece.box.middle[1]


@dataclass(frozen=True)
class Spacing:
    """What the spaces written in a PDF tell, which differs from one maker of PDFs to another.

    `parts` is whether words of one sentence have a space between them, so that those without are set
    apart by a tab or stand in two columns. `wraps` is whether a line that only goes on below ends with one.
    """

    parts: bool
    wraps: bool

    def between(self, one: Piece, other: Piece) -> str:
        """What stands between two neighbours on a line: nothing, a space or a tab."""
        if not (isinstance(one, Word) and isinstance(other, Word)):
            return " "
        gap, height = other.box.left - one.box.right, min(_height(one), _height(other))
        if self.parts and not other.starts:  # drawn together: a space, perhaps a stretched one
            return " "
        if gap > _WIDE * height:
            return "\t"
        if one.spaced or not self.parts:
            return " "
        return "\t" if gap > SLIGHT * height else ""

    def joint(
        self, above: Sequence[Piece], line: Sequence[Piece], edge: float | None, *, turned: bool = False
    ) -> str | None:
        """What stands between two lines of which the lower only goes on with the upper: a space, or nothing
        inside a word. None where it is a line of its own.

        `edge` is how far to the right a line may reach, None in a box whose edges are not drawn; `turned`
        is whether a page ends between them.
        """
        if not above or not all(isinstance(piece, Word) for piece in (*above, *line)):
            return None
        if not (turned or _is_below(above, line)) or _asks_next(above, line):
            return None
        is_open = _is_open(above, line)
        if edge is None:
            return " " if is_open or self._runs_on(above, line) else None
        height, spaced = _height(*above, *line), _ends_spaced(above)
        is_breakable = not spaced and _BREAKABLE.search(above[-1].text) is not None
        stretched = self._stretched(above)
        room, needed = edge - above[-1].box.right + stretched, _first_piece(line) + _SPACE * height
        if self.wraps and not (spaced or is_breakable or stretched):
            if _is_inside_word(above, line) and room < 2 * _LETTER * height:
                return ""
            needed = _SPACE * height  # only a space that has no room is left out
        elif self.wraps and spaced:
            needed += 3 * _SPACE * height
        if room >= needed and not is_open:
            return None
        return "" if is_breakable else " "

    def _stretched(self, line: Sequence[Piece]) -> float:
        """By how much the spaces of a line are wider than they would be, so that it reaches the edge."""
        gaps = [
            other.box.left - one.box.right
            for one, other in pairwise(line)
            if isinstance(other, Word) and not other.starts
        ]
        normal = _SPACE * _height(*line)
        return sum(gap - normal for gap in gaps) if any(gap > _STRETCHED * normal for gap in gaps) else 0.0

    def _runs_on(self, above: Sequence[Piece], line: Sequence[Piece]) -> bool:
        """Whether the space at a line's end says that it goes on, where nothing shows how wide it may be."""
        asks = above[-1].text.endswith(":") or any(piece.text.endswith(":") for piece in line)
        return self.wraps and _ends_spaced(above) and not asks


def spacing_of(pages: Iterable[Page]) -> Spacing:
    words = [word for page in pages for word in page.words]
    ends = [one.spaced for one, other in pairwise(words) if other.box.top < one.box.middle[1]]
    return Spacing(
        parts=sum(word.spaced for word in words) >= _MANY * len(words),
        wraps=0 < sum(ends) <= _MOST * len(ends),
    )


def _ends_spaced(line: Sequence[Piece]) -> bool:
    last = line[-1]
    return isinstance(last, Word) and last.spaced


def _height(*pieces: Piece) -> float:
    return max(piece.box.top - piece.box.bottom for piece in pieces)


def _is_below(above: Sequence[Piece], line: Sequence[Piece]) -> bool:
    """Whether a line begins closely below where the one above began, or where its last column did."""
    first, height = line[0].box, _height(*above, *line)
    starts = [above[0], *(other for one, other in pairwise(above) if other.box.left - one.box.right > height)]
    is_aligned = any(abs(start.box.left - first.left) < height for start in (starts[0], starts[-1]))
    return is_aligned and above[-1].box.bottom - first.top < _NEAR * height


def _first_piece(line: Sequence[Piece]) -> float:
    """How wide the first word is; a mark that stands alone after it ("aware / told") never begins a line."""
    marks = takewhile(lambda piece: not any(map(str.isalnum, piece.text)), line[1:])
    return [line[0], *marks][-1].box.right - line[0].box.left


def _is_inside_word(above: Sequence[Piece], line: Sequence[Piece]) -> bool:
    """Whether the line above is a single word that goes on below, as one too long for its column does."""
    last, first = above[-1].text[-1:], line[0].text[:1]
    return len(above) == 1 and last.isalnum() and first.isalnum() and (last.isupper() or not first.isupper())


def _is_open(above: Sequence[Piece], line: Sequence[Piece]) -> bool:
    """In a box of its own, narrower than the page: whether what is said above is not finished."""
    text = said(above)
    goes_on = _UNFINISHED.search(text) is not None or line[0].text[:1].islower()
    return text.count("(") > text.count(")") or (":" in text and goes_on)


def _asks_next(above: Sequence[Piece], line: Sequence[Piece]) -> bool:
    """Whether the line is the next question after a sentence."""
    return said(above).endswith((".", "!", "?")) and line[-1].text.endswith(":")
