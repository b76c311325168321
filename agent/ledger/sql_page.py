"""A page of the ledger in a database: one transaction, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from agent.errors import TryAgainLater
from agent.ledger import chain, rows
from agent.ledger import schema as db
from agent.ledger.base import (
    KEPT_BY_ANOTHER,
    REGISTER,
    HandledMail,
    Letter,
    LetterState,
    SheetState,
    next_reference,
)
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.words import Happened, Json

Rows = Mapping[str, Mapping[str, str]]


def _differ(one: Mapping[str, str], other: Mapping[str, str] | None) -> bool:
    """Most rows are the very same object as before, which is quicker told than that they are alike."""
    return one is not other and one != other


class SqlPage:
    """`Page` over one open transaction. `known` are sheets as they were read or written last; `sheets` those
    that this page writes, which stand once it ended well."""

    def __init__(
        self, connection: Connection, desk: str, known: Mapping[str, rows.Counted] | None = None
    ) -> None:
        self._connection = connection
        self._desk = desk
        self._known = known or {}
        self.sheets: dict[str, rows.Counted] = {}
        self._given: list[str] = []

    # lines

    def record(self, entry: Entry) -> Entry:
        link = chain.seal(self._desk, entry, *self._next_line())
        line = link.entry
        if line.happened is Happened.OPENED and not self._may_open(line.alert):
            raise ValueError(
                f"An alert is opened once, under a reference of its own: not under {line.alert}."
            )
        self._connection.execute(insert(db.entry).values(rows.entry_values(link)))
        self._connection.execute(
            insert(db.content).values(desk=self._desk, seq=line.seq, salt=link.salt, body=line.content)
        )
        return line

    def new_reference(self, prefix: str, year: int) -> str:
        stem = f"{prefix}-{year}"
        taken = self._connection.scalars(
            select(db.entry.c.alert).where(
                rows.opened(self._desk),
                db.entry.c.alert > f"{stem}-",
                db.entry.c.alert < f"{stem}.",  # the character after "-"
            )
        )
        reference = next_reference(prefix, year, [*taken, *self._given])
        self._given.append(reference)
        return reference

    def _may_open(self, alert: str | None) -> bool:
        return bool(alert) and not self._first(
            select(db.entry.c.seq), rows.opened(self._desk), db.entry.c.alert == alert
        )

    def _next_line(self) -> tuple[int, str]:
        last = self._first(
            select(db.entry.c.seq, db.entry.c.hash).order_by(db.entry.c.seq.desc()),
            db.entry.c.desk == self._desk,
        )
        return (last.seq + 1, last.hash) if last else (1, chain.START)

    # mails

    def handled(self, mail: HandledMail) -> None:
        here = rows.mail_is(self._desk, mail.mail_id)
        known = self._first(select(db.mail.c.handled), here)
        values = rows.mail_values(mail)
        values["handled"] = (known and known.handled) or self._count(db.mail.c.handled, db.mail.c.desk)
        if known:
            self._connection.execute(update(db.mail).where(here).values(values))
        else:
            self._connection.execute(insert(db.mail).values(desk=self._desk, mail_id=mail.mail_id, **values))

    def failed(self, mail_id: str) -> int:
        here = rows.mail_is(self._desk, mail_id)
        known = self._first(select(db.mail.c.tries), here, db.mail.c.state == rows.WAITING)
        if known is None:
            raise LookupError(f"Mail {mail_id} does not wait on desk {self._desk}.")
        tries: int = known.tries + 1
        self._connection.execute(update(db.mail).where(here).values(tries=tries))
        return tries

    # questions

    def ask(self, question: Question, at: datetime) -> int:
        known = self._first(
            select(db.question.c.number),
            db.question.c.desk == self._desk,
            db.question.c.code == question.code,
            db.question.c.message_id == question.message_id,
        )
        if known:
            return int(known.number)
        number = self._count(db.question.c.number, db.question.c.desk)
        self._connection.execute(
            insert(db.question).values(
                desk=self._desk,
                number=number,
                asked_at=at,
                code=question.code,
                why=question.why,
                message_id=question.message_id,
                candidates=list(question.candidates),
            )
        )
        self._connection.execute(
            insert(db.question_content).values(desk=self._desk, number=number, seen=dict(question.seen))
        )
        return number

    def answer(self, number: int, answer: str, at: datetime) -> None:
        self._asked(number, answered_at=at, acted_at=None, note="")
        self._connection.execute(
            update(db.question_content)
            .where(db.question_content.c.desk == self._desk, db.question_content.c.number == number)
            .values(answer=answer)
        )

    def acted(self, number: int, at: datetime) -> None:
        self._asked(number, acted_at=at)

    def not_acted(self, number: int, note: str) -> None:
        self._asked(number, answered_at=None, note=note)

    def _asked(self, number: int, **now: datetime | str | None) -> None:
        asked = self._connection.execute(
            update(db.question)
            .where(db.question.c.desk == self._desk, db.question.c.number == number)
            .values(**now)
        )
        if not asked.rowcount:
            raise LookupError(f"There is no question {number} on desk {self._desk}.")

    # letters

    def lay(self, letter: Letter) -> bool:
        reasons = tuple(dict.fromkeys(letter.reasons))
        if not reasons:
            raise ValueError(f"Letter {letter.key} does not say why it exists: it needs a reason.")
        if any(
            self._first(select(db.letter_reason.c.key), rows.reason_is(self._desk, reason))
            for reason in reasons
        ):
            return False
        if self._first(select(db.letter.c.key), rows.letter_is(self._desk, letter.key)):
            raise ValueError(f"Letter {letter.key} exists already; another letter needs another key.")
        number = self._count(db.letter.c.number, db.letter.c.desk)
        self._connection.execute(
            insert(db.letter).values(desk=self._desk, number=number, **rows.letter_values(letter))
        )
        self._connection.execute(
            insert(db.letter_content).values(desk=self._desk, key=letter.key, body=rows.letter_body(letter))
        )
        self._connection.execute(
            insert(db.letter_reason), rows.reason_rows(self._desk, replace(letter, reasons=reasons))
        )
        return True

    def letter_moved(
        self,
        key: str,
        state: LetterState,
        at: datetime,
        *,
        draft_id: str | None = None,
        internet_message_id: str | None = None,
    ) -> None:
        here = rows.letter_is(self._desk, key)
        known = self._first(select(db.letter.c.state, db.letter.c.sends), here)
        if known is None:
            raise LookupError(f"There is no letter {key} on desk {self._desk}.")
        if not LetterState(known.state).may_become(state):
            raise ValueError(f"Letter {key} is {known.state} and cannot become {state.value}.")
        told = {"draft_id": draft_id, "internet_message_id": internet_message_id}
        self._connection.execute(
            update(db.letter)
            .where(here)
            .values(
                state=state.value,
                changed_at=at,
                sends=known.sends + (state is LetterState.SENDING),
                **{name: value for name, value in told.items() if value},
            )
        )
        if state is LetterState.WITHDRAWN:
            self._connection.execute(
                update(db.letter_reason)
                .where(db.letter_reason.c.desk == self._desk, db.letter_reason.c.key == key)
                .values(stands=False)
            )

    # register

    def wrote(
        self, sheet: SheetState, at: datetime, name: str = REGISTER, *, over: SheetState | None = None
    ) -> None:
        known = {**self._known, **self.sheets}
        times, before = rows.sheet(self._connection, self._desk, name, known) or (0, SheetState(None, (), {}))
        if over is not None and (before.version, before.marks) != (over.version, over.marks):
            raise TryAgainLater(KEPT_BY_ANOTHER)
        values = {
            "version": sheet.version,
            "headings": list(sheet.headings),
            "marks": list(sheet.marks),
            "written_at": at,
            "times": times + 1,
        }
        here = rows.sheet_is(self._desk, name)
        if not self._connection.execute(update(db.sheet).where(here).values(values)).rowcount:
            self._connection.execute(insert(db.sheet).values(desk=self._desk, name=name, **values))
        self._wrote_rows(name, before.rows, sheet.rows, intended=False)
        self._wrote_rows(name, before.intended, sheet.intended, intended=True)
        self.sheets[name] = (times + 1, sheet)

    def _wrote_rows(self, name: str, kept: Rows, told: Rows, *, intended: bool) -> None:
        """Replace what differs and leave the rest: most rounds change a row or two of thousands."""
        stale = [reference for reference in kept if _differ(kept[reference], told.get(reference))]
        fresh = [reference for reference in told if _differ(told[reference], kept.get(reference))]
        key: dict[str, Json] = {"desk": self._desk, "name": name, "intended": intended}
        if stale:
            self._connection.execute(
                delete(db.sheet_row).where(
                    db.sheet_row.c.desk == self._desk,
                    db.sheet_row.c.name == name,
                    db.sheet_row.c.intended == intended,
                    db.sheet_row.c.reference == bindparam("gone"),
                ),
                [{"gone": reference} for reference in stale],
            )
        if fresh:
            self._connection.execute(
                insert(db.sheet_row),
                [{**key, "reference": reference, "cells": dict(told[reference])} for reference in fresh],
            )

    # all

    def _first(self, wanted: Select[Any], *where: ColumnElement[bool]) -> Row[Any] | None:
        return self._connection.execute(wanted.where(*where).limit(1)).first()

    def _count(self, column: ColumnElement[Any], desk: ColumnElement[Any]) -> int:
        """The next number of a column that counts up on each desk."""
        highest = self._connection.scalar(select(func.max(column)).where(desk == self._desk))
        return int(highest or 0) + 1
