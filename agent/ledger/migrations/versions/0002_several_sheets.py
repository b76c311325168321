"""What was written last is kept of several sheets, each with the marks that tell it from an older copy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# the same order of characters in every database
LINE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """A primary key cannot be widened in place everywhere, so both tables are made anew."""
    for name in ("sheet", "sheet_row"):
        op.execute(f"CREATE TABLE {name}_before AS SELECT * FROM {name}")  # noqa: S608 - two names of ours
        op.drop_table(name)
    op.create_table(
        "sheet",
        _key("desk"),
        _key("name"),
        sa.Column("version", LINE),
        sa.Column("headings", sa.Text, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("written_at", sa.Text, nullable=False),
    )
    op.create_table(
        "sheet_row",
        _key("desk"),
        _key("name"),
        sa.Column("intended", sa.Boolean, primary_key=True, nullable=False),
        _key("reference"),
        sa.Column("cells", sa.Text, nullable=False),
    )
    op.execute(
        "INSERT INTO sheet (desk, name, version, headings, marks, written_at) "
        "SELECT desk, 'register', version, headings, '[]', written_at FROM sheet_before"
    )
    op.execute(
        "INSERT INTO sheet_row (desk, name, intended, reference, cells) "
        "SELECT desk, 'register', intended, reference, cells FROM sheet_row_before"
    )
    for name in ("sheet", "sheet_row"):
        op.drop_table(f"{name}_before")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, LINE, primary_key=True, nullable=False)
