"""The ledger in a database: SQLite in one file, or a server that several machines share."""

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

_desk = schema.desk.c
_entry = schema.entry.c
_content = schema.content.c
_cursor = schema.cursor.c
_mail = schema.mail.c
_letter = schema.letter.c
_letter_content = schema.letter_content.c
_reason = schema.letter_reason.c
_question = schema.question.c
_question_content = schema.question_content.c
_sheet = schema.sheet.c
_sheet_row = schema.sheet_row.c
_claim = schema.desk_claim.c


class SqlLedger:
    """`Ledger` over an SQLAlchemy URL: `sqlite:////var/lib/n2k/ledger.sqlite`, `postgresql+psycopg://…`.

    Opening it makes the tables or brings them up to date. NeedsAPerson when that cannot be: a newer
    schema, something that is no ledger, a file that cannot be written. `watch` is called around commits.
    """

    def __init__(self, url: str, watch: Watch | None = None) -> None:
        self._database = Database(url, watch)
        self._desks: dict[str, SqlDesk] = {}

    def desk(self, name: str) -> SqlDesk:
        return self._desks.setdefault(name, SqlDesk(self._database, name))

    def claim(self, desk: str, owner: str, now: datetime, seconds: float) -> bool:
        until = now + timedelta(seconds=seconds)
        with self._database.writing(desk) as connection:
            taken = connection.execute(
                update(schema.desk_claim)
                .where(_claim.desk == desk, or_(_claim.owner == owner, _claim.until <= now))
                .values(owner=owner, until=until)
            )
            if taken.rowcount:
                return True
            if connection.scalar(select(_claim.owner).where(_claim.desk == desk)) is not None:
                return False
            connection.execute(insert(schema.desk_claim).values(desk=desk, owner=owner, until=until))
            return True

    def release(self, desk: str, owner: str) -> None:
        with self._database.writing(desk) as connection:
            connection.execute(delete(schema.desk_claim).where(_claim.desk == desk, _claim.owner == owner))

    def close(self) -> None:
        self._database.close()


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
        if line.happened is Happened.OPENED and self._first(
            select(_entry.seq), _opened(self._desk), _entry.alert == line.alert
        ):
            raise ValueError(f"{line.alert} is open already; another alert needs a reference of its own.")
        self._connection.execute(insert(schema.entry).values(_entry_values(link)))
        self._connection.execute(
            insert(schema.content).values(desk=self._desk, seq=line.seq, salt=link.salt, body=line.content)
        )
        return line

    def new_reference(self, prefix: str, year: int) -> str:
        stem = f"{prefix}-{year}"
        taken = self._connection.scalars(
            select(_entry.alert).where(
                _opened(self._desk),
                _entry.alert > f"{stem}-",
                _entry.alert < f"{stem}.",  # the character after "-"
            )
        )
        reference = next_reference(prefix, year, [*taken, *self._given])
        self._given.append(reference)
        return reference

    def _next_line(self) -> tuple[int, str]:
        last = self._first(
            select(_entry.seq, _entry.hash).order_by(_entry.seq.desc()), _entry.desk == self._desk
        )
        return (last.seq + 1, last.hash) if last else (1, chain.START)

    # mails

    def handled(self, mail: HandledMail) -> None:
        here = _mail_is(self._desk, mail.mail_id)
        known = self._first(select(_mail.handled), here)
        values = _mail_values(mail)
        values["handled"] = (known and known.handled) or self._count(_mail.handled, _mail.desk)
        if known:
            self._connection.execute(update(schema.mail).where(here).values(values))
        else:
            self._connection.execute(
                insert(schema.mail).values(desk=self._desk, mail_id=mail.mail_id, **values)
            )

    def failed(self, mail_id: str) -> int:
        here = _mail_is(self._desk, mail_id)
        known = self._first(select(_mail.tries), here, _mail.state == WAITING)
        if known is None:
            raise LookupError(f"Mail {mail_id} does not wait on desk {self._desk}.")
        tries: int = known.tries + 1
        self._connection.execute(update(schema.mail).where(here).values(tries=tries))
        return tries

    # questions

    def ask(self, question: Question, at: datetime) -> int:
        known = self._first(
            select(_question.number),
            _question.desk == self._desk,
            _question.code == question.code,
            _question.message_id == question.message_id,
        )
        if known:
            return int(known.number)
        number = self._count(_question.number, _question.desk)
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
            .where(_question.desk == self._desk, _question.number == number)
            .values(answered_at=at)
        )
        if not answered.rowcount:
            raise LookupError(f"There is no question {number} on desk {self._desk}.")
        self._connection.execute(
            update(schema.question_content)
            .where(_question_content.desk == self._desk, _question_content.number == number)
            .values(answer=answer)
        )

    # letters

    def lay(self, letter: Letter) -> bool:
        reasons = tuple(dict.fromkeys(letter.reasons))
        if not reasons:
            raise ValueError(f"Letter {letter.key} does not say why it exists: it needs a reason.")
        if any(self._first(select(_reason.key), _reason_is(self._desk, reason)) for reason in reasons):
            return False
        if self._first(select(_letter.key), _letter_is(self._desk, letter.key)):
            raise ValueError(f"Letter {letter.key} exists already; another letter needs another key.")
        number = self._count(_letter.number, _letter.desk)
        self._connection.execute(
            insert(schema.letter).values(desk=self._desk, number=number, **_letter_values(letter))
        )
        self._connection.execute(
            insert(schema.letter_content).values(desk=self._desk, key=letter.key, body=_letter_body(letter))
        )
        self._connection.execute(
            insert(schema.letter_reason), _reason_rows(self._desk, replace(letter, reasons=reasons))
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
        here = _letter_is(self._desk, key)
        known = self._first(select(_letter.state, _letter.sends), here)
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
                .where(_reason.desk == self._desk, _reason.key == key)
                .values(stands=False)
            )

    # register

    def wrote(self, sheet: SheetState, at: datetime) -> None:
        here = _sheet.desk == self._desk
        values = {"version": sheet.version, "headings": list(sheet.headings), "written_at": at}
        if not self._connection.execute(update(schema.sheet).where(here).values(values)).rowcount:
            self._connection.execute(insert(schema.sheet).values(desk=self._desk, **values))
        self._wrote_rows(sheet.rows, intended=False)
        self._wrote_rows(sheet.intended, intended=True)

    def _wrote_rows(self, rows: Mapping[str, Mapping[str, str]], *, intended: bool) -> None:
        """Replace what differs and leave the rest: most rounds change a row or two of thousands."""
        kept = _sheet_rows(self._connection, self._desk, intended=intended)
        stale = [reference for reference in kept if kept[reference] != rows.get(reference)]
        fresh = [reference for reference in rows if kept.get(reference) != rows[reference]]
        key: dict[str, Json] = {"desk": self._desk, "intended": intended}
        if stale:
            self._connection.execute(
                delete(schema.sheet_row).where(
                    _sheet_row.desk == self._desk,
                    _sheet_row.intended == intended,
                    _sheet_row.reference == bindparam("gone"),
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


class SqlDesk:
    """`DeskLedger` of one desk. Reading goes on beside an open page, and sees what is committed."""

    def __init__(self, database: Database, desk: str) -> None:
        self._database = database
        self._desk = desk
        self._folding = threading.Lock()
        self._folded: dict[str, Alert] = {}
        self._folded_up_to = 0

    @property
    def desk(self) -> str:
        return self._desk

    @contextmanager
    def page(self) -> Iterator[SqlPage]:
        with self._database.writing(self._desk) as connection:
            yield SqlPage(connection, self._desk)

    def began_at(self) -> datetime | None:
        with self._database.reading() as connection:
            return connection.scalar(select(_desk.began_at).where(_desk.desk == self._desk))

    # mails

    def cursor(self, folder: str) -> str | None:
        with self._database.reading() as connection:
            return connection.scalar(
                select(_cursor.cursor).where(_cursor.desk == self._desk, _cursor.folder == folder)
            )

    def note(self, mails: Iterable[NotedMail], folder: str, cursor: str | None, at: datetime) -> int:
        told = {mail.mail_id: mail for mail in reversed(list(mails))}
        with self._database.writing(self._desk) as connection:
            known = _known_mails(connection, self._desk, list(told))
            new = [mail for mail in told.values() if mail.mail_id not in known]
            if new:
                connection.execute(insert(schema.mail), [_noted_values(self._desk, mail) for mail in new])
            _keep_cursor(connection, self._desk, folder, cursor)
            if connection.scalar(select(_desk.desk).where(_desk.desk == self._desk)) is None:
                connection.execute(insert(schema.desk).values(desk=self._desk, began_at=at))
        return len(new)

    def waiting(self) -> list[NotedMail]:
        with self._database.reading() as connection:
            found = connection.execute(
                select(_mail.mail_id, _mail.received_at, _mail.tries)
                .where(_mail.desk == self._desk, _mail.state == WAITING)
                .order_by(_mail.received_at, _mail.mail_id)
            )
            return [NotedMail(row.mail_id, row.received_at, row.tries) for row in found]

    def seen(self, message_id: str, fingerprint: str) -> Seen:
        with self._database.reading() as connection:
            found = connection.scalars(
                select(_mail.fingerprint).where(
                    _mail.desk == self._desk, _mail.message_id == message_id, _mail.handled.is_not(None)
                )
            ).all()
        if not found:
            return Seen.NEVER
        return Seen.SAME if fingerprint in found else Seen.OTHER_CONTENT

    def handled_as(self, message_id: str) -> HandledMail | None:
        found = self._mails(
            select(schema.mail).where(_mail.message_id == message_id).order_by(_mail.handled).limit(1)
        )
        return found[0] if found else None

    def to_file(self) -> list[HandledMail]:
        return self._mails(select(schema.mail).where(_mail.state == HANDLED).order_by(_mail.handled))

    def filed(self, mail_ids: Sequence[str]) -> None:
        if not mail_ids:
            return
        with self._database.writing(self._desk) as connection:
            connection.execute(
                update(schema.mail)
                .where(
                    _mail.desk == self._desk, _mail.mail_id == bindparam("id_filed"), _mail.state == HANDLED
                )
                .values(state=FILED),
                [{"id_filed": mail_id} for mail_id in mail_ids],
            )

    def mails(self) -> list[HandledMail]:
        return self._mails(select(schema.mail).order_by(_mail.received_at, _mail.mail_id))

    def _mails(self, wanted: Select[Any]) -> list[HandledMail]:
        with self._database.reading() as connection:
            found = connection.execute(wanted.where(_mail.desk == self._desk, _mail.handled.is_not(None)))
            return [_handled_mail(row) for row in found]

    # alerts

    def alerts(self) -> Mapping[str, Alert]:
        """Only lines newer than the last one folded are read, whichever program wrote them."""
        with self._folding:
            with self._database.reading() as connection:
                new = _entries(connection, self._desk, _entry.seq > self._folded_up_to)
                erased = {entry.alert for entry in new if entry.happened is Happened.ERASED}
                again = [_entries(connection, self._desk, _entry.alert == alert) for alert in erased]
            if new:
                self._folded = _folded_on(self._folded, new, again)
                self._folded_up_to = new[-1].seq
            return MappingProxyType(self._folded)

    def entries(self, alert: str | None = None) -> list[Entry]:
        with self._database.reading() as connection:
            return _entries(connection, self._desk, true() if alert is None else _entry.alert == alert)

    def erase(self, alert: str, at: datetime, source: str) -> None:
        with self._database.writing(self._desk) as connection:
            _erase(connection, self._desk, alert)
            SqlPage(connection, self._desk).record(Entry(Happened.ERASED, alert, at, source))
        self._database.forget_erased()

    def verify(self) -> list[str]:
        with self._database.reading() as connection:
            return chain.verify([_link(row) for row in _lines(connection, self._desk, true())])

    # questions, letters, register

    def questions(self, *, waiting_only: bool = True) -> list[OpenQuestion]:
        with self._database.reading() as connection:
            return _questions(
                connection, self._desk, _question.answered_at.is_(None) if waiting_only else true()
            )

    def letters(self, *states: LetterState, since: datetime | None = None) -> list[Letter]:
        of_state = _letter.state.in_([state.value for state in states]) if states else true()
        of_time = true() if since is None else or_(_letter.laid_at >= since, _letter.changed_at >= since)
        with self._database.reading() as connection:
            return _letters(connection, self._desk, and_(of_state, of_time))

    def letter_for(self, reason: Reason) -> str | None:
        with self._database.reading() as connection:
            return connection.scalar(select(_reason.key).where(_reason_is(self._desk, reason)))

    def letter_by_message_id(self, internet_message_id: str) -> Letter | None:
        with self._database.reading() as connection:
            found = _letters(connection, self._desk, _letter.internet_message_id == internet_message_id)
        return found[0] if found else None

    def sheet(self) -> SheetState | None:
        with self._database.reading() as connection:
            found = connection.execute(select(schema.sheet).where(_sheet.desk == self._desk)).first()
            if found is None:
                return None
            return SheetState(
                version=found.version,
                headings=tuple(found.headings),
                rows=_sheet_rows(connection, self._desk, intended=False),
                intended=_sheet_rows(connection, self._desk, intended=True),
            )


# lines


def _opened(desk: str) -> ColumnElement[bool]:
    return and_(_entry.desk == desk, _entry.happened == literal_column("'opened'"))  # as its index says


def _lines(connection: Connection, desk: str, where: ColumnElement[bool]) -> Sequence[Row[Any]]:
    both = and_(_content.desk == _entry.desk, _content.seq == _entry.seq)
    return connection.execute(
        select(schema.entry, _content.salt, _content.body)
        .join_from(schema.entry, schema.content, both, isouter=True)
        .where(_entry.desk == desk, where)
        .order_by(_entry.seq)
    ).all()


def _entries(connection: Connection, desk: str, where: ColumnElement[bool]) -> list[Entry]:
    return [_as_entry(row) for row in _lines(connection, desk, where)]


def _as_entry(row: Row[Any]) -> Entry:
    return Entry(
        happened=Happened(row.happened),
        alert=row.alert,
        at=row.at,
        source=row.source,
        facts=row.facts,
        content=row.body,
        seq=row.seq,
    )


def _link(row: Row[Any]) -> Link:
    return Link(row.desk, _as_entry(row), row.salt, row.content_hash, row.previous, row.hash)


def _entry_values(link: Link) -> dict[str, Any]:
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


def _folded_on(alerts: dict[str, Alert], new: list[Entry], again: Iterable[list[Entry]]) -> dict[str, Alert]:
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


def _erase(connection: Connection, desk: str, alert: str) -> None:
    """Delete what is personal about an alert, unless something about it is still under way."""
    about = and_(_entry.desk == desk, _entry.alert == alert)
    sources = set(connection.scalars(select(_entry.source).where(about)))
    if not sources:
        raise LookupError(f"There is no alert {alert} on desk {desk}.")
    keys = select(_reason.key).where(_reason.desk == desk, _reason.alert == alert)
    questions = [
        asked
        for asked in _questions(connection, desk, true())
        if alert in asked.question.candidates or asked.question.message_id in sources
    ]
    on_its_way = _letter.state.in_([state.value for state in UNDER_WAY])
    if connection.scalar(
        select(_letter.key).where(_letter.desk == desk, _letter.key.in_(keys), on_its_way).limit(1)
    ):
        raise TryAgainLater(
            f"A letter about {alert} is on its way: erase once it is posted, held or withdrawn."
        )
    if any(asked.answered_at is None for asked in questions):
        raise TryAgainLater(f"A question about {alert} waits for an answer: erase once a person answered it.")
    connection.execute(
        delete(schema.content).where(_content.desk == desk, _content.seq.in_(select(_entry.seq).where(about)))
    )
    connection.execute(
        delete(schema.letter_content).where(_letter_content.desk == desk, _letter_content.key.in_(keys))
    )
    connection.execute(
        delete(schema.question_content).where(
            _question_content.desk == desk,
            _question_content.number.in_([asked.number for asked in questions]),
        )
    )


# mails


def _mail_is(desk: str, mail_id: str) -> ColumnElement[bool]:
    return and_(_mail.desk == desk, _mail.mail_id == mail_id)


def _known_mails(connection: Connection, desk: str, mail_ids: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(mail_ids), AT_ONCE):
        some = _mail.mail_id.in_(mail_ids[start : start + AT_ONCE])
        known.update(connection.scalars(select(_mail.mail_id).where(_mail.desk == desk, some)))
    return known


def _keep_cursor(connection: Connection, desk: str, folder: str, cursor: str | None) -> None:
    connection.execute(delete(schema.cursor).where(_cursor.desk == desk, _cursor.folder == folder))
    if cursor is not None:
        connection.execute(insert(schema.cursor).values(desk=desk, folder=folder, cursor=cursor))


def _noted_values(desk: str, mail: NotedMail) -> dict[str, Any]:
    return {
        "desk": desk,
        "mail_id": mail.mail_id,
        "received_at": mail.received_at,
        "state": WAITING,
        "tries": mail.tries,
    }


def _mail_values(mail: HandledMail) -> dict[str, Any]:
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


def _handled_mail(row: Row[Any]) -> HandledMail:
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


def _questions(connection: Connection, desk: str, where: ColumnElement[bool]) -> list[OpenQuestion]:
    both = and_(_question_content.desk == _question.desk, _question_content.number == _question.number)
    found = connection.execute(
        select(schema.question, _question_content.seen, _question_content.answer)
        .join_from(schema.question, schema.question_content, both, isouter=True)
        .where(_question.desk == desk, where)
        .order_by(_question.number)
    )
    return [_open_question(row) for row in found]


def _open_question(row: Row[Any]) -> OpenQuestion:
    question = Question(row.code, row.why, row.message_id, tuple(row.candidates), row.seen or {})
    return OpenQuestion(row.number, row.asked_at, question, row.answer, row.answered_at)


# letters


def _letter_is(desk: str, key: str) -> ColumnElement[bool]:
    return and_(_letter.desk == desk, _letter.key == key)


def _reason_is(desk: str, reason: Reason) -> ColumnElement[bool]:
    """The reason as it stands: that of a withdrawn letter does not."""
    return and_(
        _reason.desk == desk,
        _reason.alert == reason.alert,
        _reason.rule == reason.rule,
        _reason.due == reason.due,
        _reason.stands,
    )


def _letters(connection: Connection, desk: str, where: ColumnElement[bool]) -> list[Letter]:
    wanted = and_(_letter.desk == desk, where)
    keys = select(_letter.key).where(wanted)
    reasons: dict[str, list[Reason]] = {}
    for row in connection.execute(
        select(schema.letter_reason)
        .where(_reason.desk == desk, _reason.key.in_(keys))
        .order_by(_reason.place)
    ):
        reasons.setdefault(row.key, []).append(Reason(row.alert, row.rule, row.due))
    found = connection.execute(
        select(schema.letter, _letter_content.body)
        .join_from(schema.letter, schema.letter_content, isouter=True)
        .where(wanted)
        .order_by(_letter.laid_at, _letter.number)
    )
    return [_as_letter(row, tuple(reasons.get(row.key, ()))) for row in found]


def _as_letter(row: Row[Any], reasons: tuple[Reason, ...]) -> Letter:
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


def _letter_values(letter: Letter) -> dict[str, Any]:
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


def _letter_body(letter: Letter) -> dict[str, Json]:
    return {
        "to": letter.to,
        "text": letter.text,
        "html": letter.html,
        "pictures": [[name, base64.b64encode(picture).decode()] for name, picture in letter.pictures],
    }


def _reason_rows(desk: str, letter: Letter) -> list[dict[str, Any]]:
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


def _sheet_rows(connection: Connection, desk: str, *, intended: bool) -> dict[str, dict[str, str]]:
    found = connection.execute(
        select(_sheet_row.reference, _sheet_row.cells)
        .where(_sheet_row.desk == desk, _sheet_row.intended == intended)
        .order_by(_sheet_row.reference)
    )
    return {row.reference: row.cells for row in found}
