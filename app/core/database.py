"""The database: SQLite embedded, or PostgreSQL; brought to the newest schema at start."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from filelock import FileLock
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import DatabaseError

log = structlog.get_logger(__name__)

REVISION = "0003"  # the newest migration

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_NUMBER = 4200_1126  # names our lock among PostgreSQL's advisory locks
_SECONDS_TO_WAIT = 30  # for another writer of SQLite's
_SECONDS_TO_CONNECT = 3
_ONE_STATE = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

Insert = sqlite.Insert | postgresql.Insert


class Database:
    """An engine over SQLite or PostgreSQL, whose every failure is a `DatabaseError`."""

    def __init__(self, url: str) -> None:
        """Use a database by its URL, as `Settings.database` gives it; nothing is opened before it is needed."""
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        self._is_migrated = False
        self._left: sa.Pool | None = None  # by `close`, though not by all who were using it

    @property
    def name(self) -> str:
        """Say which database this is, without its password."""
        return str(self.url.database) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    def migrate(self) -> None:
        """Bring the schema up to date; of several processes that start together one does it, the others wait."""
        if self._is_migrated or self.revision() == REVISION:
            self._is_migrated = True
            return
        with self.reshaping() as connection:
            self.upgrade(connection)
        self._is_migrated = True

    @contextmanager
    def reshaping(self) -> Iterator[sa.Connection]:
        """Open a transaction that may change the schema, while no other process does; the file need not exist yet."""
        if self.is_sqlite:
            Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
        with self._one_migration(), self.write() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_NUMBER)))
            yield connection

    def write(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction that writes."""
        return self._transaction(writes=True)

    def read(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction that reads one state of the database, however long it takes."""
        return self._transaction(writes=False)

    def snapshot(self) -> AbstractContextManager[sa.Connection]:
        """Open a transaction whose every statement reads the same state of the database."""
        return self._transaction(writes=False, **({} if self.is_sqlite else _ONE_STATE))

    def insert(self, table: sa.Table) -> Insert:
        """Begin an insert that can say what happens on a conflict."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def clock(self, connection: sa.Connection) -> float:
        """Tell the time in seconds since 1970: the server's, which is the same for all who ask."""
        if self.is_sqlite:
            return time.time()
        return float(connection.scalar(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))) or 0)

    def close(self) -> None:
        """Close the connections; one that is in use is closed when its transaction ends."""
        self._left = self._engine.pool
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *, writes: bool, **options: Any) -> Iterator[sa.Connection]:
        self._must_exist()
        try:
            with self._engine.connect().execution_options(writes=writes, **options) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as failed:
            raise DatabaseError(f"The database {self.name} cannot be used: {_reason(failed)}.") from failed
        finally:
            if self._left is not None:
                self._left.dispose()

    def _must_exist(self) -> None:
        """Refuse to begin an empty file in the place of one that was there, and may come back."""
        if self.is_sqlite and self._is_migrated and not Path(str(self.url.database)).exists():
            raise DatabaseError(f"The database {self.name} cannot be used: the file is not there any more.")

    def _one_migration(self) -> AbstractContextManager[object]:
        """SQLite cannot wait for a lock while it switches to a write-ahead log, so a file is the lock."""
        return FileLock(f"{self.url.database}.lock") if self.is_sqlite else self.read()

    def revision(self) -> str | None:
        """Name the newest migration that was made; None where there is no database, or none of ours in it."""
        if self.is_sqlite and not Path(str(self.url.database)).exists():
            return None
        with self.read() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return found

    def upgrade(self, connection: sa.Connection, revision: str = "head") -> None:
        """Bring the schema up to a revision within a transaction; nothing happens where it is there."""
        # As long to import as the rest of the service, and needed once in the life of a schema.
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError as unknown:
            raise DatabaseError(
                f"The database {self.name} was written by a newer program than this one; use that, or another database."
            ) from unknown


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    # Opened for each transaction: a connection that is kept would go on writing to a file that was taken away.
    engine = sa.create_engine(url, connect_args={"timeout": _SECONDS_TO_WAIT}, poolclass=sa.NullPool)

    # The driver's own transactions begin late, and not for every statement: SQLAlchemy's documented remedy.
    @sa.event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")  # who reads does not wait for who writes

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres_engine(url: sa.URL) -> sa.Engine:
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_timeout=_SECONDS_TO_CONNECT,
        connect_args={
            "connect_timeout": _SECONDS_TO_CONNECT,
            "tcp_user_timeout": _SECONDS_TO_CONNECT * 1000,
            "application_name": "game-recommender",
        },
    )


def _reason(failed: SQLAlchemyError) -> str:
    """Take the driver's own words, on one line."""
    origin = failed.orig if isinstance(failed, sa.exc.DBAPIError) and failed.orig else failed
    return str(origin).strip().splitlines()[0].rstrip(".") if str(origin).strip() else type(origin).__name__
