from dataclasses import replace
from math import log2

import numpy as np
import pytest

from app.core.catalogue import Catalogue
from app.core.interactions import Histories, Play, PlayWeights
from app.core.recommender import Recommender
from tests.worlds import game, neighbours, six_games
from training.evaluate import HoldOut, evaluate, hold_out, ndcg


def test_ndcg_by_hand():
    assert ndcg(np.array([True, False]), 1) == 1.0
    assert ndcg(np.array([False, True]), 1) == pytest.approx(1 / log2(3))
    assert ndcg(np.array([False, True, True]), 2) == pytest.approx((1 / log2(3) + 1 / 2) / (1 + 1 / log2(3)))
    assert ndcg(np.array([], dtype=bool), 3) == 0.0
    assert ndcg(np.array([True] * 10), 25) == pytest.approx(1.0)


def histories_of(*counts: int) -> Histories:
    world = six_games()
    plays = [
        Play(str(player), int(world.catalogue.game_ids[index]))
        for player, count in enumerate(counts)
        for index in range(count)
    ]
    return Histories.pack(plays, world.catalogue, PlayWeights())[0]


def test_a_fifth_of_the_games_of_players_with_five_is_held_out():
    histories = histories_of(6, 4, 5)

    split = hold_out(histories)

    assert {player: len(held) for player, held in split.test.items()} == {0: 1, 2: 1}
    assert np.diff(split.train.indptr).tolist() == [5, 4, 4]
    for player in range(3):
        kept = split.train.row(player)[0].tolist()
        held = split.test.get(player, np.array([], dtype=np.int32)).tolist()
        assert sorted([*kept, *held]) == histories.row(player)[0].tolist()


def test_each_game_keeps_its_own_weight():
    histories = histories_of(6, 6)
    histories.weights[:] = range(12)

    train = hold_out(histories).train

    whole = {(u, g): w for u in range(2) for g, w in zip(*(part.tolist() for part in histories.row(u)), strict=True)}
    for player in range(2):
        for game_index, weight in zip(*(part.tolist() for part in train.row(player)), strict=True):
            assert whole[player, game_index] == weight


def test_at_least_one_game_is_held_out():
    assert len(hold_out(histories_of(5), share=0.05).test[0]) == 1


def test_the_list_that_counts_has_ten_places():
    catalogue = Catalogue.from_games(game(number) for number in range(1, 13))
    nobody = neighbours(*({} for _ in range(12)))
    ann = Histories.pack([Play("ann", 12)], catalogue, PlayWeights())[0]
    world = Recommender(catalogue, nobody, nobody, ann, np.arange(12, dtype=np.int32))

    for place, (hit, gain) in {8: (1.0, 1 / log2(9)), 10: (1.0, 1 / log2(11)), 11: (0.0, 0.0)}.items():
        metrics = evaluate(world, HoldOut(train=ann, test={0: np.array([place - 1], dtype=np.int32)}))
        assert metrics is not None
        assert metrics.hit_rate_at_10 == hit
        assert metrics.ndcg_at_10 == pytest.approx(gain)


def test_the_split_is_the_same_every_time():
    histories = histories_of(6, 6, 6)

    first, second = hold_out(histories), hold_out(histories)

    assert [held.tolist() for held in first.test.values()] == [held.tolist() for held in second.test.values()]


def test_the_recommender_is_scored_on_what_was_held_out_beside_popularity():
    world = six_games()
    # Ann played 10 and 20, which speak for 30; popularity has 30 fourth, after 60, 50 and 40.
    ann = Histories.pack([Play("ann", 10), Play("ann", 20)], world.catalogue, PlayWeights())[0]
    split = HoldOut(train=ann, test={0: np.array([2], dtype=np.int32)})

    metrics = evaluate(replace(world, histories=ann), split)

    assert metrics is not None
    assert (metrics.players, metrics.ndcg_at_10, metrics.hit_rate_at_10) == (1, 1.0, 1.0)
    assert metrics.popularity_ndcg_at_10 == pytest.approx(1 / log2(5))
    assert metrics.popularity_hit_rate_at_10 == 1.0


def test_without_players_enough_there_is_nothing_to_say():
    assert evaluate(six_games(), hold_out(histories_of(4, 1))) is None
