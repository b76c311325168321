"""Addresses in a sheet: `C5`, `B4:AK30`, and the ranges that grow when rows are added below them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")


@dataclass(frozen=True)
class Area:
    """A rectangle of cells; rows and columns count from 1 and are inclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        first, last = cell(self.left, self.top), cell(self.right, self.bottom)
        return first if first == last else f"{first}:{last}"

    def holds(self, column: int, row: int) -> bool:
        return self.left <= column <= self.right and self.top <= row <= self.bottom

    def meets(self, other: Area) -> bool:
        apart = self.right < other.left or other.right < self.left
        return not apart and self.top <= other.bottom and other.top <= self.bottom


def area(text: str) -> Area | None:
    """`B4:AK30` or `C5` → its rectangle; None for anything else (whole rows, other sheets, nonsense)."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    left, top = number(found[1]), int(found[2])
    right, bottom = (number(found[3]), int(found[4])) if found[3] else (left, top)
    return Area(min(left, right), min(top, bottom), max(left, right), max(top, bottom))


def cell(column: int, row: int) -> str:
    return f"{letters(column)}{row}"


def letters(column: int) -> str:
    """1 → `A`, 27 → `AA`. ValueError where there is no such column."""
    if column < 1:
        raise ValueError(f"there is no column {column}")
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def number(column_letters: str) -> int:
    """`A` → 1, `AA` → 27."""
    total = 0
    for letter in column_letters:
        total = total * 26 + ord(letter) - 64
    return total


def grown(sqref: str, *, first: int, old_last: int, new_last: int) -> str:
    """A list of ranges in which those that went down to the table's last row go down to its new one.

    `first` is the table's first row of data. A single cell in the last row is somebody's mark on that
    one row and stays, unless the table had only that row.
    """
    return " ".join(_grown(part, first, old_last, new_last) for part in sqref.split())


def _grown(text: str, first: int, old_last: int, new_last: int) -> str:
    found = area(text)
    if found is None or not old_last <= found.bottom < new_last or found.top > old_last:
        return text
    if found.top == old_last and first != old_last:
        return text
    return str(replace(found, bottom=new_last))
