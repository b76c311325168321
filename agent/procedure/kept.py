"""How a desk's workbooks are kept: by which way each was last written, and since when it cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import reduce

from agent.procedure.entry import Entry
from agent.procedure.words import Happened

# Microsoft 365 keeps a file for Excel's service for up to so long after its last use there.
EXCEL_LETS_GO = timedelta(minutes=12)


@dataclass(frozen=True)
class Written:
    """One version of a workbook as the agent wrote it. `hash` is of all that it said then; `kind` is the way
    it was written by, `place` where the configuration had it, `item` what SharePoint knows it by."""

    at: datetime
    kind: str
    place: str
    item: str
    version: str
    hash: str


@dataclass(frozen=True)
class Kept:
    """A desk's workbooks. Folded from its entries, so that no new start forgets it.

    `written` has each workbook's last version by the workbook's name. `stuck_since` is when bookkeeping
    first failed and has not succeeded since; None while all is well. `mailbox_stuck_since` is the same of
    taking in mails.
    """

    written: Mapping[str, Written] = field(default_factory=dict)
    stuck_since: datetime | None = None
    mailbox_stuck_since: datetime | None = None


def kept_of(entries: Iterable[Entry]) -> Kept:
    """How things stand after `entries`, in ledger order."""
    return reduce(kept_after, entries, Kept())


def kept_after(kept: Kept, entry: Entry) -> Kept:
    """How things stand once `entry` has happened; most entries change nothing."""
    if entry.happened is Happened.REGISTER_WRITTEN:
        return replace(kept, written={**kept.written, str(entry.facts.get("workbook")): _written(entry)})
    if entry.happened in (Happened.REGISTER_STUCK, Happened.REGISTER_FREE):
        return replace(kept, stuck_since=entry.at if entry.happened is Happened.REGISTER_STUCK else None)
    if entry.happened in (Happened.MAILBOX_STUCK, Happened.MAILBOX_FREE):
        stuck = entry.happened is Happened.MAILBOX_STUCK
        return replace(kept, mailbox_stuck_since=entry.at if stuck else None)
    return kept


def _written(entry: Entry) -> Written:
    told = {name: str(entry.facts.get(name) or "") for name in ("kind", "place", "item", "version", "hash")}
    return Written(at=entry.at, **told)


def mixed_until(last: Written | None, kind: str, now: datetime) -> datetime | None:
    """Until when a workbook is not to be written by the way `kind`; None when it may be now.

    It was written by another way just now, and two ways into one file undo each other's work.
    """
    if last is None or last.kind == kind:
        return None
    until = last.at + EXCEL_LETS_GO
    return until if now < until else None
