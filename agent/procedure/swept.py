"""What the last comparison of the ledger with the mailbox found: every mail is to be accounted for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import reduce

from agent.procedure.entry import Entry
from agent.procedure.words import Happened, Json

IN_TIME = timedelta(hours=1)  # a younger mail may still wait for its turn


@dataclass(frozen=True)
class Swept:
    """Of the `mails` that lay in the inbox and in the desk's folders. All are numbers.

    `missed`: the ledger had not heard of them, and they were dealt with then. `unaccounted`: after that they
    were not dealt with, or not yet in their folder, although there had been time. `elsewhere`: dealt with,
    and taken out of their folder by people since.
    """

    at: datetime
    mails: int
    missed: int
    unaccounted: int
    elsewhere: int

    @property
    def facts(self) -> dict[str, Json]:
        """As an entry of the ledger keeps it."""
        return {name: number for name, number in asdict(self).items() if name != "at"}


def swept_of(entries: Iterable[Entry]) -> Swept | None:
    """What the last of these entries about it says."""
    return reduce(swept_after, entries, None)


def swept_after(swept: Swept | None, entry: Entry) -> Swept | None:
    """What is known once `entry` has happened; most entries change nothing."""
    if entry.happened is not Happened.SWEPT:
        return swept
    numbers = {name: int(str(entry.facts.get(name, 0))) for name in _NUMBERS}
    return Swept(at=entry.at, **numbers)


_NUMBERS = ("mails", "missed", "unaccounted", "elsewhere")
