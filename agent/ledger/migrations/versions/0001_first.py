"""The first schema.

Written out in full and never edited again, whatever becomes of `schema.py`. There is no way down: a
ledger is taken back by restoring its backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# the same order of characters in every database
LINE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

CHANGED = "lines of the ledger are never changed"
REMOVED = "lines of the ledger are never removed"
CONTENT = "content may be erased, but never changed"


def upgrade() -> None:
    _entries()
    _mails()
    _letters()
    _questions()
    _register()
    if op.get_bind().dialect.name == "postgresql":
        _refusals_of_postgresql()
    else:
        _refusals_of_sqlite()


def _entries() -> None:
    op.create_table("desk", _key("desk"), _text("began_at"))
    op.create_table(
        "entry",
        _key("desk"),
        _number("seq"),
        _line("alert", nullable=True),
        _text("at"),
        _line("happened"),
        _line("source"),
        _text("facts"),
        _line("content_hash"),
        _line("previous"),
        _line("hash"),
    )
    op.create_index("entry_of_alert", "entry", ["desk", "alert", "seq"])
    opened = "happened = 'opened'"
    _unique("entry_opens_once", "entry", ["desk", "alert"], sqlite=opened, postgresql=opened)
    op.create_table(
        "content",
        _key("desk"),
        _number("seq"),
        _line("salt"),
        _text("body"),
        sa.ForeignKeyConstraint(["desk", "seq"], ["entry.desk", "entry.seq"]),
    )


def _mails() -> None:
    op.create_table("cursor", _key("desk"), _key("folder"), _line("cursor"))
    op.create_table(
        "mail",
        _key("desk"),
        _key("mail_id"),
        _text("received_at"),
        _line("state"),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("handled", sa.Integer),
        _line("message_id", nullable=True),
        _line("fingerprint", nullable=True),
        _line("outcome"),
        _text("folder"),
        _text("categories"),
        _text("alerts"),
    )
    op.create_index("mail_by_state", "mail", ["desk", "state", "handled"])
    op.create_index("mail_by_message_id", "mail", ["desk", "message_id", "handled"])
    op.create_index("mail_by_handled", "mail", ["desk", "handled"])


def _letters() -> None:
    op.create_table(
        "letter",
        _key("desk"),
        _key("key"),
        sa.Column("number", sa.Integer, nullable=False),
        _line("kind"),
        _line("subject"),
        _text("laid_at"),
        _line("state"),
        _line("draft_id", nullable=True),
        _line("internet_message_id", nullable=True),
        _text("changed_at", nullable=True),
        sa.Column("sends", sa.Integer, nullable=False),
    )
    _unique("letter_by_number", "letter", ["desk", "number"])
    op.create_index("letter_by_state", "letter", ["desk", "state"])
    op.create_index("letter_by_message_id", "letter", ["desk", "internet_message_id"])
    of_letter = (["desk", "key"], ["letter.desk", "letter.key"])
    op.create_table(
        "letter_content", _key("desk"), _key("key"), _text("body"), sa.ForeignKeyConstraint(*of_letter)
    )
    op.create_table(
        "letter_reason",
        _key("desk"),
        _key("key"),
        _number("place"),
        _line("alert"),
        _line("rule"),
        _text("due"),
        sa.Column("stands", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(*of_letter),
    )
    _unique(
        "letter_reason_once",
        "letter_reason",
        ["desk", "alert", "rule", "due"],
        sqlite="stands = 1",
        postgresql="stands",
    )


def _questions() -> None:
    op.create_table(
        "question",
        _key("desk"),
        _number("number"),
        _text("asked_at"),
        _line("code"),
        _line("why"),
        _line("message_id"),
        _text("candidates"),
        _text("answered_at", nullable=True),
    )
    _unique("question_once", "question", ["desk", "code", "message_id"])
    op.create_table(
        "question_content",
        _key("desk"),
        _number("number"),
        _text("seen"),
        _line("answer", nullable=True),
        sa.ForeignKeyConstraint(["desk", "number"], ["question.desk", "question.number"]),
    )


def _register() -> None:
    op.create_table(
        "sheet", _key("desk"), _line("version", nullable=True), _text("headings"), _text("written_at")
    )
    op.create_table(
        "sheet_row",
        _key("desk"),
        sa.Column("intended", sa.Boolean, primary_key=True),
        _key("reference"),
        _text("cells"),
    )
    op.create_table("desk_claim", _key("desk"), _line("owner"), _text("until"))


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, LINE, primary_key=True, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False, nullable=False)


def _line(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, LINE, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _unique(name: str, table: str, columns: list[str], sqlite: str = "", postgresql: str = "") -> None:
    """Unique; with conditions, only among the rows that fulfil them."""
    op.create_index(
        name,
        table,
        columns,
        unique=True,
        sqlite_where=sa.text(sqlite) if sqlite else None,
        postgresql_where=sa.text(postgresql) if postgresql else None,
    )


def _refusals_of_sqlite() -> None:
    """The database itself refuses what must never happen; replacing counts as neither of the others."""
    replaces = "WHEN EXISTS (SELECT 1 FROM {} WHERE desk = NEW.desk AND seq = NEW.seq)"
    for name, when, why in (
        ("entry_no_update", "BEFORE UPDATE ON entry", CHANGED),
        ("entry_no_delete", "BEFORE DELETE ON entry", REMOVED),
        ("entry_no_replace", f"BEFORE INSERT ON entry {replaces.format('entry')}", CHANGED),
        ("content_no_update", "BEFORE UPDATE ON content", CONTENT),
        ("content_no_replace", f"BEFORE INSERT ON content {replaces.format('content')}", CONTENT),
    ):
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{why}'); END")


def _refusals_of_postgresql() -> None:
    for name, when, why in (
        ("entry_no_update", "BEFORE UPDATE ON entry", CHANGED),
        ("entry_no_delete", "BEFORE DELETE OR TRUNCATE ON entry", REMOVED),
        ("content_no_update", "BEFORE UPDATE ON content", CONTENT),
    ):
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{why}'; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} {when} FOR EACH STATEMENT EXECUTE FUNCTION {name}()")
