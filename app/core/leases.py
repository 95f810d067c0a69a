"""Leases: rights that one process of all has at a time."""

import os
import secrets
import socket

import sqlalchemy as sa

from app.core.database import Database
from app.core.tables import leases

LEASE_SECONDS = 10.0  # how long a holder is taken for alive after its last sign
BEAT_SECONDS = 2.0  # between two signs


def this_process() -> str:
    """Name this process among those of all machines."""
    return f"{socket.gethostname()}:{os.getpid()}"


def own_name() -> str:
    """Make a name that nobody else has: containers may share a host's name and the numbers of processes."""
    return f"{this_process()}/{secrets.token_hex(3)}"


class Lease:
    """A right that one process has at a time: it expires unless it is renewed, and is free again once given up."""

    def __init__(self, database: Database, name: str, holder: str | None = None) -> None:
        """Name the right, and who asks for it."""
        self._database = database
        self._name = name
        self._holder = holder or own_name()

    def take(self, seconds: float = LEASE_SECONDS) -> bool:
        """Take the lease, or renew it; False where another holds it."""
        with self._database.read() as connection:
            now = self._database.clock(connection)
            found = connection.execute(sa.select(leases).where(leases.c.name == self._name)).one_or_none()
        if found is not None and found.holder != self._holder and found.expires_at >= now:
            return False
        mine: dict[str, object] = {"name": self._name, "holder": self._holder}
        with self._database.write() as connection:
            now = self._database.clock(connection)
            wanted = {**mine, "expires_at": now + seconds}
            free = (leases.c.holder == self._holder) | (leases.c.expires_at < now)
            taken = self._database.insert(leases).values(wanted)
            taken = taken.on_conflict_do_update(index_elements=["name"], set_=wanted, where=free)
            return connection.scalar(taken.returning(leases.c.holder)) is not None

    def give_up(self) -> None:
        """Free the lease, if it is ours."""
        mine = (leases.c.name == self._name, leases.c.holder == self._holder)
        with self._database.write() as connection:
            connection.execute(sa.delete(leases).where(*mine))
