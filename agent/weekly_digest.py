"""Step 4, the weekly digest: last week and all that is open → one digest for each reader, once a week."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from agent.desk import Desk
from agent.laying import lay
from agent.ledger.base import Letter, Reason
from agent.procedure.digest import digest_due, digest_of
from agent.procedure.people import Person
from agent.procedure.reach import opaque

KIND = "weekly_digest"


def weekly_digest(desk: Desk, now: datetime) -> int:
    """Lay this week's digest in the tray once its day and hour have come; a missed Monday is made up.

    Gives how many letters were laid.
    """
    if desk.agent.mode == "watch":
        return 0
    wanted = desk.settings.digest
    week = digest_due(now, wanted.day, wanted.at, desk.calendar)
    if week is None:
        return 0
    missing = [reader for reader in readers(desk) if desk.ledger.letter_for(_reason(reader, week)) is None]
    return sum(_lay(desk, reader, week, now) for reader in missing)


def _lay(desk: Desk, reader: Person, week: date, now: datetime) -> bool:
    digest = digest_of(
        desk.ledger.alerts().values(),
        now=now,
        week=week,
        procedure=desk.procedure,
        people=desk.addressees,
        calendar=desk.calendar,
        questions=desk.ledger.questions(),
        letters=desk.ledger.letters(),
        reader=reader,
        by_area=desk.settings.digest.by_area,
    )
    return lay(
        desk,
        KIND,
        to=reader.address,
        reasons=[_reason(reader, week)],
        now=now,
        write=lambda mark: desk.writer.digest(digest, mark, attach_list=desk.settings.digest.attach_list),
    )


def readers(desk: Desk) -> list[Person]:
    """Those who get the digest and can be written to; whoever holds two of its roles gets one."""
    people = desk.addressees
    holding = (person for role in desk.settings.digest.to for person in people.holding(role))
    reached = (person for person in holding if people.may_be_written_to(person.address))
    return list({person.address.lower(): person for person in reached}.values())


def still_wanted(desk: Desk, letter: Letter, now: datetime) -> bool:
    """Whether a digest in the tray is this week's, and its reader still one: old news is no news."""
    today = desk.calendar.today(now)
    week = today - timedelta(days=today.weekday())
    return set(letter.reasons) <= {_reason(reader, week) for reader in readers(desk)}


def _reason(reader: Person, week: date) -> Reason:
    return Reason("", f"{KIND}:{opaque(reader.address)}", week)
