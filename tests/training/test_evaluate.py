from dataclasses import replace
from math import log2
from typing import Any

import numpy as np
import pytest

from app.core.catalogue import Catalogue
from app.core.histories import Play, PlayWeights, pack
from app.core.recommender import Recommender
from tests.worlds import artifact, browsable, game, neighbours, six_games
from training.evaluate import MODEL, POPULARITY, RANDOM, Evaluation, evaluate
from training.hold_out import HeldOut


def held_out(*wanted: int) -> HeldOut:
    return HeldOut(
        players=np.array([0], dtype=np.int32),
        indptr=np.array([0, len(wanted)], dtype=np.int64),
        indices=np.array(wanted, dtype=np.int32),
    )


def ann() -> Evaluation:
    """Ann played 10, 20 and 30, which is held out; 10 and 20 speak for 30, which is the fourth by popularity."""
    world = six_games()
    plays = [Play("ann", 10), Play("ann", 20), Play("ann", 30)]
    histories = pack(plays, world.catalogue, PlayWeights()).histories
    return evaluate(replace(world, histories=histories), held_out(2)) or pytest.fail("not judged")


def test_the_recommender_is_judged_by_what_was_held_out_beside_popularity_and_chance():
    found = ann()

    assert found.players == 1
    assert found.metrics[MODEL]["ndcg@10"] == (1, 1, 1)
    assert found.metrics[MODEL]["mrr@10"].value == 1
    assert found.metrics[POPULARITY]["ndcg@10"].value == pytest.approx(1 / log2(5))
    assert found.metrics[POPULARITY]["mrr@10"].value == 0.25
    # Chance shows all four games that Ann does not have, in some order.
    assert found.metrics[RANDOM]["recall@20"].value == 1
    assert sorted(found.ranked[RANDOM].lists[0].tolist()) == [-1] * 16 + [2, 3, 4, 5]


def test_the_games_known_are_not_recommended_and_count_as_known():
    found = ann()

    assert not np.isin([0, 1], found.ranked[MODEL].lists).any()
    assert found.known.tolist() == [1, 1, 0, 0, 0, 0]


def test_what_is_shown_is_judged_too():
    found = ann().metrics

    # Four of six games are shown; each is one that nobody is known to have: 1 bit among one player and one imagined.
    assert found[MODEL]["coverage@10"].value == pytest.approx(4 / 6)
    assert found[MODEL]["novelty@10"].value == pytest.approx(1.0)
    assert found[MODEL]["gini@10"].value == pytest.approx(1 / 3)


def test_it_can_be_written_for_machines():
    found: dict[str, Any] = ann().to_dict()

    assert found["players"] == 1
    assert found["model"]["ndcg@10"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert set(found) == {"players", "model", "popularity", "random"}


@pytest.mark.parametrize(("place", "gain"), [(1, 1.0), (10, 1 / log2(11)), (11, 0.0)])
def test_the_list_that_counts_has_ten_places(place: int, gain: float):
    catalogue = Catalogue.from_games(game(number) for number in range(1, 14))
    nobody = neighbours(*({} for _ in range(13)))
    plays = pack([Play("ann", 13), Play("ann", place)], catalogue, PlayWeights()).histories
    popular = np.arange(13, dtype=np.int32)
    world = Recommender(catalogue, nobody, nobody, nobody, plays, popular, **browsable(catalogue))

    found = evaluate(world, held_out(place - 1)) or pytest.fail("not judged")

    assert found.metrics[MODEL]["ndcg@10"].value == pytest.approx(gain)


def test_without_anything_held_out_there_is_nothing_to_say():
    nothing = HeldOut(np.array([], dtype=np.int32), np.array([0]), np.array([], dtype=np.int32))

    assert evaluate(six_games(), nothing) is None


def test_a_published_version_is_judged_by_its_own_hold_out():
    arrays = artifact().arrays

    found = evaluate(Recommender.from_arrays(arrays), HeldOut.from_arrays(arrays)) or pytest.fail("not judged")

    # Zoë has 10, 20, 40 and 50; they speak for 30, and by popularity 60 is next.
    assert found.ranked[MODEL].lists[0, :2].tolist() == [2, 5]
