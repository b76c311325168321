"""The ledger alone, for whoever needs nothing else of an agent: opened without the rest being imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.engine import make_url

from agent.errors import NeedsAPerson
from agent.ledger.base import Ledger
from agent.ledger.sql import SqlLedger
from agent.secret import secret_in
from agent.settings import Settings

Watch = Callable[[str, str, str], None]


def open_ledger(settings: Settings, watch: Watch | None = None) -> SqlLedger:
    url = make_url(settings.ledger_url)
    if settings.agent.ledger_secret_from:
        url = url.set(password=secret_in(settings.agent.ledger_secret_from, "ledger_secret_from"))
    return SqlLedger(url, watch=(lambda when, what: watch(when, what, "")) if watch else None)


def want_ledger(settings: Settings) -> None:
    """For whoever only looks, and must not make a ledger by that. NeedsAPerson when there is none yet."""
    file = settings.ledger_file
    if file is not None and not file.is_file():
        raise NeedsAPerson(f"There is no ledger at {file} yet. Run `n2k once` or `n2k run` first.")


@contextmanager
def ledger_at_hand(settings: Settings) -> Iterator[Ledger]:
    """The ledger of an agent that has been at work, for a verb that needs nothing else of it."""
    want_ledger(settings)
    ledger = open_ledger(settings)
    try:
        yield ledger
    finally:
        ledger.close()
