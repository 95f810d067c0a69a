"""Runs, leases and notices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Double, SmallInteger, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    bytewise = Text().with_variant(Text(collation="C"), "postgresql")
    op.create_table(
        "runs",
        Column("run_id", bytewise, primary_key=True),
        Column("state", Text, nullable=False),
        Column("trigger", Text, nullable=False),
        Column("options", Text, nullable=False),
        Column("scheduled_for", Double, unique=True),
        Column("queued_at", Double, nullable=False),
        Column("started_at", Double),
        Column("ended_at", Double),
        Column("runner", Text),
        Column("expires_at", Double),
        Column("cancel_at", Double),
        Column("step", Text),
        Column("steps", Text, nullable=False, server_default="[]"),
        Column("result", Text, nullable=False, server_default="{}"),
        Column("error", Text),
        Column("log_tail", Text, nullable=False, server_default=""),
        sqlite_with_rowid=False,
    )
    for name, state in (("runs_going_on", "running"), ("runs_waiting", "queued")):
        where = sa.text(f"state = '{state}'")
        op.create_index(name, "runs", ["state"], unique=True, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "leases",
        Column("name", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("expires_at", Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notices",
        Column("notice_id", bytewise, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("at", Double, nullable=False),
        Column("tries", SmallInteger, nullable=False, server_default="0"),
        Column("next_try_at", Double, nullable=False),
        Column("ended_at", Double),
        Column("error", Text),
        sqlite_with_rowid=False,
    )
