"""Words with their places → lines, and which lines only go on with the one above."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from statistics import median

from agent.forms.pdf_fields import Filled
from agent.forms.pdf_page import SLIGHT, Page, Word

_WIDE = 1.1  # in sizes of the font: a gap that sets things apart on a line
_NEAR = 0.9  # in sizes of the font: how far below a line the rest of its sentence begins
_SPACE, _LETTER = 0.28, 0.5  # in sizes of the font: how wide they are
_GENEROUS = 4  # spaces: where one at the end says that a line goes on, little is asked of its width
_TIGHT = 1.25  # spaces: less room than this has none for a space
_STRETCHED = 1.5  # of a space: so wide only where a line is made to reach the edge
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
        gap, size = other.box.left - one.box.right, min(_size(one), _size(other))
        if self.parts and not other.starts:  # drawn together: a space, perhaps a stretched one
            return " "
        if gap > _WIDE * size:
            return "\t"
        if one.spaced or not self.parts:
            return " "
        return "\t" if gap > SLIGHT * size else ""

    def joint(
        self, above: Sequence[Piece], line: Sequence[Piece], edge: float | None, *, turned: bool = False
    ) -> str | None:
        """What stands between two lines of which the lower only goes on with the upper: a space, or nothing
        inside a word. None where it is a line of its own.

        `edge` is how far to the right a line may reach, None in a box whose edges are not drawn; `turned`
        is whether a page ends between them.
        """
        upper, lower = _only_words(above), _only_words(line)
        if not (upper and lower and (turned or _is_below(upper, lower))) or _asks_next(upper, lower):
            return None
        last, first = upper[-1], lower[0]
        if not last.spaced and (last.font != first.font or self._has_columns(lower)):
            return None
        is_broken = not last.spaced and _BREAKABLE.search(last.text) is not None
        if self.wraps and edge is not None and _is_inside_word(upper, first, edge):
            return ""
        goes_on = self._runs_on(upper, lower) if edge is None else self._is_full(upper, lower, edge)
        if not goes_on and not _is_open(upper, lower):
            return None
        return "" if is_broken else " "

    def _has_columns(self, line: Sequence[Word]) -> bool:
        return any(self.between(one, other) == "\t" for one, other in pairwise(line))

    def _is_full(self, above: Sequence[Word], line: Sequence[Word], edge: float) -> bool:
        """Whether a line ends where it does because the first word of the next had no room."""
        last, space = above[-1], _SPACE * _size(*above, *line)
        stretched = _stretched(above)
        room = edge - last.box.right + stretched
        if not self.wraps or stretched or _BREAKABLE.search(last.text):
            return room < _first_piece(line) + space
        # a space at the end is left out only where it has no room either
        return room < (_first_piece(line) + _GENEROUS * space if last.spaced else _TIGHT * space)

    def _runs_on(self, above: Sequence[Word], line: Sequence[Word]) -> bool:
        """Whether the space at a line's end says that it goes on, where nothing shows how wide it may be."""
        asks = above[-1].text.endswith(":") or any(word.text.endswith(":") for word in line)
        return self.wraps and above[-1].spaced and not asks


def spacing_of(pages: Iterable[Page]) -> Spacing:
    words = [word for page in pages for word in page.words]
    ends = [one.spaced for one, other in pairwise(words) if other.box.top < one.box.middle[1]]
    return Spacing(
        parts=sum(word.spaced for word in words) >= _MANY * len(words),
        wraps=0 < sum(ends) <= _MOST * len(ends),
    )


def _only_words(line: Iterable[Piece]) -> list[Word]:
    """The words of a line; none where something filled in stands among them."""
    pieces = list(line)
    words = [piece for piece in pieces if isinstance(piece, Word)]
    return words if len(words) == len(pieces) else []


def _size(*words: Word) -> float:
    return max(word.box.top - word.box.bottom for word in words)


def _is_below(above: Sequence[Word], line: Sequence[Word]) -> bool:
    """Whether a line begins closely below where the one above began, or where its last column did; or
    indented, where a space at the end above says that it goes on."""
    first, size = line[0].box, _size(*above, *line)
    starts = [above[0], *(other for one, other in pairwise(above) if other.box.left - one.box.right > size)]
    is_aligned = any(abs(start.box.left - first.left) < size for start in (starts[0], starts[-1]))
    is_indented = above[-1].spaced and above[0].box.left < first.left < above[-1].box.right
    return (is_aligned or is_indented) and above[-1].box.bottom - first.top < _NEAR * size


def _first_piece(line: Sequence[Word]) -> float:
    """How wide the first word is; a mark that stands alone after it ("aware / told") never begins a line."""
    marks = takewhile(lambda word: not any(map(str.isalnum, word.text)), line[1:])
    return [line[0], *marks][-1].box.right - line[0].box.left


def _stretched(line: Sequence[Word]) -> float:
    """By how much the spaces of a line are wider than they would be, so that it reaches the edge."""
    space = _SPACE * _size(*line)
    gaps = [other.box.left - one.box.right for one, other in pairwise(line) if not other.starts]
    return sum(gap - space for gap in gaps) if any(gap > _STRETCHED * space for gap in gaps) else 0.0


def _is_inside_word(above: Sequence[Word], first: Word, edge: float) -> bool:
    """Whether the line above is a single word that goes on below, as one too long for its column does."""
    last, next_letter = above[-1].text[-1:], first.text[:1]
    is_one = len(above) == 1 and not above[0].spaced and last.isalnum() and next_letter.isalnum()
    has_no_room = edge - above[0].box.right < 2 * _LETTER * _size(*above, first)
    return is_one and has_no_room and (last.isupper() or not next_letter.isupper())


def _is_open(above: Sequence[Word], line: Sequence[Word]) -> bool:
    """In a box of its own, narrower than the page: whether what is said above is not finished."""
    text = said(above)
    goes_on = _UNFINISHED.search(text) is not None or line[0].text[:1].islower()
    return text.count("(") > text.count(")") or (":" in text and goes_on)


def _asks_next(above: Sequence[Word], line: Sequence[Word]) -> bool:
    """Whether the line is the next question after a sentence."""
    return said(above).endswith((".", "!", "?")) and line[-1].text.endswith(":")
