"""The ledger's rows as values of its promise, and back: every query and shape that pages and desks share."""

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


# lines


def opened(desk: str) -> ColumnElement[bool]:
    return and_(
        schema.entry.c.desk == desk, schema.entry.c.happened == literal_column("'opened'")
    )  # as its index says


def lines(connection: Connection, desk: str, where: ColumnElement[bool]) -> Sequence[Row[Any]]:
    both = and_(schema.content.c.desk == schema.entry.c.desk, schema.content.c.seq == schema.entry.c.seq)
    return connection.execute(
        select(schema.entry, schema.content.c.salt, schema.content.c.body)
        .join_from(schema.entry, schema.content, both, isouter=True)
        .where(schema.entry.c.desk == desk, where)
        .order_by(schema.entry.c.seq)
    ).all()


def entries(connection: Connection, desk: str, where: ColumnElement[bool]) -> list[Entry]:
    return [as_entry(row) for row in lines(connection, desk, where)]


def as_entry(row: Row[Any]) -> Entry:
    return Entry(
        happened=Happened(row.happened),
        alert=row.alert,
        at=row.at,
        source=row.source,
        facts=row.facts,
        content=row.body,
        seq=row.seq,
    )


def link(row: Row[Any]) -> Link:
    return Link(row.desk, as_entry(row), row.salt, row.content_hash, row.previous, row.hash)


def entry_values(link: Link) -> dict[str, Any]:
    entry = link.entry
    return {
        "desk": link.desk,
        "seq": entry.seq,
        "alert": entry.alert,
        "at": entry.at,
        "happened": entry.happened.value,
        "source": entry.source,
        "facts": entry.facts,
        "content_hash": link.content_hash,
        "previous": link.previous,
        "hash": link.hash,
    }


def folded_on(alerts: dict[str, Alert], new: list[Entry], again: Iterable[list[Entry]]) -> dict[str, Alert]:
    """The alerts once `new` has happened; those told `again` are folded afresh from all their lines."""
    afresh: dict[str, Alert] = {}
    for entries in again:
        afresh |= fold(entries)
    after = {**alerts, **afresh}
    for entry in new:
        if entry.alert is not None and entry.alert not in afresh:
            alert = alert_after(after.get(entry.alert), entry)
            if alert is not None:
                after[entry.alert] = alert
    return after


def erase(connection: Connection, desk: str, alert: str) -> None:
    """Delete what is personal about an alert, unless something about it is still under way."""
    about = and_(schema.entry.c.desk == desk, schema.entry.c.alert == alert)
    sources = set(connection.scalars(select(schema.entry.c.source).where(about)))
    if not sources:
        raise LookupError(f"There is no alert {alert} on desk {desk}.")
    keys = select(schema.letter_reason.c.key).where(
        schema.letter_reason.c.desk == desk, schema.letter_reason.c.alert == alert
    )
    questions = [
        asked
        for asked in questions(connection, desk, true())
        if alert in asked.question.candidates or asked.question.message_id in sources
    ]
    on_its_way = schema.letter.c.state.in_([state.value for state in UNDER_WAY])
    if connection.scalar(
        select(schema.letter.c.key)
        .where(schema.letter.c.desk == desk, schema.letter.c.key.in_(keys), on_its_way)
        .limit(1)
    ):
        raise TryAgainLater(
            f"A letter about {alert} is on its way: erase once it is posted, held or withdrawn."
        )
    if any(asked.answered_at is None for asked in questions):
        raise TryAgainLater(f"A question about {alert} waits for an answer: erase once a person answered it.")
    connection.execute(
        delete(schema.content).where(
            schema.content.c.desk == desk, schema.content.c.seq.in_(select(schema.entry.c.seq).where(about))
        )
    )
    connection.execute(
        delete(schema.letter_content).where(
            schema.letter_content.c.desk == desk, schema.letter_content.c.key.in_(keys)
        )
    )
    connection.execute(
        delete(schema.question_content).where(
            schema.question_content.c.desk == desk,
            schema.question_content.c.number.in_([asked.number for asked in questions]),
        )
    )


# mails


def mail_is(desk: str, mail_id: str) -> ColumnElement[bool]:
    return and_(schema.mail.c.desk == desk, schema.mail.c.mail_id == mail_id)


def known_mails(connection: Connection, desk: str, mail_ids: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(mail_ids), AT_ONCE):
        some = schema.mail.c.mail_id.in_(mail_ids[start : start + AT_ONCE])
        known.update(
            connection.scalars(select(schema.mail.c.mail_id).where(schema.mail.c.desk == desk, some))
        )
    return known


def keep_cursor(connection: Connection, desk: str, folder: str, cursor: str | None) -> None:
    connection.execute(
        delete(schema.cursor).where(schema.cursor.c.desk == desk, schema.cursor.c.folder == folder)
    )
    if cursor is not None:
        connection.execute(insert(schema.cursor).values(desk=desk, folder=folder, cursor=cursor))


def noted_values(desk: str, mail: NotedMail) -> dict[str, Any]:
    return {
        "desk": desk,
        "mail_id": mail.mail_id,
        "received_at": mail.received_at,
        "state": WAITING,
        "tries": mail.tries,
    }


def mail_values(mail: HandledMail) -> dict[str, Any]:
    return {
        "received_at": mail.received_at,
        "state": FILED if mail.filed else HANDLED,
        "message_id": mail.message_id,
        "fingerprint": mail.fingerprint,
        "outcome": mail.outcome,
        "folder": list(mail.folder),
        "categories": list(mail.categories),
        "alerts": list(mail.alerts),
    }


def handled_mail(row: Row[Any]) -> HandledMail:
    return HandledMail(
        mail_id=row.mail_id,
        message_id=row.message_id,
        fingerprint=row.fingerprint,
        received_at=row.received_at,
        outcome=row.outcome,
        folder=tuple(row.folder),
        categories=tuple(row.categories),
        alerts=tuple(row.alerts),
        filed=row.state == FILED,
    )


# questions


def questions(connection: Connection, desk: str, where: ColumnElement[bool]) -> list[OpenQuestion]:
    both = and_(
        schema.question_content.c.desk == schema.question.c.desk,
        schema.question_content.c.number == schema.question.c.number,
    )
    found = connection.execute(
        select(schema.question, schema.question_content.c.seen, schema.question_content.c.answer)
        .join_from(schema.question, schema.question_content, both, isouter=True)
        .where(schema.question.c.desk == desk, where)
        .order_by(schema.question.c.number)
    )
    return [open_question(row) for row in found]


def open_question(row: Row[Any]) -> OpenQuestion:
    question = Question(row.code, row.why, row.message_id, tuple(row.candidates), row.seen or {})
    return OpenQuestion(row.number, row.asked_at, question, row.answer, row.answered_at)


# letters


def letter_is(desk: str, key: str) -> ColumnElement[bool]:
    return and_(schema.letter.c.desk == desk, schema.letter.c.key == key)


def reason_is(desk: str, reason: Reason) -> ColumnElement[bool]:
    """The reason as it stands: that of a withdrawn letter does not."""
    return and_(
        schema.letter_reason.c.desk == desk,
        schema.letter_reason.c.alert == reason.alert,
        schema.letter_reason.c.rule == reason.rule,
        schema.letter_reason.c.due == reason.due,
        schema.letter_reason.c.stands,
    )


def letters(connection: Connection, desk: str, where: ColumnElement[bool]) -> list[Letter]:
    wanted = and_(schema.letter.c.desk == desk, where)
    keys = select(schema.letter.c.key).where(wanted)
    reasons: dict[str, list[Reason]] = {}
    for row in connection.execute(
        select(schema.letter_reason)
        .where(schema.letter_reason.c.desk == desk, schema.letter_reason.c.key.in_(keys))
        .order_by(schema.letter_reason.c.place)
    ):
        reasons.setdefault(row.key, []).append(Reason(row.alert, row.rule, row.due))
    found = connection.execute(
        select(schema.letter, schema.letter_content.c.body)
        .join_from(schema.letter, schema.letter_content, isouter=True)
        .where(wanted)
        .order_by(schema.letter.c.laid_at, schema.letter.c.number)
    )
    return [as_letter(row, tuple(reasons.get(row.key, ()))) for row in found]


def as_letter(row: Row[Any], reasons: tuple[Reason, ...]) -> Letter:
    body = row.body or {"to": "", "text": "", "html": "", "pictures": []}
    return Letter(
        key=row.key,
        kind=row.kind,
        to=body["to"],
        subject=row.subject,
        text=body["text"],
        html=body["html"],
        laid_at=row.laid_at,
        reasons=reasons,
        state=LetterState(row.state),
        draft_id=row.draft_id,
        internet_message_id=row.internet_message_id,
        changed_at=row.changed_at,
        sends=row.sends,
        pictures=tuple((name, base64.b64decode(picture)) for name, picture in body["pictures"]),
    )


def letter_values(letter: Letter) -> dict[str, Any]:
    return {
        "key": letter.key,
        "kind": letter.kind,
        "subject": letter.subject,
        "laid_at": letter.laid_at,
        "state": letter.state.value,
        "draft_id": letter.draft_id,
        "internet_message_id": letter.internet_message_id,
        "changed_at": letter.changed_at,
        "sends": letter.sends,
    }


def letter_body(letter: Letter) -> dict[str, Json]:
    return {
        "to": letter.to,
        "text": letter.text,
        "html": letter.html,
        "pictures": [[name, base64.b64encode(picture).decode()] for name, picture in letter.pictures],
    }


def reason_rows(desk: str, letter: Letter) -> list[dict[str, Any]]:
    return [
        {
            "desk": desk,
            "key": letter.key,
            "place": place,
            "alert": reason.alert,
            "rule": reason.rule,
            "due": reason.due,
            "stands": letter.state is not LetterState.WITHDRAWN,
        }
        for place, reason in enumerate(letter.reasons)
    ]


# register


def sheet_rows(connection: Connection, desk: str, *, intended: bool) -> dict[str, dict[str, str]]:
    found = connection.execute(
        select(schema.sheet_row.c.reference, schema.sheet_row.c.cells)
        .where(schema.sheet_row.c.desk == desk, schema.sheet_row.c.intended == intended)
        .order_by(schema.sheet_row.c.reference)
    )
    return {row.reference: row.cells for row in found}
