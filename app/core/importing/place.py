"""How far an import of a file came: kept with what it wrote, so that an interrupted one goes on where it stopped."""

import hashlib
import time
from typing import Any

import sqlalchemy as sa

from app.core.database import Database
from app.core.tables import imports

_KEPT_FOR = 30 * 86_400.0  # seconds; whoever has not gone on by then begins anew


class Place:
    """The place in one file, which is known by its content: another file of the same name is another file."""

    def __init__(self, database: Database, file: Any, written_as: str) -> None:
        """Take the fingerprint of a file, and leave the file at its beginning."""
        file.seek(0)
        self._database = database
        self._fingerprint = f"{hashlib.file_digest(file, 'sha256').hexdigest()} {written_as}"
        file.seek(0)

    def read(self) -> int:
        """Tell how many rows of the file are written."""
        mine = sa.select(imports.c.rows).where(imports.c.fingerprint == self._fingerprint)
        with self._database.read() as connection:
            return connection.scalar(mine) or 0

    def keep(self, connection: sa.Connection, rows: int) -> None:
        """Note, in the transaction that writes them, up to which row the file is written."""
        insert = self._database.insert(imports)
        values = {name: insert.excluded[name] for name in ("rows", "at")}
        keep = insert.on_conflict_do_update(index_elements=["fingerprint"], set_=values)
        connection.execute(keep, {"fingerprint": self._fingerprint, "rows": rows, "at": time.time()})

    def forget(self) -> None:
        """Note that the file is written whole; places that nobody came back to go too."""
        old = imports.c.at < time.time() - _KEPT_FOR
        with self._database.write() as connection:
            connection.execute(sa.delete(imports).where((imports.c.fingerprint == self._fingerprint) | old))
