"""What people are to be told: kept in the database until it is sent, so that nothing is told twice or forgotten."""

import os
import time
from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from app.core.database import Database
from app.core.tables import notices


class Notices:
    """The notices that wait to be sent, in the database."""

    def __init__(self, database: Database) -> None:
        """Use a database, which must be migrated."""
        self._database = database

    def add(self, kind: str, body: Mapping[str, Any]) -> None:
        """Leave a notice."""
        with self._database.write() as connection:
            self.leave(connection, kind, body, time.time())

    @staticmethod
    def leave(connection: sa.Connection, kind: str, body: Mapping[str, Any], at: float) -> None:
        """Leave a notice within a transaction."""
        notice_id = f"{int(at * 1000):012x}{os.urandom(6).hex()}"
        row = {"notice_id": notice_id, "kind": kind, "body": orjson.dumps(body).decode(), "at": at, "next_try_at": at}
        connection.execute(sa.insert(notices).values(row))
