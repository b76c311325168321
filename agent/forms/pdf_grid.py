"""Ruled lines on a page → the tables that they draw."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

NEAR = 2.5  # points: lines closer than this are one line, drawn twice or as the two edges of a rule
MOST_SQUARES = 40_000


@dataclass(frozen=True)
class Box:
    """A rectangle on a page, in points from the page's lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def holds(self, point: tuple[float, float]) -> bool:
        return self.left <= point[0] <= self.right and self.bottom <= point[1] <= self.top


@dataclass(frozen=True)
class Square:
    """A cell of a drawn table: where it lies, and the rows and columns that it covers (ends excluded)."""

    box: Box
    top: int
    bottom: int
    left: int
    right: int


Rule = tuple[float, float, float]  # where it lies, and from where to where it runs


def tables(across: Sequence[Rule], down: Sequence[Rule]) -> list[list[Square]]:
    """The cells of each table, row by row, topmost table first.

    `across` are horizontal lines (y, from x, to x), `down` vertical ones (x, from y, to y).
    """
    xs, ys = _places(rule[0] for rule in down), _places(rule[0] for rule in across)
    if len(xs) < 2 or len(ys) < 2 or len(xs) * len(ys) > MOST_SQUARES:
        return []
    walls = {(x, row) for x, low, high in _whole(down, xs) for row in _between(ys, low, high)}
    floors = {(column, y) for y, low, high in _whole(across, ys) for column in _between(xs, low, high)}
    regions = _regions(len(xs) - 1, len(ys) - 1, walls, floors)
    return _tables([_bounds(region) for region in regions if _is_closed(region, xs, ys)], xs, ys)


def _places(values: Iterable[float]) -> list[float]:
    """Distinct places, those near each other taken together."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > NEAR:
            found.append(value)
    return found


def _at(places: Sequence[float], value: float) -> int:
    """The index of the place that `value` belongs to."""
    index = bisect_left(places, value)
    near = [other for other in (index - 1, index) if 0 <= other < len(places)]
    return min(near, key=lambda other: abs(places[other] - value))


def _whole(rules: Iterable[Rule], places: Sequence[float]) -> Iterator[tuple[int, float, float]]:
    """The lines at each place, by its index, from where to where; those drawn in pieces as one each."""
    last: tuple[int, float, float] | None = None
    for place, low, high in sorted((_at(places, place), low, high) for place, low, high in rules):
        if last and place == last[0] and low <= last[2] + NEAR:
            last = (place, last[1], max(last[2], high))
        else:
            if last:
                yield last
            last = (place, low, high)
    if last:
        yield last


def _between(places: Sequence[float], low: float, high: float) -> Iterable[int]:
    """The gaps between places that a line from `low` to `high` closes; one that only underlines what stands
    there closes none."""
    for index in range(bisect_left(places, low - NEAR), len(places) - 1):
        if places[index + 1] > high + NEAR:
            return
        yield index


Spot = tuple[int, int]  # column and row of the finest grid, counted from the lower left


def _regions(wide: int, high: int, walls: set[Spot], floors: set[Spot]) -> list[list[Spot]]:
    """Spots that no line separates, together. What is open to the page's edge holds (-1, -1)."""
    root = _Groups()
    for column in range(-1, wide):
        for row in range(-1, high):
            here = _inside(column, row, wide, high)
            if row >= 0 and (column + 1, row) not in walls:
                root.join(here, _inside(column + 1, row, wide, high))
            if column >= 0 and (column, row + 1) not in floors:
                root.join(here, _inside(column, row + 1, wide, high))
    return root.groups((column, row) for column in range(wide) for row in range(high))


def _inside(column: int, row: int, wide: int, high: int) -> Spot:
    return (column, row) if 0 <= column < wide and 0 <= row < high else (-1, -1)


class _Groups:
    """Things that belong together, by way of others."""

    def __init__(self) -> None:
        self._up: dict[Spot, Spot] = {}

    def find(self, spot: Spot) -> Spot:
        while (up := self._up.get(spot, spot)) != spot:
            self._up[spot] = self._up.get(up, up)
            spot = up
        return spot

    def join(self, one: Spot, other: Spot) -> None:
        one, other = sorted((self.find(one), self.find(other)))
        self._up[other] = one  # so that the outside, (-1, -1), always leads

    def groups(self, spots: Iterable[Spot]) -> list[list[Spot]]:
        found: dict[Spot, list[Spot]] = {}
        outside = self.find((-1, -1))
        for spot in spots:
            if (root := self.find(spot)) != outside:
                found.setdefault(root, []).append(spot)
        return list(found.values())


def _bounds(region: Sequence[Spot]) -> tuple[int, int, int, int]:
    columns, rows = [spot[0] for spot in region], [spot[1] for spot in region]
    return min(columns), min(rows), max(columns) + 1, max(rows) + 1


def _is_closed(region: Sequence[Spot], xs: Sequence[float], ys: Sequence[float]) -> bool:
    """A rectangle, and large enough for a word."""
    left, low, right, high = _bounds(region)
    is_rectangle = len(region) == (right - left) * (high - low)
    return is_rectangle and xs[right] - xs[left] > 3 * NEAR and ys[high] - ys[low] > 3 * NEAR


def _tables(
    cells: Sequence[tuple[int, int, int, int]], xs: Sequence[float], ys: Sequence[float]
) -> list[list[Square]]:
    """Cells that touch are one table."""
    groups = _Groups()
    owners: dict[Spot, Spot] = {}
    for left, low, right, high in cells:
        for spot in ((column, row) for column in range(left, right) for row in range(low, high)):
            owners[spot] = (left, low)
    for (column, row), owner in owners.items():
        for beside in ((column + 1, row), (column, row + 1)):
            if beside in owners:
                groups.join(owner, owners[beside])
    by_owner = {(cell[0], cell[1]): cell for cell in cells}
    found = [_numbered([by_owner[owner] for owner in group], xs, ys) for group in groups.groups(by_owner)]
    return sorted(found, key=lambda table: -max(square.box.top for square in table))


def _numbered(
    cells: Sequence[tuple[int, int, int, int]], xs: Sequence[float], ys: Sequence[float]
) -> list[Square]:
    """Rows counted from the top and columns from the left, only those that this table has."""
    column = _ranks([cell[0] for cell in cells] + [cell[2] for cell in cells])
    row = _ranks([-cell[1] for cell in cells] + [-cell[3] for cell in cells])
    squares = [
        Square(
            Box(xs[left], ys[low], xs[right], ys[high]), row(-high), row(-low), column(left), column(right)
        )
        for left, low, right, high in cells
    ]
    return sorted(squares, key=lambda square: (square.top, square.left))


def _ranks(values: Iterable[int]) -> Callable[[int], int]:
    order = sorted(set(values))
    return {value: index for index, value in enumerate(order)}.__getitem__
