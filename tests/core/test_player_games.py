"""A player's games, worked out by hand."""

import pytest

from app.core.histories import PlayWeights
from app.core.interactions import Kind
from app.core.player_games import PlayerGame, player_games
from app.core.tastes import Bar, Row, Slot, Taste

WEIGHTS = PlayWeights(emphasis=0.0)  # each play weighs 1, but for its rating
ALONE = Taste()


def told(rows: list[Row], trained_on: Taste = ALONE) -> list[tuple[int, list[str], bool]]:
    return [
        (one.game_id, [kind.value for kind in one.kinds], one.kept) for one in player_games(rows, trained_on, WEIGHTS)
    ]


def test_everything_that_a_player_did_with_a_game_stands_together():
    rows: list[Row] = [
        (10, Slot.PLAY, 2.5, 100.0),
        (10, Slot.RATING, 4.0, 300.0),
        (10, Slot.OPINION, 1.0, 200.0),
        (10, Slot.WISHLIST, None, None),
    ]

    [game] = player_games(rows, ALONE, WEIGHTS)

    kinds = (Kind.PLAY, Kind.RATING, Kind.LIKE, Kind.WISHLIST)
    assert game == PlayerGame(10, kinds, game.weight, 2.5, 4.0, 300.0)
    assert game.weight == pytest.approx(0.6)


def test_the_latest_comes_first_and_then_what_weighs_most():
    rows: list[Row] = [
        (10, Slot.PLAY, None, None),  # weighs 1
        (20, Slot.WISHLIST, None, None),  # a half
        (30, Slot.HIDE, None, 50.0),
        (40, Slot.OPINION, -1.0, None),  # -1
        (50, Slot.PLAY, None, 60.0),
        (60, Slot.PLAY, None, 0.0),
        (70, Slot.PLAY, None, None),
    ]

    assert [one.game_id for one in player_games(rows, ALONE, WEIGHTS)] == [50, 30, 60, 10, 70, 20, 40]


def test_what_the_model_knows_besides_is_marked_and_gives_way_to_what_is_kept():
    trained_on = Taste([10, 20, 30, 40], [2.0, 1.0, 0.0, -1.0], [Bar.KNOWN, Bar.KNOWN, Bar.VETO, Bar.VETO], known=True)
    rows: list[Row] = [(20, Slot.HIDE, None, 50.0), (50, Slot.WISHLIST, None, None)]

    assert told(rows, trained_on) == [
        (20, ["hide"], True),
        (10, ["play"], False),
        (50, ["wishlist"], True),
        (30, ["hide"], False),
        (40, ["dislike"], False),
    ]


def test_games_that_an_operator_has_hidden_are_not_there():
    trained_on = Taste([10, 20], [1.0, 1.0], [Bar.KNOWN, Bar.KNOWN], known=True)
    rows: list[Row] = [(10, 0, None, None), (30, 0, None, None), (30, Slot.PLAY, 1.0, 5.0)]

    assert told(rows, trained_on) == [(20, ["play"], False)]


def test_somebody_nobody_knows_has_no_games():
    assert told([]) == []
