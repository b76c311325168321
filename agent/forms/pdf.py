"""A PDF with text, with form fields, or both → one ordered stream of units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.forms.pdf_columns import imagined
from agent.forms.pdf_fields import MOST_PAGES, Filled, read_fields
from agent.forms.pdf_grid import NEAR, Square, tables
from agent.forms.pdf_lines import Piece, level, lines, said, spacing_of
from agent.forms.pdf_page import Page, Word, read_pages
from agent.forms.stream import Stream
from agent.forms.units import Cell, Document, Refused

MOST_BYTES = 25_000_000
_FEWEST_WORDS = 5  # with fewer, the page is a picture
_INSET = 8.0  # points further right than the margin: in a box of its own, which may be narrower than the page
_TALL = 2.5  # in sizes of the font: a box with room for several lines
_PADDING = 5.4  # points that Word keeps free at a cell's sides
_EDGE = 0.1  # of a page's height: where headers and footers stand
_COUNTS_PAGES = re.compile(r"(?:page )?#(?: ?(?:of|/) ?#)?", re.IGNORECASE)


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
    written = _Writer(pages)
    for number, page in enumerate(pages):
        written.page(page, [filled for filled in form.filled if filled.page == number])
    written.margins()
    written.stream.flush()
    return written.stream.document


def _repeated(pages: Sequence[Page]) -> frozenset[int]:
    """Which words are headers or footers: lines at a page's edge that come again, or that count pages."""
    edges: dict[str, list[list[Piece]]] = {}
    for page in pages:
        for line in lines(word for word in page.words if _is_at_edge(word, page)):
            edges.setdefault(re.sub(r"\d+", "#", said(line)), []).append(line)
    return frozenset(
        id(word)
        for text, alike in edges.items()
        if 1 < len(alike) >= len(pages) / 2 or _COUNTS_PAGES.fullmatch(text)
        for line in alike
        for word in line
    )


def _is_at_edge(word: Word, page: Page) -> bool:
    height = word.box.middle[1]
    return height < _EDGE * page.height or height > (1 - _EDGE) * page.height


class _Writer:
    """Writes page after page. What a page ended with may go on over the next: a line, or a table."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.stream = Stream()
        self._pages = pages
        self._repeated = _repeated(pages)
        self._spacing = spacing_of(pages)
        self._margin = min((word.box.left for page in pages for word in self._own(page)), default=0.0)
        self._line: Sequence[Piece] = ()  # the last one written outside a table, nothing since
        self._columns: Sequence[float] = []  # where those of the last table begin and end, likewise
        self._begins: dict[int, Sequence[Piece]] = {}  # the first line of each cell
        self._ends: dict[int, Sequence[Piece]] = {}  # and its last

    def _own(self, page: Page) -> list[Word]:
        return [word for word in page.words if id(word) not in self._repeated]

    def margins(self) -> None:
        """Headers and footers, each once."""
        written = set()
        for page in self._pages:
            for line in lines(word for word in page.words if id(word) in self._repeated):
                text = re.sub(r"\d+", "#", said(line))
                if text not in written:
                    written.add(text)
                    part = "footer" if line[0].box.middle[1] < page.height / 2 else "header"
                    with self.stream.beside(part):
                        self._write_line(line)

    def page(self, page: Page, filled: Sequence[Filled]) -> None:
        """Tables and lines from top to bottom; what stands inside a table's cell is written with it."""
        words = self._own(page)
        found = [(table, _level(table, words)) for table in self._tables(page, words)]
        drawn = [(table, top) for table, top in found if top is not None]
        squares = [square for table, _ in drawn for square in table]
        inside: dict[int, list[Piece]] = {}
        free: list[Piece] = []
        pieces: list[Piece] = [*words, *filled]
        for piece in pieces:
            square = next((one for one in squares if one.box.holds(piece.box.middle)), None)
            (free if square is None else inside.setdefault(id(square), [])).append(piece)
        things: list[tuple[float, list[Square] | list[Piece]]] = [
            (top, table) for table, top in drawn if any(id(square) in inside for square in table)
        ]
        things += [(level(line[0]), line) for line in lines(free)]
        turned = True
        for _, thing in sorted(things, key=lambda one: -one[0]):
            if isinstance(thing[0], Square):
                table = [square for square in thing if isinstance(square, Square)]
                self._write_table(table, inside, turned=turned)
            else:
                self._write_free(
                    [piece for piece in thing if not isinstance(piece, Square)], page.width, turned=turned
                )
            turned = False

    def _tables(self, page: Page, words: Sequence[Word]) -> list[list[Square]]:
        """The tables that are drawn, and those that one sees though no lines are drawn around them."""
        drawn = tables(page.across, page.down)
        squares = [square for table in drawn for square in table]
        free = [word for word in words if not any(one.box.holds(word.box.middle) for one in squares)]
        across, down = imagined(free, squares, page.across, self._spacing, page.width - self._margin)
        return tables([*page.across, *across], [*page.down, *down]) if across else drawn

    def _write_free(self, line: Sequence[Piece], width: float, *, turned: bool) -> None:
        """A line outside all tables. On both sides of a page the margin is as wide."""
        is_inset = line[0].box.left > self._margin + _INSET
        edge = None if is_inset else width - self._margin
        self._write_line(line, self._spacing.joint(self._line, line, edge, turned=turned))
        self._line, self._columns = line, []

    def _write_table(self, drawn: Sequence[Square], inside: dict[int, list[Piece]], *, turned: bool) -> None:
        columns = _columns(drawn)
        goes_on = turned and _is_among(columns, self._columns)
        if not goes_on:
            self.stream.document.tables.append([])
            self._columns = columns
        squares = [(square, _placed(square, self._columns)) for square in drawn]
        number, rows = len(self.stream.document.tables) - 1, self.stream.document.tables[-1]
        above = rows[-1] if goes_on and self._goes_on(rows[-1], drawn, inside) else []
        first = len(rows) - bool(above)
        rows += [[] for _ in range(first + max(square.bottom for square in drawn) - len(rows))]
        for square, (left, right) in squares:
            self.stream.count_place()
            known = next((cell for cell in above if not square.top and cell.left == left), None)
            cell = self.stream.cell = known or Cell(
                number, first + square.top, first + square.bottom, left, right
            )
            if known is None:
                rows[cell.top].append(cell)
            self._write_cell(cell, square, inside.get(id(square), ()), turned=known is not None)
        self.stream.cell = None
        self._line = ()

    def _write_cell(self, cell: Cell, square: Square, pieces: Sequence[Piece], *, turned: bool) -> None:
        for line in lines(pieces):
            above = self._ends.get(id(cell), ())
            self._write_line(line, self._spacing.joint(above, line, _edge(square), turned=turned))
            self._begins.setdefault(id(cell), line)
            self._ends[id(cell)], turned = line, False
        self.stream.flush()

    def _goes_on(
        self, above: Sequence[Cell], squares: Sequence[Square], inside: dict[int, list[Piece]]
    ) -> bool:
        """Whether the first row of a page is the rest of the row with which the page before ended: each cell
        that says anything goes on in the middle of a sentence; or nothing begins in the first cell, and what
        follows is an answer or goes on in lower case."""
        row = [(square, _placed(square, self._columns)[0]) for square in squares if not square.top]
        if [cell.left for cell in above] != [left for _, left in row]:
            return False
        begun = {cell.left: self._begins.get(id(cell), ()) for cell in above}
        ended = {cell.left: self._ends.get(id(cell), ()) for cell in above}
        tops = {left: next(lines(inside.get(id(square), ())), []) for square, left in row}
        if all(
            self._spacing.joint(ended.get(left, ()), tops[left], _edge(square), turned=True) is not None
            for square, left in row
            if tops[left]
        ):
            return True
        if len(row) == 2 and _is_other_than_label(begun, tops):
            return True
        first, rest = said(tops[row[0][1]]), said(next(line for line in tops.values() if line))
        is_rest = not first or first[0].islower()
        return len(row) > 1 and is_rest and (len(row) == 2 or rest[0].islower())

    def _write_line(self, line: Sequence[Piece], joint: str | None = None) -> None:
        """One line, or the rest of the one before, with `joint` between."""
        stream = self.stream
        if joint is None:
            stream.new_line()
        stream.say(joint)
        before: Piece | None = None
        for piece in line:
            if before is not None:
                stream.say(self._spacing.between(before, piece))
            if isinstance(piece, Word):
                stream.strike(piece.struck)
                stream.say(piece.text)
            else:
                _write_filled(stream, piece)
            before = piece
        stream.strike(False)
        stream.flush()


def _is_other_than_label(above: Mapping[int, Sequence[Piece]], row: Mapping[int, Sequence[Piece]]) -> bool:
    """Whether the first of two cells looks like its neighbour or like nothing else, where the row above sets
    label and answer in different fonts: guidance that belongs to the label above."""
    (label, answer), (first, second) = (
        [line[0].font if line and isinstance(line[0], Word) else "" for _, line in sorted(cells.items())]
        for cells in (above, row)
    )
    return "" not in (label, answer, first, second) and label != answer == second and first != label


def _edge(square: Square) -> float:
    """How far to the right text reaches in a cell."""
    return square.box.right - _PADDING


def _level(table: Sequence[Square], words: Sequence[Word]) -> float | None:
    """How high a table stands among the lines: below the label that a lone box, drawn to be filled in, has
    before it. None for a box of one line, which belongs to its label's line."""
    top, box = max(square.box.top for square in table), table[0].box
    before = [
        word.box
        for word in words
        if len(table) == 1 and word.box.right < box.left and box.bottom < word.box.middle[1] < box.top
    ]
    if not before:
        return top
    is_tall = box.top - box.bottom > _TALL * max(word.top - word.bottom for word in before)
    return min(word.bottom for word in before) if is_tall else None


def _columns(table: Sequence[Square]) -> list[float]:
    """Where the columns of a table begin and end."""
    return sorted({edge for square in table for edge in (square.box.left, square.box.right)})


def _is_among(columns: Sequence[float], others: Sequence[float]) -> bool:
    """Whether a table is as wide as another, and parted where that one is, though perhaps not everywhere."""
    is_as_wide = bool(others) and all(abs(columns[end] - others[end]) <= NEAR for end in (0, -1))
    return is_as_wide and all(any(abs(edge - other) <= NEAR for other in others) for edge in columns)


def _placed(square: Square, columns: Sequence[float]) -> tuple[int, int]:
    """The columns that a square covers, its end excluded."""
    left, right = (
        min(range(len(columns)), key=lambda number: abs(columns[number] - edge))
        for edge in (square.box.left, square.box.right)
    )
    return left, right


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
