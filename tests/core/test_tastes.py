"""What interactions mean, worked out by hand: a play without hours weighs (1 + log(5.5)) ** 0.3 = 1.348."""

import numpy as np
import pytest

from app.core.catalogue import Catalogue
from app.core.histories import Play, PlayWeights, pack
from app.core.tastes import Bar, Row, Slot, Taste, facts, plays
from tests.worlds import game

PLAIN = PlayWeights(emphasis=0.0)  # every play weighs 1, times the liking of its rating
DAY = 86_400.0
LIKE, DISLIKE = (1, Slot.OPINION, 1.0, None), (1, Slot.OPINION, -1.0, None)
PLAYED, BADLY, WELL = (1, Slot.PLAY, 9.0, None), (1, Slot.RATING, 0.5, None), (1, Slot.RATING, 4.5, None)
WISHED, HIDDEN, TAKEN_OUT = (1, Slot.WISHLIST, None, None), (1, Slot.HIDE, None, None), (1, 0, None, None)


@pytest.mark.parametrize(
    ("rows", "strength", "bar"),
    [
        ([PLAYED], 1.0, Bar.KNOWN),
        ([WELL], 0.8, Bar.KNOWN),
        ([BADLY], -0.8, Bar.KNOWN),
        ([LIKE], 1.0, Bar.KNOWN),
        ([DISLIKE], -1.0, Bar.VETO),
        ([WISHED], 0.5, Bar.NONE),
        ([HIDDEN], 0.0, Bar.VETO),
        ([TAKEN_OUT], 0.0, Bar.VETO),
        ([PLAYED, BADLY], -0.8, Bar.KNOWN),  # long played and rated low: its neighbours go down
        ([PLAYED, LIKE], 1.0, Bar.KNOWN),
        ([BADLY, LIKE], -0.8, Bar.KNOWN),  # the stars say more than the like
        ([WELL, DISLIKE], -1.0, Bar.VETO),  # and a dislike more than the stars
        ([PLAYED, DISLIKE], -1.0, Bar.VETO),
        ([PLAYED, WISHED], 1.0, Bar.KNOWN),
        ([PLAYED, HIDDEN], 1.0, Bar.VETO),  # enough of it, though it was liked
        ([WISHED, HIDDEN], 0.0, Bar.VETO),
        ([TAKEN_OUT, PLAYED], 1.0, Bar.VETO),
        ([TAKEN_OUT, WISHED], 0.0, Bar.VETO),
        ([PLAYED, WELL, LIKE, WISHED, HIDDEN], 0.8, Bar.VETO),
    ],
)
def test_one_game(rows: list[Row], strength: float, bar: Bar):
    taste = Taste.of(rows, PLAIN)

    assert (taste.game_ids, taste.bars, taste.known) == ([1], [bar], rows != [TAKEN_OUT])
    assert taste.strengths == pytest.approx([strength])


def test_hours_weigh_as_they_do_in_training():
    rows = [(1, Slot.PLAY, 0.0, None), (2, Slot.PLAY, None, None)]

    assert Taste.of(rows, PlayWeights()).strengths == pytest.approx([1.0, 1.348], abs=0.001)


def test_games_are_put_together_from_their_rows_with_the_latest_time():
    rows = [(1, Slot.PLAY, 2.0, 50.0), (1, Slot.RATING, 4.0, 70.0), (1, Slot.WISHLIST, None, 60.0), (2, 0, None, None)]

    assert list(facts(rows)) == [(1, 2.0, 4.0, True, False, 70.0), (2, None, 2.5, False, True, None)]


def test_a_model_learns_from_everything_but_wishes():
    rows = [(1, *PLAYED[1:]), (2, *DISLIKE[1:]), (3, *WISHED[1:]), (4, *HIDDEN[1:])]

    assert list(plays("ann", rows)) == [Play("ann", 1, 9.0), Play("ann", 2, None, 0.0), Play("ann", 4, None, 2.5)]


def test_older_plays_count_less_than_the_latest():
    rows = [(1, Slot.PLAY, None, 10 * DAY), (2, Slot.PLAY, None, 8 * DAY), (3, Slot.PLAY, None, None)]

    assert Taste.of(rows, PlayWeights(emphasis=0.0, half_life_days=2.0)).strengths == [1.0, 0.5, 1.0]
    assert Taste.of(rows[2:], PlayWeights(emphasis=0.0, half_life_days=2.0)).strengths == [1.0]


def test_a_taste_as_a_model_was_trained_on_it():
    catalogue = Catalogue.from_games(game(game_id) for game_id in (10, 20, 30))
    written = [Play("ann", 10), Play("ann", 20, None, 0.0), Play("ann", 30, None, 2.5)]
    histories = pack(written, catalogue, PLAIN).histories

    assert Taste.trained_on(histories, "ann", catalogue.game_ids) == Taste(
        [10, 20, 30], [1.0, -1.0, 0.0], [Bar.KNOWN, Bar.VETO, Bar.VETO], known=True
    )
    assert Taste.trained_on(histories, "bob", catalogue.game_ids) is None


@pytest.mark.parametrize(
    ("earlier", "later", "both"),
    [
        (Taste(), Taste(), Taste([], (), ())),
        (Taste([1], [1.0], [1], known=True), Taste(), Taste([1], (1.0,), (1,), known=True)),
        (Taste(), Taste([1], [1.0], [1], known=True), Taste([1], (1.0,), (1,), known=True)),
        # what is later counts, a wish and a veto alone say nothing of how much it is liked
        (Taste([1], [1.0], [1]), Taste([1], [-0.5], [2]), Taste([1], (-0.5,), (2,))),
        (Taste([1], [1.0], [1]), Taste([1], [0.5], [0]), Taste([1], (1.0,), (1,))),
        (Taste([1], [1.0], [1]), Taste([1], [0.0], [2]), Taste([1], (1.0,), (2,))),
        (Taste([1], [-1.0], [2]), Taste([1], [0.5], [1]), Taste([1], (0.5,), (2,))),
        (Taste([1], [1.0], [1]), Taste([2], [0.5], [0]), Taste([1, 2], (1.0, 0.5), (1, 0))),
    ],
)
def test_two_tastes_of_one_player(earlier: Taste, later: Taste, both: Taste):
    assert earlier.and_also(later) == both


def test_a_taste_ranks_like_the_history_that_it_comes_from():
    rows = [(1, *PLAYED[1:]), (2, *BADLY[1:]), (3, *HIDDEN[1:])]
    catalogue = Catalogue.from_games(game(game_id) for game_id in (1, 2, 3))

    packed = pack(plays("ann", rows), catalogue, PlayWeights()).histories.weights

    assert np.allclose(packed, Taste.of(rows, PlayWeights()).strengths)
