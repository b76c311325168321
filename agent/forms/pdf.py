"""A PDF with text, with form fields, or both → one ordered stream of units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from agent.forms.pdf_fields import MOST_PAGES, Filled, read_fields
from agent.forms.pdf_grid import Square, tables
from agent.forms.pdf_page import Page, Word, read_pages
from agent.forms.stream import Stream
from agent.forms.units import Cell, Document, Refused

MOST_BYTES = 25_000_000
_FEWEST_WORDS = 5  # with fewer, the page is a picture
_WIDE = 1.3  # in heights of a line: a gap that sets things apart on a line
_NEAR = 1.8  # in heights of a line: how far below a line the rest of its sentence stands
_EDGE = 0.1  # of a page's height: where headers and footers stand
_UNFINISHED = re.compile(r"(?:,|\b(?:and|at|by|in|of|on|the|to))$")
_COUNTS_PAGES = re.compile(r"(?:page )?#(?: ?(?:of|/) ?#)?", re.IGNORECASE)

Piece = Word | Filled


def read_pdf(content: bytes) -> Document:
    """The units of a PDF. Raises `Refused`: `encrypted`, `scanned`, `xfa_only`, `bad_pdf`, `too_large`."""
    if len(content) > MOST_BYTES:
        raise Refused("too_large", f"The PDF is larger than {MOST_BYTES // 1_000_000} MB.")
    form = read_fields(content)
    pages = read_pages(content, MOST_PAGES)
    words = sum(len(page.words) for page in pages)
    if form.is_dynamic and not form.filled:
        raise Refused(
            "xfa_only", "It is a PDF form of a kind that only Adobe Reader shows. Please send it as .docx."
        )
    if words < _FEWEST_WORDS and not form.filled:
        raise Refused("scanned", "It is a PDF without text, probably a scan. Please send the form itself.")
    stream = Stream()
    repeated = _repeated(pages)
    last: Sequence[Square] = ()
    for number, page in enumerate(pages):
        pieces: list[Piece] = [word for word in page.words if id(word) not in repeated]
        pieces += [filled for filled in form.filled if filled.page == number]
        last = _write_page(stream, page, pieces, last)
    _write_margins(stream, pages, repeated)
    stream.flush()
    return stream.document


def _repeated(pages: Sequence[Page]) -> frozenset[int]:
    """Which words are headers or footers: lines at a page's edge that come again, or that count pages."""
    edges: dict[str, list[list[Piece]]] = {}
    for page in pages:
        for line in _lines(word for word in page.words if _is_at_edge(word, page)):
            edges.setdefault(re.sub(r"\d+", "#", _said(line)), []).append(line)
    return frozenset(
        id(word)
        for said, lines in edges.items()
        if 1 < len(lines) >= len(pages) / 2 or _COUNTS_PAGES.fullmatch(said)
        for line in lines
        for word in line
    )


def _is_at_edge(word: Word, page: Page) -> bool:
    level = word.box.middle[1]
    return level < _EDGE * page.height or level > (1 - _EDGE) * page.height


def _said(line: Iterable[Piece]) -> str:
    return " ".join(piece.text for piece in line)


def _write_margins(stream: Stream, pages: Sequence[Page], repeated: frozenset[int]) -> None:
    """Headers and footers, each once."""
    written = set()
    for page in pages:
        for line in _lines(word for word in page.words if id(word) in repeated):
            said = re.sub(r"\d+", "#", _said(line))
            if said not in written:
                written.add(said)
                part = "footer" if line[0].box.middle[1] < page.height / 2 else "header"
                with stream.beside(part):
                    _write_line(stream, line)


def _write_page(
    stream: Stream, page: Page, pieces: Sequence[Piece], before: Sequence[Square]
) -> Sequence[Square]:
    """Tables and lines from top to bottom; what stands inside a table's cell is written with it.

    `before` is the table with which the page before ended, and what is given back the one with which
    this page ends: a table may go on over the page.
    """
    drawn = tables(page.across, page.down)
    squares = [square for table in drawn for square in table]
    inside: dict[int, list[Piece]] = {}
    free: list[Piece] = []
    for piece in pieces:
        square = _square_of(piece, squares)
        (free if square is None else inside.setdefault(id(square), [])).append(piece)
    edge = page.width - min((piece.box.left for piece in free), default=0.0)  # as wide a margin on both sides
    things: list[tuple[float, list[Square] | list[Piece]]] = [
        (max(square.box.top for square in table), table)
        for table in drawn
        if any(id(square) in inside for square in table)
    ]
    things += [(_level(line[0]), line) for line in _lines(free)]
    above: Sequence[Piece] = ()
    for _, thing in sorted(things, key=lambda one: -one[0]):
        if isinstance(thing[0], Square):
            table = [square for square in thing if isinstance(square, Square)]
            _write_table(stream, table, inside, goes_on=_columns(table) == _columns(before))
            above, before = (), table
        else:
            line = [piece for piece in thing if not isinstance(piece, Square)]
            before = ()
            _write_line(stream, line, after=above if _wraps(above, line, edge) else ())
            above = line
    return before


def _columns(table: Sequence[Square]) -> list[int]:
    """Where the columns of a table begin, in whole points."""
    return sorted({round(square.box.left) for square in table})


def _square_of(piece: Piece, squares: Iterable[Square]) -> Square | None:
    return next((square for square in squares if square.box.holds(piece.box.middle)), None)


def _write_table(
    stream: Stream, squares: Sequence[Square], inside: dict[int, list[Piece]], *, goes_on: bool
) -> None:
    if not goes_on:
        stream.document.tables.append([])
    number, rows = len(stream.document.tables) - 1, stream.document.tables[-1]
    above_row = rows[-1] if goes_on and _goes_on([s for s in squares if not s.top], inside) else []
    first = len(rows) - bool(above_row)
    rows += [[] for _ in range(first + max(square.bottom for square in squares) - len(rows))]
    for square in squares:
        stream.count_place()
        top, bottom = first + square.top, first + square.bottom
        known = next((cell for cell in above_row if not square.top and cell.left == square.left), None)
        stream.cell = known or Cell(number, top, bottom, square.left, square.right)
        if known is None:
            rows[top].append(stream.cell)
        above: Sequence[Piece] = ()
        for line in _lines(inside.get(id(square), ())):
            _write_line(stream, line, after=above if _wraps(above, line, square.box.right) else ())
            above = line
        stream.flush()
    stream.cell = None


def _goes_on(row: Sequence[Square], inside: dict[int, list[Piece]]) -> bool:
    """Whether the first row of a page is the rest of the row with which the page before ended: nothing begins
    in its first cell, and what follows is an answer or goes on in the middle of a sentence."""
    said = ["".join(piece.text for piece in inside.get(id(square), ())) for square in row]
    rest = next((text for text in said if text), "")
    is_rest = not said[0] or said[0][0].islower()
    return len(said) > 1 and is_rest and bool(rest) and (len(said) == 2 or rest[0].islower())


def _wraps(above: Sequence[Piece], line: Sequence[Piece], edge: float) -> bool:
    """Whether a line only goes on with the one above, whose end had no room for its first word."""
    if not above or not all(isinstance(piece, Word) for piece in (*above, *line)):
        return False
    first, last = line[0].box, above[-1].box
    height = first.top - first.bottom
    is_below = abs(above[0].box.left - first.left) < height and last.bottom - first.top < (_NEAR - 1) * height
    is_full = last.right + first.right - first.left + height / 4 > edge - height / 2
    said = _said(above)  # in a box of its own, narrower than the page
    goes_on = _UNFINISHED.search(said) is not None or line[0].text[:1].islower()
    is_open = said.count("(") > said.count(")") or (":" in said and goes_on)
    is_asked = said.endswith((".", "!", "?")) and line[-1].text.endswith(":")  # the next question
    return is_below and (is_full or is_open) and not is_asked


def _write_line(stream: Stream, line: Sequence[Piece], after: Sequence[Piece] = ()) -> None:
    """One line; where it goes on with the line `after` which it stands, no new one is begun."""
    if not after:
        stream.new_line()
    elif not re.search(r"[^\W\d_]-$", after[-1].text):
        stream.say(" ")
    before: Piece | None = None
    for piece in line:
        if before is not None:
            stream.say("\t" if _is_apart(before, piece) else " ")
        if isinstance(piece, Word):
            stream.strike(piece.struck)
            stream.say(piece.text)
        else:
            _write_filled(stream, piece)
        before = piece
    stream.strike(False)
    stream.flush()


def _write_filled(stream: Stream, filled: Filled) -> None:
    if filled.kind == "checkbox":
        stream.tick(filled.ticked, tag=filled.tag, alias=filled.alias)
    elif filled.kind == "control":
        stream.control(filled.text, tag=filled.tag, alias=filled.alias)
    else:
        for number, text in enumerate(filled.text.split("\n")):
            if number:
                stream.new_line()
            stream.say(text)


def _is_apart(one: Piece, other: Piece) -> bool:
    if isinstance(one, Word) and isinstance(other, Word):
        height = min(one.box.top - one.box.bottom, other.box.top - other.box.bottom)
        return other.box.left - one.box.right > _WIDE * height
    return False


def _lines(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces on a level together, from left to right; the topmost line first."""
    ordered = sorted(pieces, key=lambda piece: -_level(piece))
    heights = [piece.box.top - piece.box.bottom for piece in ordered if isinstance(piece, Word)]
    near = (median(heights) if heights else 12.0) / 2
    line: list[Piece] = []
    for piece in ordered:
        if line and _level(line[0]) - _level(piece) > near:
            yield sorted(line, key=lambda one: one.box.left)
            line = []
        line.append(piece)
    if line:
        yield sorted(line, key=lambda one: one.box.left)


def _level(piece: Piece) -> float:
    """How high a piece stands: its middle, or that of its first line where it has several."""
    if isinstance(piece, Filled) and (piece.tall or piece.kind == "text"):
        return max(piece.box.top - 7.0, piece.box.middle[1])
    return piece.box.middle[1]
