"""A sheet counts how often it was written down, so that who knows it need not read it again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("sheet", sa.Column("times", sa.Integer, nullable=False, server_default="0"))
