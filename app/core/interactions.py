"""What players did, and the store of it."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, Self

import sqlalchemy as sa

from app.core import trying_out
from app.core.database import Database
from app.core.histories import Play
from app.core.tables import erasures, events, hidden_games, interactions, outcomes
from app.core.tastes import Row, Slot, plays

_ROWS_AT_ONCE = 10_000  # while all are read


class Kind(StrEnum):
    """What a player can do with a game."""

    PLAY = "play"
    RATING = "rating"
    LIKE = "like"
    DISLIKE = "dislike"
    WISHLIST = "wishlist"
    HIDE = "hide"
    OPEN = "open"  # looked at; says nothing of the taste, and counts in the outcomes alone


# Where each kind is kept, and what is kept there where the kind says it all.
_SLOTS = {
    Kind.PLAY: (Slot.PLAY, None),
    Kind.RATING: (Slot.RATING, None),
    Kind.LIKE: (Slot.OPINION, 1.0),
    Kind.DISLIKE: (Slot.OPINION, -1.0),
    Kind.WISHLIST: (Slot.WISHLIST, None),
    Kind.HIDE: (Slot.HIDE, None),
}
_KINDS = {
    Slot.PLAY: Kind.PLAY,
    Slot.RATING: Kind.RATING,
    Slot.WISHLIST: Kind.WISHLIST,
    Slot.HIDE: Kind.HIDE,
}
# In the table of outcomes; the slots' own numbers tell a like from a dislike no better.
OUTCOME_NUMBERS = {kind: number for number, kind in enumerate(Kind, start=1)}


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that a player did with a game.

    `value` is the hours of a play (all of them, or with `accumulate` those to be added) or the stars of a rating (0 to
    5); `at` is in seconds since 1970. What has an `event_id` counts once, however often it is written.
    """

    user_id: str
    game_id: int
    kind: Kind
    value: float | None = None
    at: float | None = None
    accumulate: bool = False
    event_id: str | None = None
    recommendation_id: str | None = None

    def kept(self) -> tuple[Slot, float | None]:
        """Say where this is kept, and as what value."""
        slot, value = _SLOTS[self.kind]
        return slot, self.value if value is None else value


class Page(NamedTuple):
    """Some of a player's interactions, and how many there are in all."""

    total: int
    interactions: list[Interaction]


class InteractionStore:
    """What players did: for each player, game and kind what was written last, and the hours in all."""

    def __init__(self, database: Database) -> None:
        """Use a database, which must be migrated."""
        self._database = database
        insert = database.insert(interactions)
        new, old = insert.excluded, interactions.c
        added = sa.func.coalesce(old.value, 0.0) + sa.func.coalesce(new.value, 0.0)
        self._put = insert.on_conflict_do_update(
            index_elements=list(interactions.primary_key),
            set_={
                "value": sa.case((sa.bindparam("accumulate", type_=sa.Boolean), added), else_=new.value),
                "at": sa.func.coalesce(new.at, old.at),
            },
        )

    @property
    def database(self) -> Database:
        """The database, for a transaction that writes something else too."""
        return self._database

    @classmethod
    def open(cls, url: str) -> Self:
        """Use the database at a URL, and bring it up to date."""
        store = cls(Database(url))
        store.prepare()
        return store

    def prepare(self) -> None:
        """Bring the database up to date; costs next to nothing where it is."""
        self._database.migrate()

    def write(self, written: Sequence[Interaction]) -> list[bool]:
        """Write all of these, or none where the database fails; False marks those that were written before.

        When this returns, what was written outlives a crash.
        """
        with self._database.write() as connection:
            return self.write_within(connection, written)

    def write_within(self, connection: sa.Connection, written: Sequence[Interaction]) -> list[bool]:
        """Write as part of a transaction."""
        trying_out.take_marks(connection, {one.user_id for one in written})
        return self._write(connection, written)

    def try_out(self, one: Interaction) -> bool:
        """Write what was done on the page for a player who is only tried out, or of whom nothing is kept.

        Returns False, and writes nothing, where there is a player of that name already. What is `open` says nothing of
        a player, and is always written.
        """
        with self._database.write() as connection:
            allowed = one.kind is Kind.OPEN or trying_out.mark(self._database, connection, one.user_id)
            if allowed:
                self._write(connection, [one])
        return allowed

    def _write(self, connection: sa.Connection, written: Sequence[Interaction]) -> list[bool]:
        fresh = self._not_seen_before(connection, written)
        kept = [one for one, is_fresh in zip(written, fresh, strict=True) if is_fresh]
        # In one order, so that two writers never wait for each other; the order within a game stays.
        rows = sorted((_row(one) for one in kept if one.kind is not Kind.OPEN), key=itemgetter("user_id", "game_id"))
        if rows:
            connection.execute(self._put, rows)
        self._count_outcomes(connection, kept)
        return fresh

    def _not_seen_before(self, connection: sa.Connection, written: Sequence[Interaction]) -> list[bool]:
        named = {_event(one): None for one in written if one.event_id is not None}
        if not named:
            return [True] * len(written)
        insert = self._database.insert(events).on_conflict_do_nothing().returning(*events.c)
        fresh = {tuple(row) for row in connection.execute(insert, [_event_row(event) for event in sorted(named)])}
        found = []
        for one in written:
            found.append(one.event_id is None or _event(one) in fresh)
            fresh.discard(_event(one))  # a second one in the same request is a repetition too
        return found

    def _count_outcomes(self, connection: sa.Connection, written: Iterable[Interaction]) -> None:
        rows = sorted(
            {
                (one.recommendation_id, one.game_id, OUTCOME_NUMBERS[one.kind])
                for one in written
                if one.recommendation_id
            }
        )
        if rows:
            names = ("recommendation_id", "game_id", "kind")
            connection.execute(
                self._database.insert(outcomes).on_conflict_do_nothing(),
                [dict(zip(names, row, strict=True)) for row in rows],
            )

    def page(self, user_id: str, n: int, offset: int) -> Page:
        """Read some of what a player did, ordered by game and kind."""
        mine = interactions.c.user_id == user_id
        rows = sa.select(interactions).where(mine).order_by(*interactions.primary_key).limit(n).offset(offset)
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(interactions).where(mine)) or 0
            return Page(total, [_interaction(row) for row in connection.execute(rows)])

    def rows_of(self, user_id: str) -> list[Row]:
        """Read a player's rows and the hidden games (slot 0), ordered by game and slot."""
        mine = sa.select(*interactions.c["game_id", "kind", "value", "at"]).where(interactions.c.user_id == user_id)
        hidden = sa.select(hidden_games.c.game_id, sa.literal(0), sa.null(), sa.null())
        with self._database.read() as connection:
            return sorted(tuple(row) for row in connection.execute(mine.union_all(hidden)))

    def remove(self, user_id: str, game_id: int, kind: Kind, *, tried_out: bool = False) -> bool:
        """Forget one interaction; says whether there was one.

        With `tried_out`, only of a player who is no more than that.
        """
        slot, value = _SLOTS[kind]
        as_written = [interactions.c.value == value] if slot is Slot.OPINION else []
        one = sa.and_(interactions.c.game_id == game_id, interactions.c.kind == slot, *as_written)
        seen = (events.c.user_id == user_id, events.c.game_id == game_id, events.c.kind == OUTCOME_NUMBERS[kind])
        with self._database.write() as connection:
            if tried_out and not trying_out.is_marked(connection, user_id):
                return False
            trying_out.take_mark_without(connection, user_id, one)
            removed = connection.execute(sa.delete(interactions).where(interactions.c.user_id == user_id, one)).rowcount
            connection.execute(sa.delete(events).where(*seen))
        return removed > 0

    def erase(self, user_id: str, now: float | None = None) -> int:
        """Forget a player; returns how many interactions there were.

        What stays is a digest of the name, so that no model that was trained before answers for the player.
        """
        row = {"user_digest": digest_of(user_id), "at": time.time() if now is None else now}
        insert = self._database.insert(erasures)
        keep = insert.on_conflict_do_update(index_elements=["user_digest"], set_={"at": insert.excluded.at})
        with self._database.write() as connection:
            trying_out.take_marks(connection, {user_id})
            removed = connection.execute(sa.delete(interactions).where(interactions.c.user_id == user_id)).rowcount
            connection.execute(sa.delete(events).where(events.c.user_id == user_id))
            connection.execute(keep, row)
        return removed

    def erased(self, since: float = 0.0) -> dict[bytes, float]:
        """Read the digests of the players erased since a time, and when that was."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(erasures).where(erasures.c.at >= since))
            return {bytes(row.user_digest): row.at for row in rows}

    def stream(self) -> Iterator[Play]:
        """Read all plays, ordered by player (in byte order) and game, without holding them in memory."""
        for user_id, rows in groupby(self.rows(), key=itemgetter(0)):
            yield from plays(user_id, (row[1:] for row in rows))

    def rows(self) -> Iterator[tuple[str, int, int, float | None, float | None]]:
        """Read everything as it is kept: player, game, slot, value, time."""
        query = sa.select(interactions).order_by(*interactions.primary_key)
        with self._database.read() as connection:
            found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
            for partition in found.partitions():
                yield from map(tuple, partition)

    def has_plays(self) -> bool:
        """Tell whether there is anything to learn from: what was done by anybody who is not only tried out."""
        played = interactions.c.kind <= Slot.OPINION
        some = sa.select(interactions.c.user_id).where(played, trying_out.by_others()).limit(1)
        with self._database.read() as connection:
            return connection.scalar(some) is not None


def digest_of(user_id: str) -> bytes:
    """Name a player who asked to be forgotten."""
    return hashlib.sha256(user_id.encode()).digest()


def of_play(play: Play) -> list[Interaction]:
    """Write a play as interactions: the hours, and the rating where there is one."""
    user_id, game_id, hours, rating, at = play
    rated = [Interaction(user_id, game_id, Kind.RATING, rating, at)] if rating is not None else []
    played = [Interaction(user_id, game_id, Kind.PLAY, hours, at)] if hours is not None or not rated else []
    return [*played, *rated]


def _row(one: Interaction) -> dict[str, object]:
    slot, value = one.kept()
    return {
        "user_id": one.user_id,
        "game_id": one.game_id,
        "kind": slot,
        "value": value,
        "at": one.at,
        "accumulate": one.accumulate,
    }


def _interaction(row: sa.Row[tuple[object, ...]]) -> Interaction:
    kind, value = meant_by(row.kind, row.value)
    return Interaction(row.user_id, row.game_id, kind, value, row.at)


def meant_by(slot: int, value: float | None) -> tuple[Kind, float | None]:
    """Read what is kept in a slot: the kind, and the hours or stars that it has."""
    if slot == Slot.OPINION:
        return (Kind.LIKE if value is not None and value > 0 else Kind.DISLIKE), None
    return _KINDS[Slot(slot)], value


def _event(one: Interaction) -> tuple[str, int, int, str | None]:
    return one.user_id, one.game_id, OUTCOME_NUMBERS[one.kind], one.event_id


def _event_row(event: tuple[str, int, int, str | None]) -> dict[str, object]:
    return dict(zip(("user_id", "game_id", "kind", "event_id"), event, strict=True))
