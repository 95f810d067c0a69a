"""What the database knows of one player, read on the path of a request: by the raw drivers, which cost a tenth.

SQLite answers in microseconds, so it is asked where the event loop runs; PostgreSQL is asked over the network, without
waiting for it.
"""

import asyncio
import sqlite3
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import asyncpg
import sqlalchemy as sa

from app.core.errors import DatabaseError
from app.core.interactions import digest_of
from app.core.tastes import Row

# Slot 0 stands for what an operator has hidden from everybody.
_ROWS = """
    SELECT game_id, kind, value, at FROM interactions WHERE user_id = {0}
    UNION ALL SELECT game_id, 0, NULL, NULL FROM hidden_games
"""
_HIDDEN = "SELECT game_id FROM hidden_games"
_ERASED = "SELECT at FROM erasures WHERE user_digest = {0}"

_SQLITE_ROWS = _ROWS.format("?")
_POSTGRES_ROWS = f"{_ROWS.format('$1')} ORDER BY 1, 2"

_SECONDS = 2.0  # for PostgreSQL to connect, or to answer
_CONNECTIONS = 8  # to PostgreSQL from each worker, for reading
_CACHED_BYTES = 256 * 2**20  # of an SQLite file are read where the system keeps them


class PlayerRows(Protocol):
    """Reads what is kept of a player; every failure is a `DatabaseError`."""

    async def of(self, user_id: str) -> list[Row]:
        """Read a player's rows and the hidden games, ordered by game and slot."""
        ...

    async def hidden(self) -> list[int]:
        """Read the ids of the games that are hidden from everybody."""
        ...

    async def erased_at(self, user_id: str) -> float | None:
        """Tell when a player was erased; None for one who never was."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


def open_player_rows(url: sa.URL) -> PlayerRows:
    """Read from the database at a URL; it is opened when it is first needed, and again after a failure."""
    return SqlitePlayerRows(str(url.database)) if url.get_backend_name() == "sqlite" else PostgresPlayerRows(url)


class SqlitePlayerRows:
    """Reads an SQLite file."""

    def __init__(self, path: str) -> None:
        """Read the file at a path."""
        self._path = path
        self._open: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    async def of(self, user_id: str) -> list[Row]:
        """Read a player's rows and the hidden games, ordered by game and slot."""
        return sorted(self._fetch(_SQLITE_ROWS, user_id))

    async def hidden(self) -> list[int]:
        """Read the ids of the games that are hidden from everybody."""
        # Asked for every other second too: an open file goes on after another has taken its place.
        if self._open and self._file != _identity(self._path):
            await self.close()
        return [game_id for (game_id,) in self._fetch(_HIDDEN)]

    async def erased_at(self, user_id: str) -> float | None:
        """Tell when a player was erased; None for one who never was."""
        found = self._fetch(_ERASED.format("?"), digest_of(user_id))
        return found[0][0] if found else None

    async def close(self) -> None:
        """Let go of the file."""
        if self._open:
            self._open.close()
        self._open = None

    def _fetch(self, query: str, *arguments: str | bytes) -> list[Row]:
        try:
            connection = self._open or self._connect()
            return connection.execute(query, arguments).fetchall()
        except sqlite3.Error as failed:
            self._open = None
            raise DatabaseError(f"The database {self._path} cannot be read: {failed}.") from failed

    def _connect(self) -> sqlite3.Connection:
        # Each statement is a transaction of its own, which sees what was committed before; and it never writes.
        file = _identity(self._path)
        connection = sqlite3.connect(
            f"file:{quote(self._path)}?mode=ro", uri=True, isolation_level=None, timeout=_SECONDS
        )
        connection.execute(f"PRAGMA mmap_size={_CACHED_BYTES}")
        self._open, self._file = connection, file
        return connection


def _identity(path: str) -> tuple[int, int] | None:
    """Tell files apart that bear one name after each other."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class PostgresPlayerRows:
    """Reads PostgreSQL over a few connections, the one used last first."""

    def __init__(self, url: sa.URL) -> None:
        """Read the database at a URL."""
        self._url = url
        self._idle: list[asyncpg.Connection] = []
        self._free = asyncio.Semaphore(_CONNECTIONS)

    async def of(self, user_id: str) -> list[Row]:
        """Read a player's rows and the hidden games, ordered by game and slot."""
        return await self._fetch(_POSTGRES_ROWS, user_id)

    async def hidden(self) -> list[int]:
        """Read the ids of the games that are hidden from everybody."""
        return [game_id for (game_id,) in await self._fetch(_HIDDEN)]

    async def erased_at(self, user_id: str) -> float | None:
        """Tell when a player was erased; None for one who never was."""
        found = await self._fetch(_ERASED.format("$1"), digest_of(user_id))
        return found[0][0] if found else None

    async def close(self) -> None:
        """Close the connections."""
        while self._idle:
            await self._idle.pop().close(timeout=_SECONDS)

    async def _fetch(self, query: str, *arguments: str | bytes) -> list[Row]:
        async with self._free:
            connection = None
            try:
                connection = self._idle.pop() if self._idle else await self._connect()
                rows: list[Row] = [tuple(row) for row in await connection.fetch(query, *arguments)]
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as failed:
                if connection:
                    connection.terminate()
                reason = str(failed) or type(failed).__name__
                raise DatabaseError(
                    f"The database {self._url.render_as_string(hide_password=True)} cannot be read: {reason}."
                ) from failed
            except BaseException:
                # A request that was cancelled leaves its connection in the middle of an answer.
                if connection:
                    connection.terminate()
                raise
            self._idle.append(connection)
            return rows

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._url.set(drivername="postgresql").render_as_string(hide_password=False),
            timeout=_SECONDS,
            command_timeout=_SECONDS,
            server_settings={"application_name": "game-recommender"},
        )
