"""The metrics by hand, and against trec_eval, the reference of information retrieval."""

from math import log2

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics import Ranked, gini, ndcg, reciprocal_rank


def ranked(lists: list[list[int]], wanted: list[list[int]]) -> Ranked:
    full = np.full((len(lists), 20), -1, dtype=np.int32)
    for row, games in zip(full, lists, strict=True):
        row[: len(games)] = games
    return Ranked(full, [np.array(games, dtype=np.int32) for games in wanted])


def test_by_hand():
    # The first player finds one of two games in the second place, the other in the eleventh; the second player nothing.
    found = ranked([[7, 1, 8, 9, 10, 11, 12, 13, 14, 15, 2], [3]], [[1, 2], [4]]).per_player()

    assert found["ndcg@10"] == pytest.approx([(1 / log2(3)) / (1 + 1 / log2(3)), 0])
    assert found["ndcg@20"] == pytest.approx([(1 / log2(3) + 1 / log2(12)) / (1 + 1 / log2(3)), 0])
    assert found["recall@20"].tolist() == [1, 0]
    assert found["mrr@10"].tolist() == [0.5, 0]
    assert found["hit_rate@10"].tolist() == [1, 0]


def test_the_eleventh_place_is_none_of_ten():
    found = ranked([[*range(10), 99]], [[99]]).per_player()

    assert [found[name].item() for name in ("ndcg@10", "mrr@10", "hit_rate@10", "recall@20")] == [0, 0, 0, 1]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_as_trec_eval_says(seed: int):
    rng = np.random.default_rng(seed)
    lists = [rng.permutation(40)[: rng.integers(0, 21)].tolist() for _ in range(30)]
    wanted = [rng.permutation(40)[: rng.integers(1, 30)].tolist() for _ in range(30)]
    relevant = {str(player): {str(game): 1 for game in games} for player, games in enumerate(wanted)}

    def reference(measure: str, cut: int) -> list[float]:
        """Judge the first places alone; trec_eval sorts by score, and leaves out who got nothing."""
        runs = {
            str(player): {str(game): float(-place) for place, game in enumerate(games[:cut])}
            for player, games in enumerate(lists)
            if games
        }
        judged = pytrec_eval.RelevanceEvaluator(relevant, {measure}).evaluate(runs)
        name = measure.replace(".", "_")
        return [judged[str(player)][name] if str(player) in judged else 0.0 for player in range(len(lists))]

    found = ranked(lists, wanted).per_player()

    assert found["ndcg@10"] == pytest.approx(reference("ndcg_cut.10", 10), abs=1e-9)
    assert found["ndcg@20"] == pytest.approx(reference("ndcg_cut.20", 20), abs=1e-9)
    assert found["recall@20"] == pytest.approx(reference("recall.20", 20), abs=1e-9)
    assert found["mrr@10"] == pytest.approx(reference("recip_rank", 10), abs=1e-9)
    assert found["hit_rate@10"] == pytest.approx(reference("success.10", 10), abs=1e-9)


def test_nobody_to_judge():
    assert all(len(values) == 0 for values in ranked([], []).per_player().values())


def test_ndcg_and_reciprocal_rank_of_rows():
    hits = np.array([[True, False], [False, True], [False, False]])

    assert ndcg(hits, np.array([1, 1, 5])) == pytest.approx([1, 1 / log2(3), 0])
    assert reciprocal_rank(hits).tolist() == [1, 0.5, 0]


def test_what_is_shown_of_the_catalogue():
    lists = ranked([[0, 1], [0]], [[5], [5]])

    assert lists.shown(3, np.array([1, 1])).tolist() == [2, 1, 0]
    assert lists.shown(3, np.array([3, 0])).tolist() == [3, 3, 0]
    assert lists.novelty(np.array([1.0, 4.0, 9.0])).tolist() == [2.5, 1.0]


@pytest.mark.parametrize(
    ("counts", "expected"), [([1, 1, 1, 1], 0.0), ([0, 0, 0, 1], 0.75), ([1, 3], 0.25), ([0, 0], 0.0)]
)
def test_gini(counts: list[int], expected: float):
    assert gini(counts) == pytest.approx(expected)
