"""The first tables; the plays of an earlier file of plays move over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Column, Double, LargeBinary, SmallInteger, Text

revision = "0001"
down_revision = None

_PLAY, _RATING = 1, 2

# Text times as they were written then, `2026-01-31T20:15:00+00:00`, to seconds.
_SECONDS = "(julianday(at) - 2440587.5) * 86400"


def upgrade() -> None:
    """Make the tables."""
    bytewise = Text().with_variant(Text(collation="C"), "postgresql")
    _table("interactions", *_of_a_player(bytewise), Column("value", Double), Column("at", Double))
    op.create_index("interactions_at", "interactions", ["at"])
    _table("events", *_of_a_player(bytewise), Column("event_id", Text, primary_key=True))
    _table("erasures", Column("user_digest", LargeBinary, primary_key=True), Column("at", Double, nullable=False))
    _table(
        "answers",
        Column("recommendation_id", bytewise, primary_key=True),
        Column("model_version", Text, nullable=False),
        Column("games", SmallInteger, nullable=False),
    )
    _table(
        "outcomes",
        Column("recommendation_id", bytewise, primary_key=True),
        Column("game_id", BigInteger, primary_key=True, autoincrement=False),
        Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    )
    _table(
        "shown",
        Column("model_version", Text, primary_key=True),
        Column("period", bytewise, primary_key=True),
        Column("answers", BigInteger, nullable=False),
        Column("games", BigInteger, nullable=False),
    )
    _table(
        "keys",
        Column("key_id", Text, primary_key=True),
        Column("digest", LargeBinary, nullable=False),
        Column("scope", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("created_at", Double, nullable=False),
        Column("revoked_at", Double),
    )
    op.create_table(
        "hidden_games",
        Column("game_id", BigInteger, primary_key=True, autoincrement=False),
        Column("at", Double, nullable=False),
    )
    _table(
        "imports",
        Column("fingerprint", Text, primary_key=True),
        Column("rows", BigInteger, nullable=False),
        Column("at", Double, nullable=False),
    )
    if sa.inspect(op.get_bind()).has_table("plays"):
        _take_over_plays()


def _table(name: str, *columns: Column[object]) -> None:
    op.create_table(name, *columns, sqlite_with_rowid=False)


def _of_a_player(bytewise: sa.types.TypeEngine[str]) -> list[Column[object]]:
    return [
        Column("user_id", bytewise, primary_key=True),
        Column("game_id", BigInteger, primary_key=True, autoincrement=False),
        Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    ]


def _take_over_plays() -> None:
    """Before there was this schema, SQLite had one table: `plays(user_id, game_id, hours, rating, at)`."""
    into = "INSERT INTO interactions (user_id, game_id, kind, value, at) SELECT user_id, game_id"
    op.execute(f"{into}, {_PLAY}, hours, {_SECONDS} FROM plays WHERE hours IS NOT NULL OR rating IS NULL")
    op.execute(f"{into}, {_RATING}, rating, {_SECONDS} FROM plays WHERE rating IS NOT NULL")
    op.drop_table("plays")
