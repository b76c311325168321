"""What would be sent, to whom and why: the steps' own rules, run ahead of time on a copy of the ledger."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from agent.chasing import chasing
from agent.desk import Desk
from agent.errors import NeedsAPerson
from agent.ledger.base import Letter
from agent.ledger.sql import SqlLedger
from agent.letters.writer import Writer
from agent.mailbox.memory import MemoryMailbox
from agent.posting import posting
from agent.register.memory import MemoryRegister
from agent.settings import Settings
from agent.weekly_digest import weekly_digest

STEP = timedelta(minutes=30)


def preview(settings: Settings, *, days: int, now: datetime, texts: bool = False) -> Iterator[str]:
    """Lines that tell every letter of the next `days` days, if nothing else happened. Touches nothing."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = SqlLedger(f"sqlite:///{_copy(settings.ledger_url, Path(folder))}")
        try:
            for name in settings.desks:
                yield from _desk(_rehearsed(settings, name, ledger), now, now + timedelta(days=days), texts)
        finally:
            ledger.close()


def _copy(url: str, folder: Path) -> Path:
    """A copy of the ledger file, taken safely while an agent may be writing to it."""
    path = Path(url.removeprefix("sqlite:///"))
    if not path.is_file():
        raise NeedsAPerson(f"There is no ledger at {path} yet. Run `n2k once` or `n2k run` first.")
    target = folder / "ledger.sqlite"
    with sqlite3.connect(path) as here, sqlite3.connect(target) as there:
        here.backup(there)
    here.close()
    there.close()
    return target


def _rehearsed(settings: Settings, name: str, ledger: SqlLedger) -> Desk:
    """The desk with its own rules and people, a copied ledger, and a mailbox that keeps what it is given."""
    desk = settings.desks[name]
    procedure = settings.procedure_of(desk)
    return Desk(
        settings=desk,
        agent=replace(settings.agent, mode="live"),
        procedure=procedure,
        forms=settings.forms_of(procedure),
        calendar=settings.calendar_of(desk),
        people=desk.roster,
        mailbox=MemoryMailbox(desk.mailbox),
        ledger=ledger.desk(name),
        register=MemoryRegister(procedure.columns),
        writer=Writer(settings.templates, procedure, desk.mailbox),
        stop=threading.Event(),
    )


def _desk(desk: Desk, now: datetime, until: datetime, texts: bool) -> Iterator[str]:
    before = {letter.key for letter in desk.ledger.letters()}
    while now <= until:
        chasing(desk, now)
        weekly_digest(desk, now)
        posting(desk, now)
        now += STEP
    letters = [letter for letter in desk.ledger.letters() if letter.key not in before]
    yield f"Desk {desk.name}: {len(letters)} letters by {desk.calendar.local(until):%a %d %b %Y %H:%M}"
    for letter in letters:
        yield from _letter(desk, letter, texts)


def _letter(desk: Desk, letter: Letter, texts: bool) -> Iterator[str]:
    yield f"  {desk.calendar.local(letter.laid_at):%a %d %b %H:%M}  to {letter.to}"
    yield f"    {letter.subject}"
    for reason in letter.reasons:
        about = reason.alert or f"the week of {reason.due:%d %b %Y}"
        yield f"    because of {about}: {reason.rule.partition(':')[0]}, due {reason.due:%a %d %b %Y}"
    if texts:
        yield from (f"    | {line}" for line in letter.text.splitlines())
