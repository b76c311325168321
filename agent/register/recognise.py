"""Whose row is it? A row carries its key twice: where people see it, and in a hidden column with a check.

So a key that somebody damaged, or sorted away from its row, is known again from the hidden one, and a row
that carries the keys of two is seen. Pure.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.register.base import Doubt
from agent.register.cells import reference_key, shown


def check_of(key: str) -> str:
    """What stands in the hidden column of this key's row: the key and a check on it."""
    return f"{key} {hashlib.sha256(key.encode()).hexdigest()[:6]}"


@dataclass(frozen=True)
class Recognised:
    """The key of each row in turn, "" for a row that has none.

    `twice` are keys in more than one row, `torn` those of a row that carries the keys of two: nobody can
    tell whose it is.
    """

    keys: tuple[str, ...]
    twice: frozenset[str]
    torn: frozenset[str]

    @property
    def unsure(self) -> frozenset[str]:
        """Keys whose rows are neither to be read nor written."""
        return self.twice | self.torn

    def doubts(self, *, lost: bool) -> Iterator[Doubt]:
        """What people are to be told; `lost`: something stands in a row without a key."""
        for key in sorted(self.twice):
            yield Doubt(
                "key_twice",
                shown(key),
                f"{shown(key)} stands in more than one row. None of them is kept until one is left: "
                "delete the others.",
            )
        for key in sorted(self.torn - self.twice):
            yield Doubt(
                "torn_row",
                shown(key),
                f"{shown(key)} stands in a row where another one stood, or in its own place stands another. "
                "Somebody pasted over a row. Undo that, or restore an earlier version of the workbook.",
            )
        if lost:
            yield Doubt(
                "row_without_key",
                "",
                "A row has no reference. It is left alone. Put its reference back, or delete the row.",
            )


def keys_in(seen: str, hidden: str) -> tuple[str, str]:
    """The keys that a row carries, in the cell that people see and in the hidden one: "" where there is none,
    in the hidden one unless it is exactly what the agent wrote."""
    key = hidden.rpartition(" ")[0]
    return reference_key(seen), key if key and check_of(key) == hidden else ""


def recognised(rows: Iterable[tuple[str, str]]) -> Recognised:
    """Rows by the keys that each carries (`keys_in`) → whose they are.

    Where both are whole and differ, the hidden one is right: it stays with its row when somebody sorts the
    visible column alone, or mistypes a key. Unless the other key has a whole row of its own: then
    somebody pasted that row over this one.
    """
    pairs = list(rows)
    whole = {seen for seen, kept in pairs if seen == kept}
    torn = {key for seen, kept in pairs if kept and seen != kept and seen in whole for key in (seen, kept)}
    keys = tuple(kept or seen for seen, kept in pairs)
    twice = {key for key, count in Counter(keys).items() if key and count > 1}
    return Recognised(keys, frozenset(twice), frozenset(torn))
