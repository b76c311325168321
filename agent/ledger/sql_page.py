"""A page of the ledger in a database: one transaction, all of it or nothing."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)

from agent.errors import TryAgainLater
from agent.ledger import chain, schema
from agent.ledger.base import (
    UNDER_WAY,
    HandledMail,
    Letter,
    LetterState,
    NotedMail,
    OpenQuestion,
    Reason,
    Seen,
    SheetState,
    next_reference,
)
from agent.ledger.chain import Link
from agent.ledger.database import Database, Watch
from agent.procedure.alert import Alert, alert_after, fold
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.words import Happened, Json

WAITING, HANDLED, FILED = "waiting", "handled", "filed"
AT_ONCE = 1000  # ids asked for in one statement: every database bounds how many fit


class SqlPage:
    """`Page` over one open transaction."""

    def __init__(self, connection: Connection, desk: str) -> None:
        self._connection = connection
        self._desk = desk
        self._given: list[str] = []

    # lines

    def record(self, entry: Entry) -> Entry:
        link = chain.seal(self._desk, entry, *self._next_line())
        line = link.entry
        if line.happened is Happened.OPENED and not self._may_open(line.alert):
            raise ValueError(
                f"An alert is opened once, under a reference of its own: not under {line.alert}."
            )
        self._connection.execute(insert(schema.entry).values(entry_values(link)))
        self._connection.execute(
            insert(schema.content).values(desk=self._desk, seq=line.seq, salt=link.salt, body=line.content)
        )
        return line

    def new_reference(self, prefix: str, year: int) -> str:
        stem = f"{prefix}-{year}"
        taken = self._connection.scalars(
            select(schema.entry.c.alert).where(
                opened(self._desk),
                schema.entry.c.alert > f"{stem}-",
                schema.entry.c.alert < f"{stem}.",  # the character after "-"
            )
        )
        reference = next_reference(prefix, year, [*taken, *self._given])
        self._given.append(reference)
        return reference

    def _may_open(self, alert: str | None) -> bool:
        return bool(alert) and not self._first(
            select(schema.entry.c.seq), opened(self._desk), schema.entry.c.alert == alert
        )

    def _next_line(self) -> tuple[int, str]:
        last = self._first(
            select(schema.entry.c.seq, schema.entry.c.hash).order_by(schema.entry.c.seq.desc()),
            schema.entry.c.desk == self._desk,
        )
        return (last.seq + 1, last.hash) if last else (1, chain.START)

    # mails

    def handled(self, mail: HandledMail) -> None:
        here = mail_is(self._desk, mail.mail_id)
        known = self._first(select(schema.mail.c.handled), here)
        values = mail_values(mail)
        values["handled"] = (known and known.handled) or self._count(
            schema.mail.c.handled, schema.mail.c.desk
        )
        if known:
            self._connection.execute(update(schema.mail).where(here).values(values))
        else:
            self._connection.execute(
                insert(schema.mail).values(desk=self._desk, mail_id=mail.mail_id, **values)
            )

    def failed(self, mail_id: str) -> int:
        here = mail_is(self._desk, mail_id)
        known = self._first(select(schema.mail.c.tries), here, schema.mail.c.state == WAITING)
        if known is None:
            raise LookupError(f"Mail {mail_id} does not wait on desk {self._desk}.")
        tries: int = known.tries + 1
        self._connection.execute(update(schema.mail).where(here).values(tries=tries))
        return tries

    # questions

    def ask(self, question: Question, at: datetime) -> int:
        known = self._first(
            select(schema.question.c.number),
            schema.question.c.desk == self._desk,
            schema.question.c.code == question.code,
            schema.question.c.message_id == question.message_id,
        )
        if known:
            return int(known.number)
        number = self._count(schema.question.c.number, schema.question.c.desk)
        self._connection.execute(
            insert(schema.question).values(
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
            insert(schema.question_content).values(desk=self._desk, number=number, seen=dict(question.seen))
        )
        return number

    def answer(self, number: int, answer: str, at: datetime) -> None:
        answered = self._connection.execute(
            update(schema.question)
            .where(schema.question.c.desk == self._desk, schema.question.c.number == number)
            .values(answered_at=at)
        )
        if not answered.rowcount:
            raise LookupError(f"There is no question {number} on desk {self._desk}.")
        self._connection.execute(
            update(schema.question_content)
            .where(schema.question_content.c.desk == self._desk, schema.question_content.c.number == number)
            .values(answer=answer)
        )

    # letters

    def lay(self, letter: Letter) -> bool:
        reasons = tuple(dict.fromkeys(letter.reasons))
        if not reasons:
            raise ValueError(f"Letter {letter.key} does not say why it exists: it needs a reason.")
        if any(
            self._first(select(schema.letter_reason.c.key), reason_is(self._desk, reason))
            for reason in reasons
        ):
            return False
        if self._first(select(schema.letter.c.key), letter_is(self._desk, letter.key)):
            raise ValueError(f"Letter {letter.key} exists already; another letter needs another key.")
        number = self._count(schema.letter.c.number, schema.letter.c.desk)
        self._connection.execute(
            insert(schema.letter).values(desk=self._desk, number=number, **letter_values(letter))
        )
        self._connection.execute(
            insert(schema.letter_content).values(desk=self._desk, key=letter.key, body=letter_body(letter))
        )
        self._connection.execute(
            insert(schema.letter_reason), reason_rows(self._desk, replace(letter, reasons=reasons))
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
        here = letter_is(self._desk, key)
        known = self._first(select(schema.letter.c.state, schema.letter.c.sends), here)
        if known is None:
            raise LookupError(f"There is no letter {key} on desk {self._desk}.")
        if not LetterState(known.state).may_become(state):
            raise ValueError(f"Letter {key} is {known.state} and cannot become {state.value}.")
        told = {"draft_id": draft_id, "internet_message_id": internet_message_id}
        self._connection.execute(
            update(schema.letter)
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
                update(schema.letter_reason)
                .where(schema.letter_reason.c.desk == self._desk, schema.letter_reason.c.key == key)
                .values(stands=False)
            )

    # register

    def wrote(self, sheet: SheetState, at: datetime) -> None:
        here = schema.sheet.c.desk == self._desk
        values = {"version": sheet.version, "headings": list(sheet.headings), "written_at": at}
        if not self._connection.execute(update(schema.sheet).where(here).values(values)).rowcount:
            self._connection.execute(insert(schema.sheet).values(desk=self._desk, **values))
        self._wrote_rows(sheet.rows, intended=False)
        self._wrote_rows(sheet.intended, intended=True)

    def _wrote_rows(self, rows: Mapping[str, Mapping[str, str]], *, intended: bool) -> None:
        """Replace what differs and leave the rest: most rounds change a row or two of thousands."""
        kept = sheet_rows(self._connection, self._desk, intended=intended)
        stale = [reference for reference in kept if kept[reference] != rows.get(reference)]
        fresh = [reference for reference in rows if kept.get(reference) != rows[reference]]
        key: dict[str, Json] = {"desk": self._desk, "intended": intended}
        if stale:
            self._connection.execute(
                delete(schema.sheet_row).where(
                    schema.sheet_row.c.desk == self._desk,
                    schema.sheet_row.c.intended == intended,
                    schema.sheet_row.c.reference == bindparam("gone"),
                ),
                [{"gone": reference} for reference in stale],
            )
        if fresh:
            self._connection.execute(
                insert(schema.sheet_row),
                [{**key, "reference": reference, "cells": dict(rows[reference])} for reference in fresh],
            )

    # all

    def _first(self, wanted: Select[Any], *where: ColumnElement[bool]) -> Row[Any] | None:
        return self._connection.execute(wanted.where(*where).limit(1)).first()

    def _count(self, column: ColumnElement[Any], desk: ColumnElement[Any]) -> int:
        """The next number of a column that counts up on each desk."""
        highest = self._connection.scalar(select(func.max(column)).where(desk == self._desk))
        return int(highest or 0) + 1
