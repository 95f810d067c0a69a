"""Which games many have taken up lately: interactions of the last weeks, each counting less the older it is."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.core.database import Database
from app.core.tables import interactions
from app.core.tastes import Slot

DAYS = 30  # that are looked back
HALF_LIFE_DAYS = 7.0
MOST_GAMES = 1000  # that are trending at a time; whoever pages further finds popular ones

_DAY = 86_400.0  # seconds
_TAKEN_UP = (Slot.PLAY, Slot.RATING, Slot.WISHLIST)


class Count(NamedTuple):
    """How many interactions there were with a game, so many whole days ago."""

    game_id: int
    days_ago: int
    interactions: int


def counts(database: Database, now: float) -> list[Count]:
    """Count the plays, ratings, likes and wishes of the last `DAYS` by game and day; `now` in seconds since 1970."""
    at, kind = interactions.c.at, interactions.c.kind
    taken_up = kind.in_(_TAKEN_UP) | ((kind == Slot.OPINION) & (interactions.c.value > 0))
    days = _whole((sa.literal(now, sa.Double) - at) / _DAY)
    query = (
        sa.select(interactions.c.game_id, days, sa.func.count())
        .where(at > now - DAYS * _DAY, at <= now, taken_up)
        .group_by(interactions.c.game_id, days)
    )
    with database.read() as connection:
        return [Count(*row) for row in connection.execute(query)]


def ranked(found: Iterable[Count]) -> list[int]:
    """Order games by their interactions, of which each halves every `HALF_LIFE_DAYS`; the first `MOST_GAMES` ids."""
    scores = scored(found)
    return sorted(scores, key=lambda game_id: (-scores[game_id], game_id))[:MOST_GAMES]


def scored(found: Iterable[Count]) -> Mapping[int, float]:
    """Add up each game's interactions; one of today counts 1."""
    scores: dict[int, float] = {}
    for game_id, days_ago, count in found:
        scores[game_id] = scores.get(game_id, 0.0) + count * 0.5 ** (days_ago / HALF_LIFE_DAYS)
    return scores


def _whole(number: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Round down what is not negative: a cast cuts off on SQLite, and rounds on PostgreSQL."""
    near = sa.cast(number, sa.Integer)
    return near - sa.case((near > number, 1), else_=0)
