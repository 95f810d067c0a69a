"""The rows of the database as text, the same whichever database they are from, and back."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import orjson
import psycopg
import sqlalchemy as sa
from psycopg import sql

from app.core.documents import PAGE_SECRET
from app.core.errors import DatabaseError, RestoreRefusedError
from app.core.tables import documents, leases, metadata, notices
from training.archive import Rows
from training.progress import Advance

_ROWS_AT_ONCE = 10_000

# What belongs to one service and not to its copy: who holds which right, what it has still to tell (the copy would tell
# it twice), and what it signs its visitors' cookies with.
_TABLES = [name for name in sorted(metadata.tables) if name != leases.name]
_LEFT_OUT = {
    notices.name: sa.column("ended_at").is_(None),
    documents.name: sa.column("name") == PAGE_SECRET,
}

Row = list[Any]
Keeps = Callable[[str, Mapping[str, Any]], bool]


def described(connection: sa.Connection) -> dict[str, Rows]:
    """Say which tables there are, with their columns and how many rows each has."""
    there = set(sa.inspect(connection).get_table_names())
    return {name: _described(connection, name) for name in _TABLES if name in there}


def chunks(connection: sa.Connection, table: str) -> Iterator[tuple[int, bytes]]:
    """Write a table's rows, an array a line, some thousand at a time, and say how many they are."""
    reflected = _reflected(connection, table)
    query = sa.select(reflected).where(_kept(table)).order_by(*reflected.primary_key)
    found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
    for rows in found.partitions():
        yield len(rows), b"".join(orjson.dumps(tuple(row), default=bytes.hex) + b"\n" for row in rows)


def fill(
    connection: sa.Connection, tables: Mapping[str, Rows], folder: Path, keeps: Keeps, advance: Advance
) -> dict[str, int]:
    """Write the rows that lie in a folder into empty tables, those that `keeps` says; counts what was written.

    Raises `RestoreRefusedError` where they are not as described.
    """
    total, done, written = sum(table.rows for table in tables.values()), 0, {}
    for name, described_as in tables.items():
        insert, read, written[name] = _Insert(connection, name, described_as.columns), 0, 0
        for file in sorted((folder / name).glob("*.jsonl")):
            rows = [row for row in insert.rows(file) if keeps(name, row)]
            read, written[name] = read + insert.read, written[name] + len(rows)
            insert.execute(rows)
            advance(done + read, total)
        if read != described_as.rows:
            raise RestoreRefusedError(f"The backup has {read} rows of {name}, and says {described_as.rows}.")
        done += read
    return written


class _Insert:
    """Writes rows into one table."""

    def __init__(self, connection: sa.Connection, name: str, columns: tuple[str, ...]) -> None:
        if name not in _TABLES:
            raise RestoreRefusedError(f"The backup has a table {name!r}, which this program does not know.")
        table = _reflected(connection, name)
        if not set(columns) <= set(table.columns.keys()):
            raise RestoreRefusedError(f"The backup has columns of {name} that this program does not know.")
        self._connection = connection
        self._statement = sa.insert(table)
        self._columns = columns
        self._binary = [column for column in columns if isinstance(table.c[column].type, sa.LargeBinary)]
        self._name = name
        self.read = 0  # rows of the last file

    def rows(self, file: Path) -> list[dict[str, Any]]:
        try:
            rows = [self._row(line) for line in file.read_bytes().splitlines()]
        except (ValueError, TypeError) as unreadable:
            raise RestoreRefusedError(f"The backup's rows of {self._name} cannot be read.") from unreadable
        self.read = len(rows)
        return rows

    def execute(self, rows: list[dict[str, Any]]) -> None:
        if rows and self._connection.dialect.name == "postgresql":
            self._copy(rows)
        elif rows:
            self._connection.execute(self._statement, rows)

    def _copy(self, rows: list[dict[str, Any]]) -> None:
        """Write rows as PostgreSQL takes very many, in a tenth of the time."""
        names = sql.SQL(", ").join(map(sql.Identifier, self._columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(self._name), names)
        driver = cast("psycopg.Connection", self._connection.connection.dbapi_connection)
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(list(row.values()))
        except psycopg.Error as failed:
            raise DatabaseError(
                f"The backup's rows of {self._name} cannot be written: {failed}".splitlines()[0]
            ) from failed

    def _row(self, line: bytes) -> dict[str, Any]:
        row = dict(zip(self._columns, orjson.loads(line), strict=True))
        for column in self._binary:
            row[column] = bytes.fromhex(row[column])
        return row


def _described(connection: sa.Connection, name: str) -> Rows:
    table = _reflected(connection, name)
    count = sa.select(sa.func.count()).select_from(table).where(_kept(name))
    return Rows(columns=tuple(table.columns.keys()), rows=connection.scalar(count) or 0)


def _reflected(connection: sa.Connection, name: str) -> sa.Table:
    """Read a table's columns from the database: its revision may be older than the program's."""
    return sa.Table(name, sa.MetaData(), autoload_with=connection)


def _kept(table: str) -> sa.ColumnElement[bool]:
    left_out = _LEFT_OUT.get(table)
    return sa.true() if left_out is None else ~left_out
