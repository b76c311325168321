"""What would be sent, to whom and why: the steps' own rules, run ahead of time on a copy of the ledger."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from agent.chasing import chasing, due, is_chase, reason_of
from agent.desk import Desk
from agent.errors import NeedsAPerson
from agent.ledger.base import Letter, LetterState, Reason
from agent.ledger.sql import SqlLedger
from agent.ledger_at_hand import want_ledger
from agent.letters.writer import Writer
from agent.mailbox.memory import MemoryMailbox
from agent.posting import posting
from agent.procedure.chase import ChaseDue
from agent.procedure.entry import Entry
from agent.procedure.words import Happened
from agent.procedure.working_days import BankHolidaysUnknown
from agent.register.memory import MemoryRegister
from agent.settings import AgentSettings, Settings, desks_named
from agent.weekly_digest import KIND as DIGEST
from agent.weekly_digest import weekly_digest

STEP = timedelta(minutes=30)

Whys = dict[Reason, ChaseDue]


def preview(
    settings: Settings,
    *,
    days: int,
    now: datetime,
    desk: str | None = None,
    texts: bool = False,
    brief: bool = False,
) -> Iterator[str]:
    """Lines that tell every letter of the next `days` days, if nothing else happened. Touches nothing.

    With `texts` the letters themselves; `brief`: one line for each. WrongCall for an unknown desk,
    NeedsAPerson when there is no ledger yet, or one that cannot be copied.
    """
    with tempfile.TemporaryDirectory() as folder:
        ledger = SqlLedger(f"sqlite:///{_copy(settings, Path(folder))}")
        try:
            for name in desks_named(settings, desk):
                rehearsed = _rehearsed(settings, name, ledger)
                rests = _let_go(rehearsed, now)
                letters, whys = _coming(rehearsed, now, until := now + timedelta(days=days))
                yield from _heading(rehearsed, settings.agent, letters, until)
                if rests:
                    yield "The desk's letters rest, so none of these goes out before `n2k resume`."
                for letter in letters:
                    yield from (
                        [_line(rehearsed, letter)] if brief else _letter(rehearsed, letter, whys, texts)
                    )
        finally:
            ledger.close()


def _copy(settings: Settings, folder: Path) -> Path:
    """A copy of the ledger file, taken safely while an agent may be writing to it."""
    file = settings.ledger_file
    if file is None:
        raise NeedsAPerson(
            "A preview runs on a copy of the ledger's file, and this ledger is kept by a server. "
            "Restore a backup of it into an SQLite ledger and preview there."
        )
    want_ledger(settings)
    target = folder / "ledger.sqlite"
    here, there = sqlite3.connect(file), sqlite3.connect(target)
    here.backup(there)
    here.close()
    there.close()
    return target


def _rehearsed(settings: Settings, name: str, ledger: SqlLedger) -> Desk:
    """The desk with its own rules and people, a copied ledger, and a mailbox that keeps what it is given.

    What is unusually much is shown all the same; in earnest the agent stops and asks.
    """
    desk = settings.desks[name]
    procedure = settings.procedure_of(desk)
    limits = replace(settings.agent.limits, letters_at_once=sys.maxsize)
    return Desk(
        settings=desk,
        agent=replace(settings.agent, mode="live", limits=limits),
        procedure=procedure,
        forms=settings.forms_of(procedure),
        calendar=settings.calendar_of(desk),
        people=desk.roster,
        mailbox=MemoryMailbox(desk.mailbox),
        ledger=ledger.desk(name),
        register=MemoryRegister(procedure.columns),
        writer=Writer(settings.templates_of(desk), procedure, desk.mailbox),
        stop=threading.Event(),
    )


def _let_go(desk: Desk, now: datetime) -> bool:
    """Show what would go out once letters that rest go again. Gives whether they rest."""
    if desk.ledger.pause().since is None:
        return False
    with desk.ledger.page() as page:
        page.record(Entry(Happened.RESUMED, None, now, "preview"))
    return True


def _coming(desk: Desk, now: datetime, until: datetime) -> tuple[list[Letter], Whys]:
    """The letters that would go out, in order, and why each chase would."""
    out_already = {letter.key for letter in desk.ledger.letters(LetterState.POSTED, LetterState.SENDING)}
    whys = _let_time_pass(desk, now, until)
    letters = [letter for letter in desk.ledger.letters(LetterState.POSTED) if letter.key not in out_already]
    return sorted(letters, key=lambda letter: letter.changed_at or letter.laid_at), whys


def _heading(desk: Desk, agent: AgentSettings, letters: list[Letter], until: datetime) -> Iterator[str]:
    yield f"Desk {desk.name}: {_counted(letters)} until {_day(desk.calendar.today(until))}, if no news comes."
    if agent.mode == "watch":
        yield "The mode is watch, so none of these is written. This is what live would send."
    if agent.mode == "rehearse":
        yield f"The mode is rehearse, so each of these goes to {agent.rehearse_to} instead."


def _let_time_pass(desk: Desk, now: datetime, until: datetime) -> Whys:
    """Run the steps that write until then; gives why each chase was laid."""
    whys: Whys = {}
    try:
        while now <= until:
            whys |= {reason_of(chase): chase for chase in due(desk, now)}
            chasing(desk, now)
            weekly_digest(desk, now)
            posting(desk, now)
            now = _next_half_hour(now)
    except BankHolidaysUnknown as wrong:
        raise NeedsAPerson(str(wrong)) from wrong
    return whys


def _next_half_hour(now: datetime) -> datetime:
    """The agent looks every few minutes; half hours are where office hours and digests begin."""
    past = timedelta(minutes=now.minute % 30, seconds=now.second, microseconds=now.microsecond)
    return now - past + STEP


# In words


def _line(desk: Desk, letter: Letter) -> str:
    at = desk.calendar.local(letter.changed_at or letter.laid_at)
    about = ", ".join(dict.fromkeys(reason.alert for reason in letter.reasons if reason.alert))
    kind = letter.kind.replace("_", " ")
    return f"  {at:%a} {at.day} {at:%b %Y, %H:%M}  {kind}{f' about {about}' if about else ''}  to {letter.to}"


def _letter(desk: Desk, letter: Letter, whys: Whys, texts: bool) -> Iterator[str]:
    at = desk.calendar.local(letter.changed_at or letter.laid_at)
    yield ""
    yield f"  {at:%a} {at.day} {at:%b %Y, %H:%M}  to {letter.to}"
    yield f"    {letter.subject}"
    for reason in letter.reasons:
        yield f"    why: {_why(desk, reason, whys.get(reason), letter)}"
    if texts:
        yield from (f"    | {line}".rstrip() for line in letter.text.splitlines())


def _why(desk: Desk, reason: Reason, why: ChaseDue | None, letter: Letter) -> str:
    if letter.kind == DIGEST:
        return f"the digest of the week of {_day(reason.due)}, for everybody who holds a role in `digest.to`"
    if not is_chase(letter):
        about = f"{reason.alert}, " if reason.alert else ""
        return f"{about}rule {reason.rule}, due {_day(reason.due)}"
    if why is None:  # laid before, and by now something else is due
        return f"{reason.alert}, due since {_day(reason.due)}"
    role = desk.procedure.called(why.role)
    whom = f"in place of the {role}, who cannot be written to" if why.stands_in else f"as its {role}"
    promised = f", an update was promised for {_day(why.promised)}" if why.promised else ""
    prompt = f"prompt {why.step}" if why.step else "overdue actions"
    return f"{why.alert}, {whom}: {prompt}, due {_day(why.due)}; last heard {_day(why.heard)}{promised}"


def _counted(letters: list[Letter]) -> str:
    return "1 letter" if len(letters) == 1 else f"{len(letters) or 'no'} letters"


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"
