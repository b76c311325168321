"""The ledger's rows as values of its promise, and back: every query and shape that pages and desks share."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Result,
    Row,
    and_,
    delete,
    insert,
    literal_column,
    select,
    true,
)

from agent.errors import TryAgainLater
from agent.ledger import schema as db
from agent.ledger.base import (
    GONE,
    UNDER_WAY,
    HandledMail,
    Letter,
    LetterState,
    NotedMail,
    OpenQuestion,
    Reason,
    SheetState,
)
from agent.ledger.chain import Link
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.words import Happened, Json

T = TypeVar("T")

WAITING, HANDLED, FILED = "waiting", "handled", "filed"
LINES_AT_ONCE = 5000  # read into memory
AT_ONCE = 1000  # ids asked for in one statement: every database bounds how many fit


def at_once(ids: Iterable[T]) -> Iterator[list[T]]:
    """Ids in as many portions as it takes."""
    told = list(ids)
    return (told[start : start + AT_ONCE] for start in range(0, len(told), AT_ONCE))


# lines


def opened(desk: str) -> ColumnElement[bool]:
    """Lines that open an alert, said word for word as their index says it."""
    return and_(db.entry.c.desk == desk, db.entry.c.happened == literal_column("'opened'"))


def lines(connection: Connection, desk: str, where: ColumnElement[bool]) -> Result[Any]:
    both = and_(db.content.c.desk == db.entry.c.desk, db.content.c.seq == db.entry.c.seq)
    return connection.execute(
        select(db.entry, db.content.c.salt, db.content.c.body)
        .join_from(db.entry, db.content, both, isouter=True)
        .where(db.entry.c.desk == desk, where)
        .order_by(db.entry.c.seq),
        execution_options={"yield_per": LINES_AT_ONCE},
    )


def entries(connection: Connection, desk: str, where: ColumnElement[bool]) -> list[Entry]:
    return [as_entry(row) for row in lines(connection, desk, where)]


def entries_in_parts(connection: Connection, desk: str, where: ColumnElement[bool]) -> Iterator[list[Entry]]:
    """The same, some thousands at a time: of a long record never all are in memory."""
    for part in lines(connection, desk, where).partitions():
        yield [as_entry(row) for row in part]


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


def erase(connection: Connection, desk: str, alert: str) -> None:
    """Delete what is personal about an alert, unless something about it is still under way."""
    about = and_(db.entry.c.desk == desk, db.entry.c.alert == alert)
    sources = set(connection.scalars(select(db.entry.c.source).where(about)))
    if not sources:
        raise LookupError(f"There is no alert {alert} on desk {desk}.")
    keys = select(db.letter_reason.c.key).where(
        db.letter_reason.c.desk == desk, db.letter_reason.c.alert == alert
    )
    asked_about = [
        asked
        for asked in questions(connection, desk, true())
        if alert in asked.question.candidates or asked.question.message_id in sources
    ]
    on_its_way = db.letter.c.state.in_([state.value for state in UNDER_WAY])
    if connection.scalar(
        select(db.letter.c.key)
        .where(db.letter.c.desk == desk, db.letter.c.key.in_(keys), on_its_way)
        .limit(1)
    ):
        raise TryAgainLater(
            f"A letter about {alert} is on its way: erase once it is posted, held or withdrawn."
        )
    if any(asked.answered_at is None for asked in asked_about):
        raise TryAgainLater(f"A question about {alert} waits for an answer: erase once a person answered it.")
    connection.execute(
        delete(db.content).where(
            db.content.c.desk == desk, db.content.c.seq.in_(select(db.entry.c.seq).where(about))
        )
    )
    blank(connection, desk, connection.scalars(keys), [asked.number for asked in asked_about])


def blank(connection: Connection, desk: str, keys: Iterable[str], numbers: Iterable[int]) -> None:
    """Delete what these letters and questions said."""
    of_letter, of_question = db.letter_content.c, db.question_content.c
    for column, desk_column, wanted in (
        (of_letter.key, of_letter.desk, keys),
        (of_question.number, of_question.desk, numbers),
    ):
        for some in at_once(wanted):
            connection.execute(delete(column.table).where(desk_column == desk, column.in_(some)))


# mails


def mail_is(desk: str, mail_id: str) -> ColumnElement[bool]:
    return and_(db.mail.c.desk == desk, db.mail.c.mail_id == mail_id)


def known_mails(connection: Connection, desk: str, mail_ids: list[str]) -> set[str]:
    """Those of `mail_ids` that were noted or handled; not those that were gone."""
    known: set[str] = set()
    for some in at_once(mail_ids):
        here = and_(db.mail.c.desk == desk, db.mail.c.mail_id.in_(some), db.mail.c.outcome != GONE)
        known.update(connection.scalars(select(db.mail.c.mail_id).where(here)))
    return known


def forget_gone(connection: Connection, desk: str, mail_ids: list[str]) -> None:
    for some in at_once(mail_ids):
        here = and_(db.mail.c.desk == desk, db.mail.c.mail_id.in_(some), db.mail.c.outcome == GONE)
        connection.execute(delete(db.mail).where(here))


def keep_cursor(connection: Connection, desk: str, folder: str, cursor: str | None) -> None:
    connection.execute(delete(db.cursor).where(db.cursor.c.desk == desk, db.cursor.c.folder == folder))
    if cursor is not None:
        connection.execute(insert(db.cursor).values(desk=desk, folder=folder, cursor=cursor))


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
        db.question_content.c.desk == db.question.c.desk,
        db.question_content.c.number == db.question.c.number,
    )
    found = connection.execute(
        select(db.question, db.question_content.c.seen, db.question_content.c.answer)
        .join_from(db.question, db.question_content, both, isouter=True)
        .where(db.question.c.desk == desk, where)
        .order_by(db.question.c.number)
    )
    return [open_question(row) for row in found]


def open_question(row: Row[Any]) -> OpenQuestion:
    question = Question(row.code, row.why, row.message_id, tuple(row.candidates), row.seen or {})
    return OpenQuestion(
        row.number, row.asked_at, question, row.answer, row.answered_at, row.acted_at, row.note or ""
    )


# letters


def letter_is(desk: str, key: str) -> ColumnElement[bool]:
    return and_(db.letter.c.desk == desk, db.letter.c.key == key)


def reason_is(desk: str, reason: Reason) -> ColumnElement[bool]:
    """The reason as it stands: that of a withdrawn letter does not."""
    return and_(
        db.letter_reason.c.desk == desk,
        db.letter_reason.c.alert == reason.alert,
        db.letter_reason.c.rule == reason.rule,
        db.letter_reason.c.due == reason.due,
        db.letter_reason.c.stands,
    )


def written_for(connection: Connection, desk: str, reasons: Collection[Reason]) -> set[Reason]:
    of = db.letter_reason.c
    found: set[Reason] = set()
    for some in at_once({reason.alert for reason in reasons}):
        here = and_(of.desk == desk, of.alert.in_(some), of.stands)
        told = connection.execute(select(of.alert, of.rule, of.due).where(here))
        found.update(Reason(row.alert, row.rule, row.due) for row in told)
    return found.intersection(reasons)


def letters(connection: Connection, desk: str, where: ColumnElement[bool]) -> list[Letter]:
    wanted = and_(db.letter.c.desk == desk, where)
    keys = select(db.letter.c.key).where(wanted)
    reasons: dict[str, list[Reason]] = {}
    for row in connection.execute(
        select(db.letter_reason)
        .where(db.letter_reason.c.desk == desk, db.letter_reason.c.key.in_(keys))
        .order_by(db.letter_reason.c.place)
    ):
        reasons.setdefault(row.key, []).append(Reason(row.alert, row.rule, row.due))
    found = connection.execute(
        select(db.letter, db.letter_content.c.body)
        .join_from(db.letter, db.letter_content, isouter=True)
        .where(wanted)
        .order_by(db.letter.c.laid_at, db.letter.c.number)
    )
    return [as_letter(row, tuple(reasons.get(row.key, ()))) for row in found]


def as_letter(row: Row[Any], reasons: tuple[Reason, ...]) -> Letter:
    body = row.body or {"to": "", "text": "", "html": ""}
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
        pictures=_files(body.get("pictures", ())),
        attachments=_files(body.get("attachments", ())),
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
        "pictures": _file_values(letter.pictures),
        "attachments": _file_values(letter.attachments),
    }


def _files(kept: Iterable[Sequence[str]]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, base64.b64decode(content)) for name, content in kept)


def _file_values(files: Iterable[tuple[str, bytes]]) -> list[Json]:
    return [[name, base64.b64encode(content).decode()] for name, content in files]


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

Counted = tuple[int, SheetState]  # how often a sheet was written down, and as what the last time


def sheet_is(desk: str, name: str) -> ColumnElement[bool]:
    return and_(db.sheet.c.desk == desk, db.sheet.c.name == name)


def sheet(connection: Connection, desk: str, name: str, known: Mapping[str, Counted]) -> Counted | None:
    """A sheet as last written down; the very one that is known already, where it is the last."""
    here = sheet_is(desk, name)
    times = connection.scalar(select(db.sheet.c.times).where(here))
    if times is None:
        return None
    if name in known and known[name][0] == times:
        return known[name]
    found = connection.execute(select(db.sheet).where(here)).one()
    there, intended = (sheet_rows(connection, desk, name, intended=intended) for intended in (False, True))
    state = SheetState(found.version, tuple(found.headings), there, intended, tuple(found.marks))
    return times, state


def sheet_rows(connection: Connection, desk: str, name: str, *, intended: bool) -> dict[str, dict[str, str]]:
    table = db.sheet_row.c
    found = connection.execute(
        select(table.reference, table.cells)
        .where(table.desk == desk, table.name == name, table.intended == intended)
        .order_by(db.sheet_row.c.reference)
    )
    once: dict[str, str] = {}  # headings and most texts are the same in many rows, and are kept once
    return {
        row.reference: {
            once.setdefault(heading, heading): once.setdefault(text, text)
            for heading, text in row.cells.items()
        }
        for row in found
    }
