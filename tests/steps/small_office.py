"""An office for trying out the steps: a desk with every room in memory, and the world around it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent.desk import Desk
from agent.ledger.base import Letter, LetterState
from agent.mailbox.base import Copy, OutgoingLetter
from agent.mailbox.memory import MemoryMailbox
from agent.procedure.alert import Alert
from agent.procedure.entry import Entry
from agent.procedure.rules import Procedure
from agent.procedure.words import ABOUT_THE_DESK, Happened
from agent.register.base import Book, Edits
from agent.register.memory import MemoryRegister
from agent.steps import Outcome, run_all
from tests import builders
from tests.builders import AUTHOR, INBOX, MONDAY, alert_form, mail

SUBJECT = "Senior Leadership Alert - Urgent and Confidential - R.F."


class Office:
    """`desk` is ready to work; everything else plays people, mail and bad luck.

    Forms are not acknowledged here, so that a test of chases has only chases before it.
    """

    def __init__(self, **limits: int) -> None:
        self.mailbox = TroubledMailbox(INBOX)
        self.desk = without_receipts(builders.desk(mailbox=self.mailbox))
        self.register = TroubledRegister(self.desk.procedure)
        told = replace(self.desk.agent, limits=replace(self.desk.agent.limits, **limits))
        self.desk = replace(self.desk, register=self.register, agent=told)
        self.ledger = self.desk.ledger
        self._numbers = itertools.count(1)

    def in_mode(self, mode: Any, rehearse_to: str = "") -> Desk:
        """The same desk under another mode."""
        return replace(self.desk, agent=replace(self.desk.agent, mode=mode, rehearse_to=rehearse_to))

    def works(self, now: datetime, desk: Desk | None = None) -> list[Outcome]:
        """One round of every step."""
        self.mailbox.now = now
        return run_all(desk or self.desk, now)

    def receives(
        self, subject: str, *documents: tuple[str, bytes], at: datetime = MONDAY, **told: Any
    ) -> str:
        """A mail arrives; gives the mailbox's id of it."""
        told.setdefault("number", next(self._numbers))
        return self.mailbox.deliver(mail(subject, *documents, sent=at, **told), at)

    def receives_alert(
        self, at: datetime = MONDAY, *, sender: str = AUTHOR, number: int | None = None, **form: Any
    ) -> str:
        """A first form arrives; gives the mailbox's id of the mail."""
        told = {} if number is None else {"number": number}
        return self.receives(SUBJECT, ("SLA.docx", alert_form(**form)), at=at, sender=sender, **told)

    def opens_alert(self, at: datetime = MONDAY, **told: Any) -> str:
        """A first form arrives and is taken in; gives the alert's reference."""
        known = set(self.ledger.alerts())
        self.receives_alert(at, **told)
        self.works(at)
        (reference,) = set(self.ledger.alerts()) - known
        return reference

    def hears_of(self, reference: str, at: datetime) -> None:
        """The author answers about an alert."""
        self.receives(f"Re: {reference}", at=at, text="We are on it, more to follow.")
        self.works(at)

    def types(self, reference: str, **cells: str) -> None:
        """Somebody types into the register and saves once. Fields are named as in the procedure."""
        headings = {column.field: column.heading for column in self.desk.procedure.columns if column.field}
        row = self.register.row(reference)
        row.update({headings[name]: value for name, value in cells.items()})
        self.register.person_saved()

    def cell(self, reference: str, field: str) -> str:
        """What stands in the register."""
        columns = self.desk.procedure.columns
        heading = next(column.heading for column in columns if column.field == field)
        return self.register.row(reference)[heading]

    def alert(self, reference: str) -> Alert:
        return self.ledger.alerts()[reference]

    def happened(self, reference: str | None = None) -> list[Happened]:
        return [entry.happened for entry in self.entries(reference)]

    def entries(self, reference: str | None = None) -> list[Entry]:
        """The lines, less those about the workbook itself."""
        return [one for one in self.ledger.entries(reference) if one.happened not in ABOUT_THE_DESK]

    def asked(self) -> list[str]:
        """The codes of all questions that wait for a person."""
        return [one.question.code for one in self.ledger.questions()]

    def letters(self, *states: LetterState) -> list[Letter]:
        return self.ledger.letters(*states)

    def chases(self) -> list[OutgoingLetter]:
        """The chases that really went out, in order."""
        kinds = {letter.key: letter.kind for letter in self.ledger.letters()}
        return [one for one in self.mailbox.sent if kinds.get(one.key, "").startswith("chase")]


def without_receipts(desk: Desk) -> Desk:
    """The same desk under a procedure that acknowledges no form."""
    rules = desk.procedure
    return replace(desk, procedure=replace(rules, letters=replace(rules.letters, receipt_hours=0)))


class TroubledMailbox(MemoryMailbox):
    """A mailbox in memory that can fail on order, before or after it did what it was asked."""

    def __init__(self, address: str) -> None:
        super().__init__(address, page_size=3)
        self.before_mime: Callable[[str], None] = lambda mail_id: None
        self.drafting: list[Trouble] = []
        self.sending: list[Trouble | None] = []
        self.filing: dict[str, BaseException] = {}
        self.filed: list[str] = []
        self.tried_to_file = 0

    def mime(self, mail_id: str) -> bytes:
        self.before_mime(mail_id)
        return super().mime(mail_id)

    def draft(self, letter: OutgoingLetter) -> Copy:
        with_trouble = self.drafting.pop(0) if self.drafting else None
        if with_trouble and not with_trouble.applied:
            raise with_trouble.error
        made = super().draft(letter)
        if with_trouble:
            raise with_trouble.error
        return made

    def send(self, mail_id: str) -> None:
        with_trouble = self.sending.pop(0) if self.sending else None
        if with_trouble is None or with_trouble.applied:
            super().send(mail_id)
        if with_trouble:
            raise with_trouble.error

    def file(self, mail_id: str, folder: Sequence[str], categories: Sequence[str]) -> None:
        self.tried_to_file += 1
        if mail_id in self.filing:
            raise self.filing[mail_id]
        super().file(mail_id, folder, categories)
        self.filed.append(mail_id)


class Trouble:
    """An error that comes instead of an answer; `applied`: what was asked for was done all the same."""

    def __init__(self, error: Exception, *, applied: bool) -> None:
        self.error, self.applied = error, applied


class TroubledRegister(MemoryRegister):
    """A register in memory whose answers can get lost on the way."""

    def __init__(self, procedure: Procedure) -> None:
        super().__init__(procedure.columns, question_columns=procedure.question_columns)
        self.writing: list[Trouble] = []
        self.writes = 0

    def write(self, edits: Edits, expecting: str | None) -> Book:
        self.writes += 1
        with_trouble = self.writing.pop(0) if self.writing else None
        if with_trouble and not with_trouble.applied:
            raise with_trouble.error
        written = super().write(edits, expecting)
        if with_trouble:
            raise with_trouble.error
        return written
