"""When the register cannot be written for long, or the mailbox not be read, the desk's support get a letter,
and one when it works again. Since when it does not is in the ledger, so that no new start forgets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.bookkeeping import bookkeeping
from agent.desk import Desk
from agent.errors import NeedsAPerson, Stopping, TryAgainLater
from agent.intake import intake
from agent.laying import lay
from agent.ledger.base import Letter, LetterState, Reason
from agent.procedure.entry import Entry
from agent.procedure.kept import Kept
from agent.procedure.reach import opaque
from agent.procedure.words import Happened
from agent.settings import DeskSettings


@dataclass(frozen=True)
class Outage:
    """What may stand still for long at a desk: the step that shows it, and the letters that tell of it."""

    step: Callable[[Desk, datetime], int]
    letter: str
    recovered: str
    stuck: Happened
    free: Happened
    since: Callable[[Kept], datetime | None]
    tell_after_minutes: Callable[[DeskSettings], int]

    def watched(self, desk: Desk, now: datetime) -> int:
        """The step, and whatever is to be told of its troubles. Its own errors go on to whoever called."""
        try:
            done = self.step(desk, now)
        except Stopping:
            raise
        except (TryAgainLater, NeedsAPerson) as trouble:
            _is_stuck(self, desk, now, str(trouble))
            raise
        _is_free(self, desk, now)
        return done


REGISTER = Outage(
    bookkeeping,
    "register_outage",
    "register_recovered",
    Happened.REGISTER_STUCK,
    Happened.REGISTER_FREE,
    lambda kept: kept.stuck_since,
    lambda told: told.register.tell_after_minutes,
)
MAILBOX = Outage(
    intake,
    "mailbox_outage",
    "mailbox_recovered",
    Happened.MAILBOX_STUCK,
    Happened.MAILBOX_FREE,
    lambda kept: kept.mailbox_stuck_since,
    lambda told: told.mailbox_tell_after_minutes,
)
OUTAGES = {one.letter: one for one in (REGISTER, MAILBOX)}
SOURCE = "outage"


def _is_stuck(outage: Outage, desk: Desk, now: datetime, why: str) -> None:
    since = outage.since(desk.ledger.kept())
    if since is None:
        with desk.ledger.page() as page:
            page.record(Entry(outage.stuck, None, now, SOURCE))
    elif now - since >= timedelta(minutes=outage.tell_after_minutes(desk.settings)):
        _tell_support(outage, desk, since, now, why)


def _is_free(outage: Outage, desk: Desk, now: datetime) -> None:
    """Whoever was told, or may have been, hears that it works again; a letter not yet gone is no news."""
    since = outage.since(desk.ledger.kept())
    if since is None:
        return
    for letter in desk.ledger.letters(*LetterState):
        if letter.kind == outage.letter and _is_of(letter, since):
            if letter.state in (LetterState.IN_TRAY, LetterState.DRAFTED):
                with desk.ledger.page() as page:
                    page.letter_moved(letter.key, LetterState.WITHDRAWN, now)
            elif letter.state in (LetterState.SENDING, LetterState.POSTED):
                _lay(desk, outage.recovered, letter.to, since, now, "")
    with desk.ledger.page() as page:
        page.record(Entry(outage.free, None, now, SOURCE))


def _tell_support(outage: Outage, desk: Desk, since: datetime, now: datetime, why: str) -> None:
    if desk.agent.mode == "watch":
        return
    people = desk.addressees
    for person in people.holding(people.roles.support):
        if (
            people.may_be_written_to(person.address)
            and desk.ledger.letter_for(_reason(outage.letter, person.address, since)) is None
        ):
            _lay(desk, outage.letter, person.address, since, now, why)


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
    since = OUTAGES[letter.kind].since(desk.ledger.kept())
    return since is not None and _is_of(letter, since)


def _is_of(letter: Letter, since: datetime) -> bool:
    return _reason(letter.kind, letter.to, since) in letter.reasons


def _reason(kind: str, address: str, since: datetime) -> Reason:
    """Each outage has its own, told by the second in which it began."""
    return Reason("", f"{kind}:{opaque(address)}:{since:%H%M%S}", since.date())
