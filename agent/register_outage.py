"""When the register cannot be written for long, the desk's support get one letter, and one when it can be
again. Since when it cannot be is in the ledger, so that no new start forgets it."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.bookkeeping import bookkeeping
from agent.desk import Desk
from agent.errors import NeedsAPerson, Stopping, TryAgainLater
from agent.laying import lay
from agent.ledger.base import Letter, LetterState, Reason
from agent.log import logger
from agent.procedure.entry import Entry
from agent.procedure.words import Happened
from agent.weekly_digest import opaque

log = logger()

OUTAGE, RECOVERED = "register_outage", "register_recovered"
SOURCE = "bookkeeping"


def watched_bookkeeping(desk: Desk, now: datetime) -> int:
    """Bookkeeping, and whatever is to be told of its troubles. Its own errors go on to whoever called."""
    try:
        written = bookkeeping(desk, now)
    except Stopping:
        raise
    except (TryAgainLater, NeedsAPerson) as trouble:
        _is_stuck(desk, now, str(trouble))
        raise
    _is_free(desk, now)
    return written


def _is_stuck(desk: Desk, now: datetime, why: str) -> None:
    since, told = desk.ledger.kept().stuck_since, desk.settings.register
    if since is None:
        with desk.ledger.page() as page:
            page.record(Entry(Happened.REGISTER_STUCK, None, now, SOURCE))
    elif now - since >= timedelta(minutes=told.tell_after_minutes):
        _tell_support(desk, since, now, why)


def _is_free(desk: Desk, now: datetime) -> None:
    """Whoever was told, or may have been, hears that it works again; a letter not yet gone is no news."""
    since = desk.ledger.kept().stuck_since
    if since is None:
        return
    for letter in desk.ledger.letters(*LetterState):
        if letter.kind == OUTAGE and _is_of(letter, since):
            if letter.state in (LetterState.IN_TRAY, LetterState.DRAFTED):
                with desk.ledger.page() as page:
                    page.letter_moved(letter.key, LetterState.WITHDRAWN, now)
            elif letter.state in (LetterState.SENDING, LetterState.POSTED):
                _lay(desk, RECOVERED, letter.to, since, now, "")
    with desk.ledger.page() as page:
        page.record(Entry(Happened.REGISTER_FREE, None, now, SOURCE))


def _tell_support(desk: Desk, since: datetime, now: datetime, why: str) -> None:
    if desk.agent.mode == "watch":
        return
    for person in desk.people.holding(desk.people.roles.support):
        if desk.ledger.letter_for(_reason(OUTAGE, person.address, since)) is None:
            _lay(desk, OUTAGE, person.address, since, now, why)


def _lay(desk: Desk, kind: str, address: str, since: datetime, now: datetime, why: str) -> None:
    local = desk.calendar.local
    lay(
        desk,
        kind,
        to=address,
        reasons=[_reason(kind, address, since)],
        now=now,
        write=lambda mark: desk.writer.compose(kind, mark, since=local(since), now=local(now), why=why),
    )


def outage_is_news(desk: Desk, letter: Letter) -> bool:
    """Whether the outage that a letter tells of goes on."""
    since = desk.ledger.kept().stuck_since
    return since is not None and _is_of(letter, since)


def _is_of(letter: Letter, since: datetime) -> bool:
    return _reason(letter.kind, letter.to, since) in letter.reasons


def _reason(kind: str, address: str, since: datetime) -> Reason:
    """Each outage has its own, told by the second in which it began."""
    return Reason("", f"{kind}:{opaque(address)}:{since:%H%M%S}", since.date())
