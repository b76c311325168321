"""A PDF's page → its words with their places, and the straight lines drawn on it."""

from __future__ import annotations

import ctypes
import math
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from agent.forms.pdf_grid import NEAR, Box, Rule
from agent.forms.units import Refused

MOST_CHARACTERS = 200_000  # in a document
MOST_SEGMENTS = 50_000  # of lines, in a document
DEEPEST = 5  # drawings within drawings

_STRAIGHT = 1.0  # points a straight line may lean
_THIN = 2.0  # points: how broad a line may be drawn
_SHORTEST = 6.0
_TICK_BOX = 16.0  # points: a smaller shape is a box to tick, a bullet or a letter, but no table
SLIGHT = 1 / 36  # of the font's size: letters of one word, drawn one by one, have no wider gap between them
_LONGEST_NAME = 200  # of a font
_INVISIBLE = 3  # text that is there to be searched, as the machine-read text under a scan is


@dataclass(eq=False, slots=True)
class Word:
    """A word, or a part of one. `struck` where a line is drawn through its middle, `spaced` where a space is
    written after it, `starts` where it begins a piece that is drawn by itself."""

    box: Box
    text: str
    font: str = ""
    struck: bool = False
    spaced: bool = False
    starts: bool = True


@dataclass
class Page:
    """`height` is where its upper edge lies, and `width` its right one, in points."""

    height: float = 0.0
    width: float = 0.0
    words: list[Word] = field(default_factory=list)
    across: list[Rule] = field(default_factory=list)
    down: list[Rule] = field(default_factory=list)
    short: list[Rule] = field(default_factory=list)  # upright ones no longer than a tick box is high


@dataclass
class _Left:
    """What may still be read of the document."""

    characters: int = MOST_CHARACTERS
    segments: int = MOST_SEGMENTS


def read_pages(content: bytes, most: int) -> list[Page]:
    """The first `most` pages. Raises `Refused`."""
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        raise Refused("bad_pdf", "The PDF is damaged: it cannot be opened.") from error
    left = _Left()
    try:
        return [_page(document[number], left) for number in range(min(len(document), most))]
    except pdfium.PdfiumError as error:
        raise Refused("bad_pdf", "The PDF is damaged: one of its pages cannot be read.") from error
    finally:
        document.close()


def _page(page: pdfium.PdfPage, left: _Left) -> Page:
    found = Page(height=page.get_height(), width=page.get_width())
    hidden = shown = 0
    for thing in page.get_objects(max_depth=DEEPEST):
        if thing.type == raw.FPDF_PAGEOBJ_PATH:
            _draw(thing, found, left)
        elif thing.type == raw.FPDF_PAGEOBJ_TEXT:
            is_hidden = raw.FPDFTextObj_GetTextRenderMode(thing.raw) == _INVISIBLE
            hidden, shown = hidden + is_hidden, shown + (not is_hidden)
    found.down += [rule for rule in found.short if _stands_between(rule, found.across)]
    if shown > hidden:
        text = page.get_textpage()
        try:
            found.words = list(_words(text, sorted(found.across), left))
        finally:
            text.close()
    page.close()
    return found


# --- lines ---------------------------------------------------------------------------------------


def _draw(path: pdfium.PdfObject, into: Page, left: _Left) -> None:
    """The straight parts of a drawing that run level or upright."""
    x1, y1, x2, y2 = path.get_bounds()
    if max(x2 - x1, y2 - y1) < _TICK_BOX:
        if x2 - x1 <= _THIN and y2 - y1 >= _SHORTEST:
            into.short.append(((x1 + x2) / 2, y1, y2))
        return
    count = raw.FPDFPath_CountSegments(path.raw)
    left.segments -= count
    if left.segments < 0:
        raise Refused("too_large", "The PDF has far more drawn in it than a form.")
    corner = start = (0.0, 0.0)
    matrix = path.get_matrix()
    for number in range(count):
        segment = raw.FPDFPath_GetPathSegment(path.raw, number)
        x, y = ctypes.c_float(), ctypes.c_float()
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        point = matrix.on_point(x.value, y.value)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            _rule(corner, point, into)
        if raw.FPDFPathSegment_GetClose(segment):
            _rule(point, start, into)
        corner = point


def _rule(one: tuple[float, float], other: tuple[float, float], into: Page) -> None:
    (x1, x2), (y1, y2) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    if y2 - y1 <= _STRAIGHT and x2 - x1 >= _SHORTEST:
        into.across.append(((y1 + y2) / 2, x1, x2))
    elif x2 - x1 <= _STRAIGHT and y2 - y1 >= _SHORTEST:
        into.down.append(((x1 + x2) / 2, y1, y2))


def _stands_between(rule: Rule, across: list[Rule]) -> bool:
    """Whether an upright line joins two level ones that are longer than a tick box is wide."""
    x, *ends = rule
    return all(
        any(
            abs(y - end) <= NEAR and low - NEAR <= x <= high + NEAR and high - low > _TICK_BOX
            for y, low, high in across
        )
        for end in ends
    )


# --- words ---------------------------------------------------------------------------------------


def _words(text: pdfium.PdfTextPage, across: Sequence[Rule], left: _Left) -> Iterator[Word]:
    """Characters taken together until a space, a gap, another line, or where crossing out begins or ends.

    `across` are the level lines drawn, the lowest first."""
    count = text.count_chars()
    left.characters -= count
    if left.characters < 0:
        raise Refused("too_large", "The PDF holds far more text than a form.")
    word: Word | None = None
    parted, last = False, 0
    for number in range(count):
        char = chr(raw.FPDFText_GetUnicode(text.raw, number))
        if char.isspace() or char == "\0":
            parted = True
            if word is not None:
                word.spaced |= not raw.FPDFText_IsGenerated(text.raw, number)  # by the library
            continue
        char = "-" if char in "\x02\ufffe" else char  # how the library shows a hyphen at a line's end
        here = _box(text, number)
        struck = _crossed_out(here, across)
        goes_on = word is not None and not parted and struck is word.struck
        if word is not None and goes_on and _is_same_word(text, (last, number), word.box, here):
            word.text += char
            word.box = _around(word.box, here)
        else:
            if word is not None:
                yield word
            starts = not _is_one_piece(text, last, number)
            word = Word(here, char, _font(text, number), struck, starts=starts)
        parted, last = False, number
    if word is not None:
        yield word


def _crossed_out(char: Box, across: Sequence[Rule]) -> bool:
    """Whether a line is drawn through the middle of a character."""
    third = 0.3 * (char.top - char.bottom)
    first = bisect_left(across, (char.bottom + third,))
    for y, low, high in islice(across, first, None):
        if y > char.top - third:
            return False
        if low - 1 <= char.middle[0] <= high + 1:
            return True
    return False


def _box(text: pdfium.PdfTextPage, place: int) -> Box:
    """Where a character stands: as high as its font, whatever its shape, a quarter of it below the line."""
    left, _, right, _ = text.get_charbox(place, loose=True)
    x, y, matrix = ctypes.c_double(), ctypes.c_double(), raw.FS_MATRIX()
    raw.FPDFText_GetCharOrigin(text.raw, place, ctypes.byref(x), ctypes.byref(y))
    raw.FPDFText_GetMatrix(text.raw, place, ctypes.byref(matrix))
    size = raw.FPDFText_GetFontSize(text.raw, place) * math.hypot(matrix.c, matrix.d)
    return Box(left, y.value - size / 4, right, y.value + size * 3 / 4)


def _is_same_word(text: pdfium.PdfTextPage, places: tuple[int, int], box: Box, char: Box) -> bool:
    """Whether a character goes on with the word in `box`. What follows a tab may stand very near."""
    if unicodedata.combining(chr(raw.FPDFText_GetUnicode(text.raw, places[1]))):
        return True
    height, gap = box.top - box.bottom, char.left - box.right
    is_level = abs(box.middle[1] - char.middle[1]) < height / 2
    # two letters drawn as one ("fi") share a place
    is_near = is_level and -1.2 * height < gap < height / 5
    return is_near and (gap <= SLIGHT * height or _is_one_piece(text, *places))


def _is_one_piece(text: pdfium.PdfTextPage, one: int, other: int) -> bool:
    """Whether two characters are drawn together."""
    drawn, also = (raw.FPDFText_GetTextObject(text.raw, place) for place in (one, other))
    return bool(drawn and also) and ctypes.addressof(drawn.contents) == ctypes.addressof(also.contents)


def _font(text: pdfium.PdfTextPage, place: int) -> str:
    name = ctypes.create_string_buffer(_LONGEST_NAME)
    raw.FPDFText_GetFontInfo(text.raw, place, name, _LONGEST_NAME, ctypes.byref(ctypes.c_int()))
    return name.value.decode("ascii", "replace")


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left),
        min(one.bottom, other.bottom),
        max(one.right, other.right),
        max(one.top, other.top),
    )
