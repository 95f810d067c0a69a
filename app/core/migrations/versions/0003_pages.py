"""Documents, and who was tried out on the page."""

from alembic import op
from sqlalchemy import Column, Double, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    bytewise = Text().with_variant(Text(collation="C"), "postgresql")
    op.create_table(
        "documents",
        Column("name", Text, primary_key=True),
        Column("body", Text, nullable=False),
        Column("at", Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tried_out",
        Column("user_id", bytewise, primary_key=True),
        sqlite_with_rowid=False,
    )
