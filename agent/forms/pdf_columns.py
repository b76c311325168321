"""Words that stand in columns without lines between them → the lines that one sees all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.forms.pdf_grid import Box, Rule, Square
from agent.forms.pdf_lines import Spacing, lines
from agent.forms.pdf_page import Word

_ALIGNED = 1.0  # points: how far from each other the words of one column may begin
_GAP = 10.8  # points that Word keeps free between two columns
_TAB_STEPS = (36.0, 35.43)  # points: half an inch, and what LibreOffice has for it
_BESIDE = 2.0  # points before a column's words: where its line is seen
_FAR = 3.0  # in sizes of the font: lines further apart are not of one table

Segment = list[Word]
Row = list[tuple[float, dict[int, Segment]]]  # its lines: how high each stands, and what is in its columns


def imagined(
    words: Sequence[Word], drawn: Sequence[Square], across: Sequence[Rule], spacing: Spacing, right: float
) -> tuple[list[Rule], list[Rule]]:
    """Level and upright lines around what stands in columns. `words` are those outside the `drawn`
    cells, `across` the level lines that are drawn, and `right` is how far words may reach."""
    level: list[Rule] = []
    upright: list[Rule] = []
    found = list(_segmented(words, spacing))
    page = _Page(across, [square.box.top for square in drawn], spacing, right)
    known = [columns for columns, _ in _seen(found, page, [])]
    for columns, rows in _seen([_as_known(line, known) for line in found], page, known):
        heights = _edges(rows, across, columns)
        places = [*(column - _BESIDE for column in columns), right + _BESIDE]
        level += [(height, places[0], places[-1]) for height in heights]
        upright += [(place, heights[-1], heights[0]) for place in places]
    return level, upright


@dataclass(frozen=True)
class _Page:
    """The level lines drawn, upper edges of drawn cells, what spaces tell, and how far words may reach."""

    across: Sequence[Rule]
    tops: Sequence[float]
    spacing: Spacing
    right: float


def _seen(
    found: Sequence[list[Segment]], page: _Page, known: Sequence[list[float]]
) -> Iterator[tuple[list[float], list[Row]]]:
    """Columns and rows of what is a table without lines: something in it takes more than one line, and two
    rows at least have the columns, if these are not `known` from elsewhere on the page."""
    start = 0
    while start < len(found):
        columns, end = _columns(found, start, page.tops)
        is_known = any(_are_same(columns, others) for others in known)
        block = [_parted(line, columns) for line in found[start:end]]
        if len(columns) > 1 and (is_known or _are_all_begun(block, columns)):
            rows = list(_rows(block, columns, page))
            if any(len(row) > 1 for row in rows) and (is_known or sum(map(_is_parted, rows)) > 1):
                yield columns, rows
        else:
            end = start
        start = max(end, start + 1)


def _as_known(line: list[Segment], known: Sequence[list[float]]) -> list[Segment]:
    """A line parted where one of the known columns begins, however little room there is before it."""
    for columns in known:
        parts = _parted(line, columns)
        if len(parts) > len(line) and _fits(line, columns):
            return parts
    return line


def _are_same(columns: Sequence[float], others: Sequence[float]) -> bool:
    return len(columns) == len(others) and all(
        abs(one - other) <= _ALIGNED for one, other in zip(columns, others, strict=True)
    )


def _are_all_begun(block: Sequence[list[Segment]], columns: Sequence[float]) -> bool:
    """Whether two lines at least have something in each column."""
    begun = Counter(_column_of(segment[0], columns) for line in block for segment in line)
    return all(begun[number] > 1 for number in range(len(columns)))


def _segmented(words: Sequence[Word], spacing: Spacing) -> Iterator[list[Segment]]:
    """Lines, each parted where a tab or another column's edge is."""
    for line in lines(words):
        segments: list[Segment] = []
        for word in (piece for piece in line if isinstance(piece, Word)):
            if segments and spacing.between(segments[-1][-1], word) != "\t":
                segments[-1].append(word)
            else:
                segments.append([word])
        yield segments


def _columns(found: Sequence[list[Segment]], start: int, tops: Sequence[float]) -> tuple[list[float], int]:
    """Where the parts of a line begin, and before which line those end that have no others."""
    columns = [segment[0].box.left for segment in found[start]]
    end = start + 1
    while end < len(found) and _fits(found[end], columns) and _is_near(found[end - 1], found[end], tops):
        end += 1
    return columns, end


def _fits(line: Sequence[Segment], columns: Sequence[float]) -> bool:
    """Whether each part of a line begins in a column, and none reaches into the next."""
    parts = _parted(line, columns)
    numbers = [_column_of(segment[0], columns) for segment in parts]
    return None not in numbers and all(
        number is not None and segment[-1].box.right < [*columns, float("inf")][number + 1]
        for number, segment in zip(numbers, parts, strict=True)
    )


def _column_of(word: Word, columns: Sequence[float]) -> int | None:
    return next((n for n, column in enumerate(columns) if abs(word.box.left - column) <= _ALIGNED), None)


def _parted(line: Sequence[Segment], columns: Sequence[float]) -> list[Segment]:
    """The parts of a line, where a column that begins close behind a word parts them too."""
    parts: list[Segment] = []
    for segment in line:
        for number, word in enumerate(segment):
            if not number or (word.starts and _column_of(word, columns)):
                parts.append([])
            parts[-1].append(word)
    return parts


def _is_near(above: Sequence[Segment], line: Sequence[Segment], tops: Sequence[float]) -> bool:
    """Whether a line stands closely below another, with no drawn cell between."""
    upper, box = above[0][0].box, line[0][0].box
    is_close = upper.bottom - box.top < _FAR * (box.top - box.bottom)
    return is_close and not any(box.middle[1] < top < upper.middle[1] for top in tops)


def _rows(block: Sequence[list[Segment]], columns: Sequence[float], page: _Page) -> Iterator[Row]:
    """Lines of which each only goes on with the one before are one row; so are those between drawn lines."""
    edges = [*(column - _GAP for column in columns[1:]), page.right]
    is_ruled = bool(_ruled(block[0][0][0].box.top, block[-1][0][0].box.bottom, page.across, columns))
    row: Row = []
    for line in block:
        told = {_column_of(segment[0], columns) or 0: segment for segment in line}
        height = line[0][0].box.middle[1]
        before = _last(row, 0)
        is_label = 0 in told and page.spacing.wraps and bool(before) and before[-1].spaced
        asked = {0: told[0]} if is_label else told  # a label that goes on keeps its answer's lines together
        goes_on = bool(row) and all(
            _goes_on(_last(row, number), segment, edges[number], columns, page.spacing)
            or (number > 0 and len(columns) == 2 and 0 not in told)
            for number, segment in asked.items()
        )
        if row and is_ruled:  # where only a heading stands above a row, the row begins below it
            is_headed = len(told) > 1 and not _is_parted(row) and not goes_on
            goes_on = not is_headed and not _ruled(row[-1][0], height, page.across, columns)
        if row and not goes_on:
            yield row
            row = []
        row.append((height, told))
    yield row


def _goes_on(
    above: Segment, segment: Segment, edge: float, columns: Sequence[float], spacing: Spacing
) -> bool:
    """Whether a part only goes on with the one above. Where columns may stand where tabs lead by themselves,
    nothing is told by how far a part reaches."""
    if spacing.joint(above, segment, edge) is None:
        return False
    is_spaced = above[-1].spaced if spacing.wraps else segment[0].text[:1].islower()
    return is_spaced or not any(
        abs((column - columns[0]) / step - round((column - columns[0]) / step)) * step <= _ALIGNED
        for column in columns[1:]
        for step in _TAB_STEPS
    )


def _is_parted(row: Row) -> bool:
    return any(len(told) > 1 for _, told in row)


def _last(row: Row, number: int) -> Segment:
    """What stands in a column on the last line of a row that has something there."""
    return next((told[number] for _, told in reversed(row) if number in told), [])


def _ruled(top: float, bottom: float, across: Sequence[Rule], columns: Sequence[float]) -> list[float]:
    """The drawn lines between two heights that run along the columns."""
    return [y for y, low, high in across if bottom < y < top and low <= columns[0] and high > columns[-1]]


def _edges(rows: Sequence[Row], across: Sequence[Rule], columns: Sequence[float]) -> list[float]:
    """Where rows begin and end, from the top: at a drawn line, or else halfway between two."""
    first, last = _box(rows[0][0]), _box(rows[-1][-1])
    between = []
    for above, below in pairwise(rows):
        upper, lower = _box(above[-1]), _box(below[0])
        drawn = _ruled(upper.middle[1], lower.middle[1], across, columns)
        between.append(drawn[0] if drawn else (upper.bottom + lower.top) / 2)
    return [first.top + 1, *between, last.bottom - 1]


def _box(line: tuple[float, dict[int, Segment]]) -> Box:
    return next(iter(line[1].values()))[0].box
