"""What is trending, on either database."""

import pytest

from app.core.database import Database
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.trending import MOST_GAMES, Count, counts, ranked, scored

DAY = 86_400.0
NOW = 1000.75 * DAY


def test_interactions_are_counted_by_game_and_day(database: Database, interaction_store: InteractionStore):
    store = interaction_store
    days_ago = {"a": 0.0, "b": 0.4, "c": 0.99, "d": 1.0, "e": 1.6, "f": 29.9, "g": 30.1}
    store.write([Interaction(user, 1, Kind.PLAY, 1.0, NOW - days * DAY) for user, days in days_ago.items()])
    for number, kind in enumerate(Kind, start=10):
        store.write([Interaction("a", number, kind, 1.0, NOW)])
    store.write([Interaction("a", 2, Kind.PLAY, 1.0), Interaction("b", 2, Kind.PLAY, 1.0, NOW + 1.0)])

    found = counts(database, NOW)

    taken_up = {Kind.PLAY, Kind.RATING, Kind.LIKE, Kind.WISHLIST}
    others = [Count(number, 0, 1) for number, kind in enumerate(Kind, start=10) if kind in taken_up]
    assert sorted(found) == [Count(1, 0, 3), Count(1, 1, 2), Count(1, 29, 1), *others]


def test_each_counts_half_after_a_week():
    found = [Count(1, 7, 4), Count(2, 0, 1), Count(2, 14, 4), Count(3, 0, 2), Count(4, 21, 1)]

    assert scored(found) == {1: 2.0, 2: 2.0, 3: 2.0, 4: pytest.approx(0.125)}
    assert ranked([*found, Count(4, 0, 2)]) == [4, 1, 2, 3]


def test_a_limited_number_of_games_is_trending():
    assert len(ranked(Count(number, 0, 1) for number in range(MOST_GAMES + 5))) == MOST_GAMES
    assert ranked([]) == []
