"""A question remembers whether its answer was acted on, or why it could not be.

What was answered before this step was never acted on by the agent: a person saw to it, and it stays so.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

LINE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("question", sa.Column("acted_at", sa.Text))
    op.add_column("question", sa.Column("note", LINE))
    op.execute("UPDATE question SET acted_at = answered_at")
