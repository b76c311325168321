"""A desk's letters at rest: since when, and since when a person lets them go again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from agent.procedure.entry import Entry
from agent.procedure.words import Happened


@dataclass(frozen=True)
class Pause:
    """Whether the letters of a desk may go. Folded from its entries, so that every agent knows.

    `since` is None while they may. `too_many`: the agent stopped by itself, as unusually many letters
    waited at once. `allowed_at` is when a person last let letters go: what lay in the tray then may.
    """

    since: datetime | None = None
    too_many: bool = False
    allowed_at: datetime | None = None


def pause_of(entries: Iterable[Entry]) -> Pause:
    """How things stand after `entries`, in ledger order."""
    return reduce(pause_after, entries, Pause())


def pause_after(pause: Pause, entry: Entry) -> Pause:
    """How things stand once `entry` has happened; most entries change nothing."""
    if entry.happened is Happened.PAUSED:
        return replace(pause, since=entry.at, too_many=bool(entry.facts.get("too_many")))
    if entry.happened is Happened.RESUMED:
        return Pause(allowed_at=entry.at)
    return pause


def too_many(laid: Iterable[datetime], at_once: int, pause: Pause) -> bool:
    """Whether more letters wait than a person would expect, of those that nobody has let go yet."""
    fresh = sum(pause.allowed_at is None or at > pause.allowed_at for at in laid)
    return fresh > at_once
