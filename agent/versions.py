"""Each version of a workbook that the agent wrote, kept in the ledger with its hash."""

from __future__ import annotations

from datetime import datetime

from agent.desk import Desk
from agent.errors import TryAgainLater
from agent.procedure.entry import Entry
from agent.procedure.kept import mixed_until
from agent.procedure.words import Happened
from agent.register.base import Book
from agent.register_content import Place

SOURCE = "bookkeeping"


def refuse_mixing(desk: Desk, place: Place, now: datetime) -> None:
    """TryAgainLater when the workbook was written by another way so lately that both would meet in it."""
    kind = place.register.kept_as()["kind"]
    until = mixed_until(desk.ledger.kept().written.get(place.name), kind, now)
    if until is not None:
        raise TryAgainLater(
            f"The register was written by another way a few minutes ago; by “{kind}” it is written from "
            f"{desk.calendar.local(until):%H:%M} on. Nothing needs to be done.",
            (until - now).total_seconds(),
        )


def version_written(place: Place, book: Book, now: datetime) -> Entry:
    """The line of the ledger that says which version was written."""
    kept = place.register.kept_as()
    facts = {"workbook": place.name, **kept, "version": book.version, "hash": book.hash}
    return Entry(Happened.REGISTER_WRITTEN, None, now, SOURCE, facts)
