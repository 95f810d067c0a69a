"""The tables of the database, the same on SQLite and PostgreSQL; `migrations` makes them.

Times are seconds since 1970 (UTC).
"""

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary, MetaData, SmallInteger, Table, Text, text

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

# Training runs. Two unique indices see to it that one is going on at a time, and one waits.
runs = Table(
    "runs",
    metadata,
    Column("run_id", _BYTEWISE, primary_key=True),
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
    Index(
        "runs_going_on",
        "state",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index(
        "runs_waiting",
        "state",
        unique=True,
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    sqlite_with_rowid=False,
)

# Rights that one process has at a time.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

# What people are to be told, until it is sent or given up.
notices = Table(
    "notices",
    metadata,
    Column("notice_id", _BYTEWISE, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("next_try_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("error", Text),
    sqlite_with_rowid=False,
)

# What one process found out and others show, by its name; `body` is JSON.
documents = Table(
    "documents",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)

# Players for whom something was tried out on the page while the players were invented: as long as there are no others,
# the invented ones stay.
tried_out = Table(
    "tried_out",
    metadata,
    Column("user_id", _BYTEWISE, primary_key=True),
    sqlite_with_rowid=False,
)
