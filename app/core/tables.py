"""The tables of the database, the same on SQLite and PostgreSQL; `migrations` makes them.

Times are seconds since 1970 (UTC).
"""

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary, MetaData, SmallInteger, Table, Text

metadata = MetaData()

# In the byte order of UTF-8: so `Histories` keeps its players, and so the ids of answers stand in the order of time.
_BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")

# One row for all that is known of one player, game and kind; SQLite keeps a player's rows side by side.
interactions = Table(
    "interactions",
    metadata,
    Column("user_id", _BYTEWISE, primary_key=True),
    Column("game_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", Double),
    Column("at", Double),
    Index("interactions_at", "at"),
    sqlite_with_rowid=False,
)

# The client's own names of what was written, so that a repeated request counts once.
events = Table(
    "events",
    metadata,
    Column("user_id", _BYTEWISE, primary_key=True),
    Column("game_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# Who was erased, as a digest: a model that was trained before must not answer for them.
erasures = Table(
    "erasures",
    metadata,
    Column("user_digest", LargeBinary, primary_key=True),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)

# Answers that were given, without the player. The ids begin with the time, so the oldest stand first.
answers = Table(
    "answers",
    metadata,
    Column("recommendation_id", _BYTEWISE, primary_key=True),
    Column("model_version", Text, nullable=False),
    Column("games", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What players did with a game of an answer.
outcomes = Table(
    "outcomes",
    metadata,
    Column("recommendation_id", _BYTEWISE, primary_key=True),
    Column("game_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# How many answers each model version gave, and how many games they showed.
# A period is the first six digits of their ids.
shown = Table(
    "shown",
    metadata,
    Column("model_version", Text, primary_key=True),
    Column("period", _BYTEWISE, primary_key=True),
    Column("answers", BigInteger, nullable=False),
    Column("games", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

keys = Table(
    "keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
    sqlite_with_rowid=False,
)

# Games that an operator has taken out of all answers.
hidden_games = Table(
    "hidden_games",
    metadata,
    Column("game_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
)

# How far an import of a file came: what is written, up to which place of the file.
imports = Table(
    "imports",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)
