"""The ledger in a database: SQLite in one file, or a server that several machines share."""

from __future__ import annotations

import gc
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from sqlalchemy import (
    URL,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from agent.ledger import chain, rows
from agent.ledger import schema as db
from agent.ledger.base import (
    REGISTER,
    HandledMail,
    Letter,
    LetterState,
    NotedMail,
    OpenQuestion,
    Reason,
    Seen,
    SheetState,
    in_order_received,
    outlived,
)
from agent.ledger.database import Database, Watch
from agent.ledger.sql_page import SqlPage
from agent.procedure.alert import fold, folded_on
from agent.procedure.alerts import Alerts
from agent.procedure.entry import Entry
from agent.procedure.kept import Kept, kept_after
from agent.procedure.pause import Pause, pause_after
from agent.procedure.reach import Unreached, unreached_after
from agent.procedure.swept import Swept, swept_after
from agent.procedure.words import Happened


class SqlLedger:
    """`Ledger` over an SQLAlchemy URL: `sqlite:////var/lib/n2k/ledger.sqlite`, `postgresql+psycopg://…`.

    Opening it makes the tables or brings them up to date. NeedsAPerson when that cannot be: a newer
    schema, something that is no ledger, a file that cannot be written. `watch` is called around commits.
    """

    def __init__(self, url: str | URL, watch: Watch | None = None) -> None:
        self._database = Database(url, watch)
        self._desks: dict[str, SqlDesk] = {}

    def desk(self, name: str) -> SqlDesk:
        return self._desks.setdefault(name, SqlDesk(self._database, name))

    def claim(self, desk: str, owner: str, seconds: float) -> bool:
        return bool(self.claim_each([desk], owner, seconds))

    def claim_each(self, desks: Iterable[str], owner: str, seconds: float) -> set[str]:
        claim, asked = db.desk_claim, set(desks)
        with self._database.writing() as connection:  # waits for no desk's page, which may take its time
            now = self._database.now(connection)
            until = now + timedelta(seconds=seconds)
            connection.execute(
                update(claim)
                .where(claim.c.desk.in_(asked), or_(claim.c.owner == owner, claim.c.until <= now))
                .values(owner=owner, until=until)
            )
            known = connection.scalars(select(claim.c.desk).where(claim.c.desk.in_(asked))).all()
            if new := asked.difference(known):
                told = [{"desk": desk, "owner": owner, "until": until} for desk in sorted(new)]
                connection.execute(insert(claim), told)
            ours = select(claim.c.desk).where(claim.c.desk.in_(asked), claim.c.owner == owner)
            return set(connection.scalars(ours))

    def release(self, desk: str, owner: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                delete(db.desk_claim).where(db.desk_claim.c.desk == desk, db.desk_claim.c.owner == owner)
            )

    def close(self) -> None:
        self._database.close()


class SqlDesk:
    """`DeskLedger` of one desk. Reading goes on beside an open page, and sees what is committed."""

    def __init__(self, database: Database, desk: str) -> None:
        self._database = database
        self._desk = desk
        self._folding = threading.Lock()
        self._folded = Alerts()
        self._pause = Pause()
        self._unreached: Unreached = frozenset()
        self._kept = Kept()
        self._swept: Swept | None = None
        self._folded_up_to = 0
        self._sheets: dict[str, rows.Counted] = {}

    @property
    def desk(self) -> str:
        return self._desk

    @contextmanager
    def page(self) -> Iterator[SqlPage]:
        with self._database.writing(self._desk) as connection:
            page = SqlPage(connection, self._desk, self._sheets)
            yield page
        self._sheets |= page.sheets

    def began_at(self) -> datetime | None:
        with self._database.reading() as connection:
            return connection.scalar(select(db.desk.c.began_at).where(db.desk.c.desk == self._desk))

    # mails

    def cursor(self, folder: str) -> str | None:
        with self._database.reading() as connection:
            return connection.scalar(
                select(db.cursor.c.cursor).where(db.cursor.c.desk == self._desk, db.cursor.c.folder == folder)
            )

    def note(self, mails: Iterable[NotedMail], folder: str, cursor: str | None, at: datetime) -> int:
        told = {mail.mail_id: mail for mail in reversed(list(mails))}
        with self._database.writing(self._desk) as connection:
            known = rows.known_mails(connection, self._desk, list(told))
            new = [mail for mail in told.values() if mail.mail_id not in known]
            if new:
                rows.forget_gone(connection, self._desk, [mail.mail_id for mail in new])
                connection.execute(insert(db.mail), [rows.noted_values(self._desk, mail) for mail in new])
            rows.keep_cursor(connection, self._desk, folder, cursor)
            if connection.scalar(select(db.desk.c.desk).where(db.desk.c.desk == self._desk)) is None:
                connection.execute(insert(db.desk).values(desk=self._desk, began_at=at))
        return len(new)

    def waiting(self) -> list[NotedMail]:
        with self._database.reading() as connection:
            found = connection.execute(
                select(db.mail.c.mail_id, db.mail.c.received_at, db.mail.c.tries)
                .where(db.mail.c.desk == self._desk, db.mail.c.state == rows.WAITING)
                .order_by(db.mail.c.received_at, db.mail.c.mail_id)
            )
            return [NotedMail(row.mail_id, row.received_at, row.tries) for row in found]

    def seen(self, message_id: str, fingerprint: str) -> Seen:
        with self._database.reading() as connection:
            found = connection.scalars(
                select(db.mail.c.fingerprint).where(
                    db.mail.c.desk == self._desk,
                    db.mail.c.message_id == message_id,
                    db.mail.c.handled.is_not(None),
                )
            ).all()
        if not found:
            return Seen.NEVER
        return Seen.SAME if fingerprint in found else Seen.OTHER_CONTENT

    def handled_as(self, message_id: str) -> HandledMail | None:
        found = self._mails(
            select(db.mail).where(db.mail.c.message_id == message_id).order_by(db.mail.c.handled).limit(1)
        )
        return found[0] if found else None

    def to_file(self) -> list[HandledMail]:
        return self._mails(select(db.mail).where(db.mail.c.state == rows.HANDLED).order_by(db.mail.c.handled))

    def filed(self, mail_ids: Sequence[str]) -> None:
        if not mail_ids:
            return
        with self._database.writing(self._desk) as connection:
            connection.execute(
                update(db.mail)
                .where(
                    db.mail.c.desk == self._desk,
                    db.mail.c.mail_id == bindparam("id_filed"),
                    db.mail.c.state == rows.HANDLED,
                )
                .values(state=rows.FILED),
                [{"id_filed": mail_id} for mail_id in mail_ids],
            )

    def mails(self) -> list[HandledMail]:
        return self._mails(select(db.mail).order_by(db.mail.c.received_at, db.mail.c.mail_id))

    def mails_named(self, names: Collection[str]) -> list[HandledMail]:
        found: dict[str, HandledMail] = {}
        for some in rows.at_once(names):
            named = or_(db.mail.c.mail_id.in_(some), db.mail.c.message_id.in_(some))
            found |= {mail.mail_id: mail for mail in self._mails(select(db.mail).where(named))}
        return sorted(found.values(), key=in_order_received)

    def _mails(self, wanted: Select[Any]) -> list[HandledMail]:
        with self._database.reading() as connection:
            found = connection.execute(
                wanted.where(db.mail.c.desk == self._desk, db.mail.c.handled.is_not(None))
            )
            return [rows.handled_mail(row) for row in found]

    # alerts

    def alerts(self) -> Alerts:
        with self._folding:
            self._fold_on()
            return self._folded

    def pause(self) -> Pause:
        with self._folding:
            self._fold_on()
            return self._pause

    def unreached(self) -> Unreached:
        with self._folding:
            self._fold_on()
            return self._unreached

    def kept(self) -> Kept:
        with self._folding:
            self._fold_on()
            return self._kept

    def swept(self) -> Swept | None:
        with self._folding:
            self._fold_on()
            return self._swept

    def _fold_on(self) -> None:
        """Only lines newer than the last one folded are read, whichever program wrote them. What was known of
        an alert before it was erased is forgotten: it is folded afresh from what is left of its lines."""
        before, erased = self._folded, set[str]()
        with _uncollected(), self._database.reading() as connection:
            for new in rows.entries_in_parts(connection, self._desk, db.entry.c.seq > self._folded_up_to):
                erased |= {str(one.alert) for one in new if one.happened is Happened.ERASED} & before.keys()
                self._folded = self._folded.after(folded_on(self._folded, new).values())
                self._pause = reduce(pause_after, new, self._pause)
                self._unreached = reduce(unreached_after, new, self._unreached)
                self._kept = reduce(kept_after, new, self._kept)
                self._swept = reduce(swept_after, new, self._swept)
                self._folded_up_to = new[-1].seq
            left = [
                entry
                for alert in erased
                for entry in rows.entries(connection, self._desk, db.entry.c.alert == alert)
            ]
        if erased:
            self._folded = self._folded.after_erasure(fold(left).values())

    def entries(self, alert: str | None = None) -> list[Entry]:
        with self._database.reading() as connection:
            return rows.entries(
                connection, self._desk, true() if alert is None else db.entry.c.alert == alert
            )

    def erase(self, alert: str, at: datetime, source: str) -> None:
        with self._database.writing(self._desk) as connection:
            rows.erase(connection, self._desk, alert)
            SqlPage(connection, self._desk).record(Entry(Happened.ERASED, alert, at, source))
        self._database.forget_erased()

    def erase_before(self, before: datetime) -> int:
        with self._database.writing(self._desk) as connection:
            keys, numbers = outlived(
                rows.letters(connection, self._desk, true()),
                rows.questions(connection, self._desk, true()),
                self.alerts(),
                before,
            )
            rows.blank(connection, self._desk, keys, numbers)
        self._database.forget_erased()
        return len(keys) + len(numbers)

    def make_anew(self) -> None:
        self._database.make_anew()

    def verify(self) -> list[str]:
        with self._database.reading() as connection:
            try:
                return chain.verify([rows.link(row) for row in rows.lines(connection, self._desk, true())])
            except (ValueError, TypeError):  # no time, no kind or no JSON where we wrote one
                return [f"A line of desk {self._desk} cannot even be read: it is not as it was written."]

    def mark(self) -> str:
        asked, said = db.question.c, db.question_content.c
        wanted = (
            select(func.max(db.entry.c.seq)).where(db.entry.c.desk == self._desk),
            select(func.max(db.mail.c.handled)).where(db.mail.c.desk == self._desk),
            select(func.count(), func.max(asked.answered_at), func.max(asked.acted_at)).where(
                asked.desk == self._desk
            ),
            select(asked.number, asked.answered_at, asked.note).where(
                asked.desk == self._desk, asked.acted_at.is_(None)
            ),
            select(func.count()).where(said.desk == self._desk),
        )
        with self._database.reading() as connection:
            return str([sorted(map(tuple, connection.execute(one))) for one in wanted])

    # questions, letters, register

    def questions(self, *, waiting_only: bool = True) -> list[OpenQuestion]:
        with self._database.reading() as connection:
            return rows.questions(
                connection, self._desk, db.question.c.answered_at.is_(None) if waiting_only else true()
            )

    def to_act_on(self) -> list[OpenQuestion]:
        answered = and_(db.question.c.answered_at.is_not(None), db.question.c.acted_at.is_(None))
        with self._database.reading() as connection:
            return rows.questions(
                connection, self._desk, and_(answered, db.question_content.c.answer.is_not(None))
            )

    def letters(self, *states: LetterState, since: datetime | None = None) -> list[Letter]:
        of_state = db.letter.c.state.in_([state.value for state in states]) if states else true()
        of_time = (
            true() if since is None else or_(db.letter.c.laid_at >= since, db.letter.c.changed_at >= since)
        )
        with self._database.reading() as connection:
            return rows.letters(connection, self._desk, and_(of_state, of_time))

    def letter_for(self, reason: Reason) -> str | None:
        with self._database.reading() as connection:
            return connection.scalar(select(db.letter_reason.c.key).where(rows.reason_is(self._desk, reason)))

    def written_for(self, reasons: Collection[Reason]) -> set[Reason]:
        with self._database.reading() as connection:
            return rows.written_for(connection, self._desk, reasons)

    def letter_by_message_id(self, internet_message_id: str) -> Letter | None:
        with self._database.reading() as connection:
            found = rows.letters(
                connection, self._desk, db.letter.c.internet_message_id == internet_message_id
            )
        return found[0] if found else None

    def sheet(self, name: str = REGISTER) -> SheetState | None:
        with self._database.reading() as connection:
            found = rows.sheet(connection, self._desk, name, self._sheets)
        if found is None:
            return None
        self._sheets[name] = found
        return found[1]


@contextmanager
def _uncollected() -> Iterator[None]:
    """What lines become has no circles for the collector to find: looking for them again and again takes a
    third of the time in which a long record is read."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
