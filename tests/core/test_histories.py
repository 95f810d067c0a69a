from math import log

import numpy as np
import pytest

from app.core.catalogue import Catalogue
from app.core.histories import Play, PlayWeights, pack
from tests.worlds import game
from tests.worlds import weight as weight_of

LATEST = 1_769_817_600.0  # seconds; 2026-01-31
DAY = 86_400.0


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.from_games(game(game_id) for game_id in (10, 20, 30))


@pytest.mark.parametrize(
    ("play", "weight"),
    [
        (Play("a", 1, hours=0), 1),
        (Play("a", 1, hours=9), (1 + log(10)) ** 0.3),
        (Play("a", 1, hours=1e6), (1 + log(1001)) ** 0.3),  # capped at a thousand
        (Play("a", 1), (1 + log(5.5)) ** 0.3),  # like the typical 4.5 hours
        (Play("a", 1, hours=0, rating=5), 1),
        (Play("a", 1, hours=0, rating=1), -0.6),
        (Play("a", 1, hours=0, rating=2.5), 0),  # in the middle
        (Play("a", 1, hours=9, rating=0), -((1 + log(10)) ** 0.3)),
    ],
)
def test_weight(play: Play, weight: float):
    assert weight_of(play) == pytest.approx(weight)


@pytest.mark.parametrize(("emphasis", "weight"), [(0.0, 1.0), (0.5, (1 + log(10)) ** 0.5), (1.0, 1 + log(10))])
def test_the_emphasis_says_how_much_hours_count(emphasis: float, weight: float):
    assert weight_of(Play("a", 1, hours=9), PlayWeights(emphasis=emphasis)) == pytest.approx(weight)


def test_plays_fade_where_there_is_a_half_life(catalogue: Catalogue):
    """The latest play counts whole, one of 30 days before half, one of 90 days an eighth; one without a time whole."""
    ages = {10: 0, 20: 30, 30: 90}
    plays = [Play("a", game_id, hours=0, at=LATEST - age * DAY) for game_id, age in ages.items()]
    fading = PlayWeights(half_life_days=30)

    packed = pack([*plays, Play("b", 10, hours=0)], catalogue, fading)

    assert packed.histories.weights.tolist() == [1.0, 0.5, 0.125, 1.0]
    assert packed.weighed(PlayWeights()).histories.weights.tolist() == [1.0] * 4
    undated = pack([Play("b", 10, hours=0)], catalogue, fading)
    assert undated.histories.weights.tolist() == [1.0]


def test_plays_are_packed_with_their_times(catalogue: Catalogue):
    plays = [Play("a", 20, hours=0, at=LATEST), Play("a", 10, hours=0), Play("b", 10, hours=0, at=LATEST)]

    packed = pack(plays, catalogue, PlayWeights())

    assert packed.times == pytest.approx([float("nan"), LATEST, LATEST], nan_ok=True)


def test_the_same_plays_can_be_weighed_in_another_way(catalogue: Catalogue):
    plays = [Play("a", 10, hours=9), Play("a", 20, rating=1), Play("b", 10, hours=0, rating=0)]
    packed = pack(plays, catalogue, PlayWeights())

    again = packed.weighed(PlayWeights(emphasis=0))

    assert again.histories.weights == pytest.approx([1, -0.6, -1])
    assert np.array_equal(again.histories.indices, packed.histories.indices)
    assert packed.histories.weights[0] == pytest.approx((1 + log(10)) ** 0.3)


def test_histories_hold_each_player_s_games_by_index(catalogue: Catalogue):
    plays = [Play("10", 30, hours=0), Play("10", 10, hours=9), Play("9", 20, hours=0), Play("é", 10, hours=0)]

    histories, *_, left_out = pack(plays, catalogue, PlayWeights())

    assert left_out == 0
    assert len(histories) == 3
    games, weights = histories.of("10") or pytest.fail("lost")
    assert games.tolist() == [0, 2]
    assert weights == pytest.approx([(1 + log(10)) ** 0.3, 1])
    assert [histories.row(1)[0].tolist(), histories.row(2)[0].tolist()] == [[1], [0]]
    assert list(histories.users) == [b"10", b"9", "é".encode()]
    assert histories.of("1") is None
    assert histories.of("") is None


def test_plays_outside_the_catalogue_are_counted_and_left_out(catalogue: Catalogue):
    plays = [Play("a", 10), Play("a", 11), Play("b", 12)]

    histories, *_, left_out = pack(plays, catalogue, PlayWeights())

    assert left_out == 2
    assert list(histories.users) == [b"a"]


def test_nothing_played_is_an_empty_matrix(catalogue: Catalogue):
    histories = pack([], catalogue, PlayWeights()).histories

    assert len(histories) == 0
    assert histories.of("a") is None
    assert histories.indptr.tolist() == [0]
    assert histories.indices.dtype == np.int32


@pytest.mark.parametrize("plays", [[Play("b", 10), Play("a", 10)], [Play("a", 10), Play("b", 11), Play("a", 20)]])
def test_plays_out_of_order_are_refused(catalogue: Catalogue, plays: list[Play]):
    with pytest.raises(ValueError, match="do not come in the order"):
        pack(plays, catalogue, PlayWeights())


def test_of_two_plays_of_one_game_the_last_counts(catalogue: Catalogue):
    histories = pack([Play("a", 10, hours=9), Play("a", 10, hours=0)], catalogue, PlayWeights()).histories

    assert histories.weights.tolist() == [1.0]
