"""Delta queries of one folder: rounds, pages, tokens, and what the real service loses and repeats.

A round is worked out when it starts, from the folder's journal; each page shows the mails as they are
when it is asked for. Tokens are remembered in a bounded store, as Exchange does: the oldest are
forgotten, and whoever comes back with one is answered 410 and has to start again.
"""

from __future__ import annotations

import base64
import secrets
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.sandbox.answers import Refused
from agent.sandbox.queries import matching

if TYPE_CHECKING:
    from agent.sandbox.habits import Habits
    from agent.sandbox.stored import Folder, JournalRow, StoredMessage

TOKENS_REMEMBERED = 500
MOST_WITH_FILTER = 5_000  # a round with $filter silently ends here


@dataclass(frozen=True)
class Options:
    """The query options of a round's first request; they are baked into its tokens."""

    select: tuple[str, ...] = ()
    filter: str = ""
    expand: str = ""
    top: int | None = None
    change_type: str = ""


@dataclass(frozen=True)
class DeltaRow:
    """One row: a mail shown whole (`fields` None) or only what changed, or a mail that left."""

    message: StoredMessage
    id: str
    immutable_id: str
    fields: frozenset[str] | None = None
    removed: str = ""

    @property
    def change_type(self) -> str:
        if self.removed:
            return "deleted"
        return "created" if self.fields is None else "updated"


@dataclass(frozen=True)
class Position:
    """Where a token stands. `rows` wait to be told; None means that the next round is yet to start."""

    folder: Folder
    options: Options
    told_up_to: int
    rows: Sequence[DeltaRow] | None = None
    offset: int = 0
    empty_pages: int = 0


class DeltaTokens:
    """The tokens of one mailbox and what they stand for."""

    def __init__(self, remembered: int = TOKENS_REMEMBERED) -> None:
        self._remembered = remembered
        self._generation = 0
        self._positions: OrderedDict[int, tuple[str, Position]] = OrderedDict()

    def issue(self, position: Position) -> str:
        self._generation += 1
        token = base64.urlsafe_b64encode(f"{self._generation}.{secrets.token_hex(24)}".encode()).decode()
        self._positions[self._generation] = (token, position)
        while len(self._positions) > self._remembered:
            self._positions.popitem(last=False)
        return token

    def position(self, token: str) -> Position:
        generation = _generation(token)
        known = self._positions.get(generation)
        if known is None:
            raise self._gone(generation)
        if known[0] != token:
            raise Refused(400, "ErrorInvalidSyncStateData", "The sync state data is invalid.")
        return known[1]

    def evict(self) -> None:
        """Forget every token, as Exchange does when its cache is full."""
        self._positions.clear()

    def _gone(self, generation: int) -> Refused:
        lowest = next(iter(self._positions), self._generation + 1)
        said = f"generation={generation};[highest={self._generation}][lowest={lowest}]"
        return Refused(410, "SyncStateNotFound", f"The sync state generation is not found; {said}.")


def _generation(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token.encode()).partition(b".")[0])
    except ValueError:
        raise Refused(400, "ErrorInvalidSyncStateData", "The sync state data is invalid.") from None


def first_round(folder: Folder, options: Options, changes: int, habits: Habits) -> Position:
    """Everything that lies in the folder now, newest first."""
    messages = matching(reversed(folder.messages), options.filter)
    if options.filter:
        messages = messages[:MOST_WITH_FILTER]
    rows = [DeltaRow(message, message.id, message.immutable_id) for message in messages]
    return Position(folder, options, changes, rows, empty_pages=habits.empty_pages)


def next_round(position: Position, changes: int, habits: Habits, immutable: bool) -> Position:
    """What happened in the folder since `position`."""
    journal = position.folder.journal
    start = bisect_right(journal, position.told_up_to, key=lambda row: row.number)
    rows = list(_rows(journal[max(0, start - habits.replay) :], habits, immutable))
    return replace(position, told_up_to=changes, rows=rows, offset=0, empty_pages=habits.empty_pages)


def _rows(journal: Iterable[JournalRow], habits: Habits, immutable: bool) -> Iterable[DeltaRow]:
    stories: dict[str, list[JournalRow]] = {}
    for row in journal:
        key = row.immutable_id if immutable else row.id
        stories.setdefault(key, []).append(row)
    for story in stories.values():
        yield from _told(story, habits)


def _told(story: list[JournalRow], habits: Habits) -> list[DeltaRow]:
    """What a round says of one mail.

    A mail that left and came back between two polls is told as removed and never shows again when
    immutable ids are used: the id is one and the same, and the removal wins.
    """
    last = story[-1]
    removal = next((row for row in reversed(story) if row.kind == "removed"), None)
    if removal is not None:
        reason = "deleted" if removal.for_good else "changed"
        return [DeltaRow(last.message, last.id, last.immutable_id, removed=reason)]
    told = story if habits.repeat_rows else story[-1:]
    whole = not habits.sparse_rows or story[0].kind == "created"
    fields = None if whole else frozenset().union(*(row.fields for row in story))
    return [DeltaRow(row.message, row.id, row.immutable_id, fields) for row in told]


def page(position: Position, size: int) -> tuple[Sequence[DeltaRow], Position]:
    """The next rows, and where the token after them stands."""
    rows = position.rows or ()
    if position.empty_pages:
        return (), replace(position, empty_pages=position.empty_pages - 1)
    end = position.offset + size
    if end < len(rows):
        return rows[position.offset : end], replace(position, offset=end)
    return rows[position.offset :], replace(position, rows=None, offset=0)
