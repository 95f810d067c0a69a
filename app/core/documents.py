"""Documents: what one process found out and all others may show, by name, in the database."""

import time
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from app.core.database import Database
from app.core.tables import documents

VALIDATION = "validation"  # of the last collection
RAWG_QUOTA = "rawg_quota"  # the requests of the month, as the last collection left them
PAGE_SECRET = "page_secret"  # noqa: S105  # the name of what the sessions of the page are signed with


@dataclass(frozen=True)
class Document:
    """What is kept under a name, and since when (seconds since 1970)."""

    body: Any
    at: float


class Documents:
    """The documents in the database."""

    def __init__(self, database: Database) -> None:
        """Use a database, which must be migrated."""
        self._database = database

    def put(self, name: str, body: object) -> None:
        """Keep what JSON can hold under a name, in the place of what was there."""
        kept = {"name": name, "body": orjson.dumps(body).decode(), "at": time.time()}
        with self._database.write() as connection:
            insert = self._database.insert(documents).values(kept)
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=kept))

    def get(self, name: str) -> Document | None:
        """Read what is kept under a name."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(documents).where(documents.c.name == name)).one_or_none()
        return None if found is None else Document(orjson.loads(found.body), found.at)

    def put_once(self, name: str, body: object) -> Any:
        """Keep something under a name unless there is something already; give back what is kept."""
        kept = {"name": name, "body": orjson.dumps(body).decode(), "at": time.time()}
        with self._database.write() as connection:
            insert = self._database.insert(documents).values(kept)
            connection.execute(insert.on_conflict_do_nothing(index_elements=["name"]))
            return orjson.loads(connection.scalar(sa.select(documents.c.body).where(documents.c.name == name)) or "")
