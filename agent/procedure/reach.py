"""Which addresses letters cannot reach: one of ours came back from there, and nothing was heard since.

Each is known by a mark that names nobody, so that it outlives the erasing of an alert.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import reduce

from agent.procedure.entry import Entry
from agent.procedure.words import Happened

Unreached = frozenset[str]


def opaque(address: str) -> str:
    """Tells two addresses apart without naming either."""
    return hashlib.sha256(address.lower().encode()).hexdigest()[:12]


def unreached_of(entries: Iterable[Entry]) -> Unreached:
    """How things stand after `entries`, in ledger order."""
    return reduce(unreached_after, entries, frozenset[str]())


def unreached_after(unreached: Unreached, entry: Entry) -> Unreached:
    """How things stand once `entry` has happened; most entries change nothing."""
    if entry.happened is Happened.BOUNCED:
        written = (entry.content or {}).get("address")
        mark = entry.facts.get("to") or (opaque(str(written)) if written else "")
        return unreached | {str(mark)} if mark else unreached
    if entry.happened is Happened.REACHABLE:
        return unreached - {str(entry.facts["to"])}
    return unreached


def reached_again(addresses: Iterable[str], unreached: Unreached, at: datetime, source: str) -> list[Entry]:
    """Lines for those of the addresses that letters could not reach, and can again."""
    marks = dict.fromkeys(map(opaque, addresses))
    return [Entry(Happened.REACHABLE, None, at, source, {"to": one}) for one in marks if one in unreached]
