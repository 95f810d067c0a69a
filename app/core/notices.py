"""What people are to be told: kept in the database until it is sent, so that nothing is told twice or forgotten."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from app.core.database import Database
from app.core.tables import notices

CLAIM_SECONDS = 60.0  # for one process to send a notice; after that it is taken for dead, and another may
FIRST_WAIT = 30.0  # seconds after a failure; twice as long after each further one, up to
LONGEST_WAIT = 3600.0
GIVEN_UP_AFTER = 86_400.0  # seconds: who is told that late is misled
KEPT_FOR = 40 * 86_400.0  # seconds after the end; longer than a month, of which something is told once

_GIVEN_UP = "It could not be sent within a day."
_OPEN = notices.c.ended_at.is_(None)


@dataclass(frozen=True)
class Notice:
    """Something that people are to be told: its kind and what there is to say; `tries` is how often sending failed."""

    notice_id: str
    kind: str
    body: Mapping[str, Any]
    at: float
    tries: int


@dataclass(frozen=True)
class NoticeCounts:
    """How many notices wait, were dealt with, or were given up, and how often sending one failed, of those kept."""

    waiting: int
    done: int
    given_up: int
    failures: int


class Notices:
    """The notices that wait to be sent, in the database."""

    def __init__(self, database: Database) -> None:
        """Use a database, which must be migrated."""
        self._database = database

    def add(self, kind: str, body: Mapping[str, Any]) -> None:
        """Leave a notice."""
        with self._database.write() as connection:
            self.leave(connection, kind, body, time.time())

    def add_once(self, name: str, kind: str, body: Mapping[str, Any]) -> None:
        """Leave a notice under a name of its own, unless there was one of that name already."""
        with self._database.write() as connection:
            row = _row(name, kind, body, time.time())
            connection.execute(self._database.insert(notices).values(row).on_conflict_do_nothing())

    @staticmethod
    def leave(connection: sa.Connection, kind: str, body: Mapping[str, Any], at: float) -> None:
        """Leave a notice within a transaction."""
        notice_id = f"{int(at * 1000):012x}{os.urandom(6).hex()}"
        connection.execute(sa.insert(notices).values(_row(notice_id, kind, body, at)))

    def any_waits(self) -> bool:
        """Tell whether there is a notice that has neither been sent nor given up, due or not."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.literal(1)).where(_OPEN).limit(1)) is not None

    def claim(self) -> Notice | None:
        """Take the oldest notice that is due, which no other process gets for a while; None where none is.

        Whoever takes it calls `done` or `failed`. Where that never comes the notice is due again.
        """
        while (due := self._oldest_due()) is not None:
            with self._database.write() as connection:
                now = self._database.clock(connection)
                unclaimed = (notices.c.notice_id == due.notice_id, notices.c.next_try_at == due.next_try_at, _OPEN)
                claim = sa.update(notices).where(*unclaimed).values(next_try_at=now + CLAIM_SECONDS)
                is_mine = connection.execute(claim).rowcount > 0
            if is_mine:
                return Notice(due.notice_id, due.kind, orjson.loads(due.body), due.at, due.tries)
        return None

    def done(self, notice: Notice) -> None:
        """Record that a notice was sent, or that there is nothing to say any more."""
        with self._database.write() as connection:
            ended_at = self._database.clock(connection)
            connection.execute(_one(notice).values(ended_at=ended_at, error=None))

    def failed(self, notice: Notice, error: str, retry_after: float | None = None) -> None:
        """Record that sending failed; the notice is due again after a wait that grows, and no sooner than asked for."""
        wait = min(FIRST_WAIT * 2.0 ** min(notice.tries, 16), LONGEST_WAIT)
        wait = min(max(wait, retry_after or 0.0), GIVEN_UP_AFTER)
        with self._database.write() as connection:
            due = self._database.clock(connection) + wait
            connection.execute(_one(notice).values(tries=notices.c.tries + 1, next_try_at=due, error=error))

    def give_up_old(self) -> int:
        """Give up what could not be sent for a day; counts it."""
        with self._database.write() as connection:
            now = self._database.clock(connection)
            old = sa.update(notices).where(_OPEN, notices.c.at < now - GIVEN_UP_AFTER)
            error = sa.func.coalesce(notices.c.error, _GIVEN_UP)
            return connection.execute(old.values(ended_at=now, error=error)).rowcount

    def prune(self) -> int:
        """Forget what ended long ago; counts it."""
        with self._database.write() as connection:
            now = self._database.clock(connection)
            return connection.execute(sa.delete(notices).where(notices.c.ended_at < now - KEPT_FOR)).rowcount

    def counts(self) -> NoticeCounts:
        """Count the notices by what became of them."""
        has_error = notices.c.error.is_not(None)
        found = sa.select(
            sa.func.count().filter(_OPEN),
            sa.func.count().filter(~_OPEN, ~has_error),
            sa.func.count().filter(~_OPEN, has_error),
            sa.func.coalesce(sa.func.sum(notices.c.tries), 0),
        )
        with self._database.read() as connection:
            return NoticeCounts(*connection.execute(found).one())

    def _oldest_due(self) -> sa.Row[Any] | None:
        with self._database.read() as connection:
            now = self._database.clock(connection)
            # What nobody has tried yet is due whatever the clock says of whoever left it.
            due = (notices.c.next_try_at <= now) | (notices.c.next_try_at == notices.c.at)
            oldest = sa.select(notices).where(_OPEN, due).order_by(notices.c.notice_id).limit(1)
            return connection.execute(oldest).one_or_none()


def _row(notice_id: str, kind: str, body: Mapping[str, Any], at: float) -> dict[str, Any]:
    content = orjson.dumps(body).decode()
    return {"notice_id": notice_id, "kind": kind, "body": content, "at": at, "next_try_at": at}


def _one(notice: Notice) -> sa.Update:
    return sa.update(notices).where(notices.c.notice_id == notice.notice_id, _OPEN)
