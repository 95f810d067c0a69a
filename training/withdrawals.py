"""What was withdrawn since a backup was made, and is not to come back with it: players erased, keys revoked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import sqlalchemy as sa

from app.core.database import Database
from app.core.interactions import digest_of
from app.core.tables import erasures, events, interactions, keys, tried_out

_OF_PLAYERS = {interactions.name, events.name, tried_out.name}


@dataclass(frozen=True)
class Withdrawals:
    """Digests of the players erased, ids of the keys revoked, and when that was, in seconds since 1970."""

    erased: Mapping[bytes, float] = field(default_factory=dict)
    revoked: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def since(cls, connection: sa.Connection, at: float) -> Self:
        """Read what was withdrawn in a database since a time."""
        gone = sa.select(erasures.c.user_digest, erasures.c.at).where(erasures.c.at >= at)
        ended = sa.select(keys.c.key_id, keys.c.revoked_at).where(keys.c.revoked_at >= at)
        return cls(
            {bytes(digest): when for digest, when in connection.execute(gone)},
            dict(map(tuple, connection.execute(ended))),
        )

    def leave(self, table: str, row: Mapping[str, Any]) -> bool:
        """Tell whether a row of a backup may come back."""
        return not self.erased or table not in _OF_PLAYERS or digest_of(row["user_id"]) not in self.erased

    def repeat(self, database: Database, connection: sa.Connection) -> None:
        """Record in a restored database what was withdrawn since."""
        insert = database.insert(erasures)
        erase = insert.on_conflict_do_update(index_elements=["user_digest"], set_={"at": insert.excluded.at})
        for digest, at in self.erased.items():
            connection.execute(erase, {"user_digest": digest, "at": at})
        for key_id, at in self.revoked.items():
            valid = (keys.c.key_id == key_id, keys.c.revoked_at.is_(None))
            connection.execute(sa.update(keys).where(*valid).values(revoked_at=at))
