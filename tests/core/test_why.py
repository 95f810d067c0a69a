from dataclasses import replace
from typing import Any

import pytest

from app.core.answer import Query, Reason, Source
from app.core.errors import GameNotFoundError
from app.core.filters import Filters
from app.core.tastes import Bar, Taste
from app.core.why import Why, why
from tests.worlds import neighbours, six_games

WORLD = six_games()
ANN = Taste([10, 20], [2.0, 1.0], [Bar.KNOWN, Bar.KNOWN], known=True)


def told(taste: Taste, game_id: int, **asked: Any) -> Why:
    return why(WORLD, taste, game_id, Query(**asked))


def codes(account: Why) -> list[str]:
    return [obstacle.code for obstacle in account.kept_out_by]


def test_a_game_that_is_recommended():
    account = told(ANN, 30)

    assert (account.score, account.rank, account.source) == (1.0, 1, Source.COLLABORATIVE)
    assert account.reasons == (Reason(10, "Game 10", 0.5), Reason(20, "Game 20", 0.5))
    assert account.kept_out_by == ()
    assert account.game["name"] == "Game 30"


def test_a_game_that_likeness_alone_speaks_for():
    account = told(Taste([40], [1.0], [Bar.KNOWN], known=True), 50)

    assert (account.score, account.rank, account.source) == (0.5, 1, Source.CONTENT)


def test_a_rank_counts_the_games_that_may_be_in_the_answer():
    """10 speaks for 20 (0.5) and 30 (0.25)."""
    ten = Taste([10], [1.0], [Bar.KNOWN], known=True)

    assert told(ten, 30).rank == 2
    assert told(ten, 30, exclude=[20]).rank == 1


def test_a_game_that_is_played_has_its_score_all_the_same():
    account = told(ANN, 20)

    assert (account.score, account.rank, account.source) == (1.0, None, Source.COLLABORATIVE)
    assert codes(account) == ["played"]
    assert told(ANN, 20, include_played=True).rank == 1


def test_a_veto_keeps_a_game_out_whatever_is_asked():
    taste = Taste([10, 20], [1.0, 0.0], [Bar.KNOWN, Bar.VETO], known=True)

    assert codes(told(taste, 20)) == codes(told(taste, 20, include_played=True)) == ["vetoed"]


def test_a_wish_speaks_and_may_be_recommended():
    taste = Taste([10, 20], [0.5, 1.0], [Bar.NONE, Bar.KNOWN], known=True)

    assert (told(taste, 10).rank, told(taste, 10).reasons) == (2, (Reason(20, "Game 20", 0.5),))
    assert told(taste, 30).score == 0.625


def test_every_obstacle_is_told():
    filters = Filters(genres=("Racing",), min_metacritic=91, min_rating=1.0)

    account = told(ANN, 20, exclude=[20], filters=filters)

    assert codes(account) == ["played", "excluded", "genre", "min_metacritic"]
    assert "`genre`" in account.kept_out_by[2].message


def test_nothing_speaks_for_a_game():
    account = told(ANN, 60)

    assert (account.score, account.rank, account.source, account.reasons) == (0, None, Source.POPULARITY, ())
    assert codes(account) == ["no_link"]
    assert account.kept_out_by[0].message.startswith("Nothing that the player has speaks for it")


def test_nobody_is_known():
    assert told(Taste(), 60).kept_out_by[0].message.startswith("Nothing is known of this player")


def test_a_game_that_the_players_taste_speaks_against():
    account = told(Taste([10], [-2.0], [Bar.KNOWN], known=True), 20)

    assert (account.score, account.rank, account.reasons) == (-1.0, None, (Reason(10, "Game 10", -1.0),))
    assert codes(account) == ["no_link"]


def test_shares_for_and_against_add_up():
    world = replace(WORLD, cold=neighbours({}, {}, {}, {2: 0.125}, {}, {}))
    taste = Taste([10, 20, 40, 999], [2.0, -1.0, 4.0, 1.0], [Bar.KNOWN] * 4, known=True)

    account = why(world, taste, 30, Query())

    assert account.reasons == (Reason(10, "Game 10", 0.5), Reason(40, "Game 40", 0.5), Reason(20, "Game 20", -0.5))
    assert (account.score, account.source) == (0.5, Source.COLLABORATIVE)


def test_a_game_that_is_not_there():
    with pytest.raises(GameNotFoundError):
        told(ANN, 11)
