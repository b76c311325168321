"""The ledger's tables. Whatever is personal stands in a table of its own, so that it can be erased.

Every value travels as text, number or truth value, written the same way in every database. A change
here needs a step in `migrations/versions` and a new HEAD.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.types import TypeEngine

from agent.ledger.chain import canonical, storable, utc_text

HEAD = "0004"  # the schema version that this software reads and writes


class Line(TypeDecorator[str]):
    """A text, compared and sorted by its characters alone, whatever the database's language."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(Text(collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Utc(TypeDecorator[datetime]):
    """A time with its zone, kept in UTC as text of a fixed width: it sorts, and no database bends it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else utc_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Day(TypeDecorator[date]):
    """A day as ISO text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class Plain(TypeDecorator[Any]):
    """Plain JSON, written as the chain hashes it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else _read(value)


_decode = json.JSONDecoder().raw_decode


def _read(text: str) -> Any:
    """As `json.loads`, in half the time: what `canonical` wrote has nothing before it and nothing after."""
    value, end = _decode(text)
    if end != len(text):
        raise ValueError("There is more after a value of the ledger than the agent wrote.")
    return value


metadata = MetaData()

desk = Table(
    "desk",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("began_at", Utc, nullable=False),
)

# What happened: append-only, refused by triggers even to those who reach the database directly.
entry = Table(
    "entry",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("alert", Line),
    Column("at", Utc, nullable=False),
    Column("happened", Line, nullable=False),
    Column("source", Line, nullable=False),
    Column("facts", Plain, nullable=False),
    Column("content_hash", Line, nullable=False),
    Column("previous", Line, nullable=False),
    Column("hash", Line, nullable=False),
)
Index("entry_of_alert", entry.c.desk, entry.c.alert, entry.c.seq)
OPENED = text("happened = 'opened'")
Index(
    "entry_opens_once",
    entry.c.desk,
    entry.c.alert,
    unique=True,
    sqlite_where=OPENED,
    postgresql_where=OPENED,
)

# What was said, and by whom. Rows may go, but never change.
content = Table(
    "content",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("salt", Line, nullable=False),
    Column("body", Plain, nullable=False),
    ForeignKeyConstraint(["desk", "seq"], ["entry.desk", "entry.seq"]),
)

cursor = Table(
    "cursor",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("folder", Line, primary_key=True),
    Column("cursor", Line, nullable=False),
)

# `handled` counts the desk's mails in the order they were dealt with; state is waiting, handled or filed.
mail = Table(
    "mail",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("mail_id", Line, primary_key=True),
    Column("received_at", Utc, nullable=False),
    Column("state", Line, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("handled", Integer),
    Column("message_id", Line),
    Column("fingerprint", Line),
    Column("outcome", Line, nullable=False, default=""),
    Column("folder", Plain, nullable=False, default=[]),
    Column("categories", Plain, nullable=False, default=[]),
    Column("alerts", Plain, nullable=False, default=[]),
)
Index("mail_by_state", mail.c.desk, mail.c.state, mail.c.handled)
Index("mail_by_message_id", mail.c.desk, mail.c.message_id, mail.c.handled)
Index("mail_by_handled", mail.c.desk, mail.c.handled)

letter = Table(
    "letter",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("key", Line, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("kind", Line, nullable=False),
    Column("subject", Line, nullable=False),
    Column("laid_at", Utc, nullable=False),
    Column("state", Line, nullable=False),
    Column("draft_id", Line),
    Column("internet_message_id", Line),
    Column("changed_at", Utc),
    Column("sends", Integer, nullable=False),
)
Index("letter_by_number", letter.c.desk, letter.c.number, unique=True)
Index("letter_by_state", letter.c.desk, letter.c.state)
Index("letter_by_message_id", letter.c.desk, letter.c.internet_message_id)

letter_content = Table(
    "letter_content",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("key", Line, primary_key=True),
    Column("body", Plain, nullable=False),
    ForeignKeyConstraint(["desk", "key"], ["letter.desk", "letter.key"]),
)

# `stands` is false once the letter was withdrawn: only then may the reason have another letter.
letter_reason = Table(
    "letter_reason",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("key", Line, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("alert", Line, nullable=False),
    Column("rule", Line, nullable=False),
    Column("due", Day, nullable=False),
    Column("stands", Boolean, nullable=False),
    ForeignKeyConstraint(["desk", "key"], ["letter.desk", "letter.key"]),
)
Index(
    "letter_reason_once",
    letter_reason.c.desk,
    letter_reason.c.alert,
    letter_reason.c.rule,
    letter_reason.c.due,
    unique=True,
    sqlite_where=text("stands = 1"),
    postgresql_where=text("stands"),
)

question = Table(
    "question",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("asked_at", Utc, nullable=False),
    Column("code", Line, nullable=False),
    Column("why", Line, nullable=False),
    Column("message_id", Line, nullable=False),
    Column("candidates", Plain, nullable=False),
    Column("answered_at", Utc),
    Column("acted_at", Utc),
    Column("note", Line),
)
Index("question_once", question.c.desk, question.c.code, question.c.message_id, unique=True)

question_content = Table(
    "question_content",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("seen", Plain, nullable=False),
    Column("answer", Line),
    ForeignKeyConstraint(["desk", "number"], ["question.desk", "question.number"]),
)

# Each sheet as last written: one row here for each row there, so that only what changed is rewritten.
# `times` counts how often: while it is the same, so is the sheet with all its rows.
sheet = Table(
    "sheet",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("name", Line, primary_key=True),
    Column("version", Line),
    Column("headings", Plain, nullable=False),
    Column("marks", Plain, nullable=False),
    Column("written_at", Utc, nullable=False),
    Column("times", Integer, nullable=False, server_default="0"),
)

sheet_row = Table(
    "sheet_row",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("name", Line, primary_key=True),
    Column("intended", Boolean, primary_key=True),
    Column("reference", Line, primary_key=True),
    Column("cells", Plain, nullable=False),
)

desk_claim = Table(
    "desk_claim",
    metadata,
    Column("desk", Line, primary_key=True),
    Column("owner", Line, nullable=False),
    Column("until", Utc, nullable=False),
)
