"""Neighbour lists by hand, and against dense arithmetic."""

from math import sqrt

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import TrainingError
from app.core.item_item import ItemItemModel
from tests.worlds import neighbours
from training import estimators
from training.estimators import content, cosine, neighbour_ridge, top_k
from training.estimators.cosine import CosineConfig
from training.estimators.gram import Gram
from training.estimators.neighbour_ridge import NeighbourRidgeConfig

Matrix = npt.NDArray[np.float64]


def as_dict(model: ItemItemModel, index: int) -> dict[int, float]:
    indices, weights = model.neighbours(index)
    return dict(zip(indices.tolist(), weights.tolist(), strict=True))


def as_dense(model: ItemItemModel) -> Matrix:
    shape = (len(model), len(model))
    dense: Matrix = sp.csr_array((model.weights, model.indices, model.indptr), shape=shape).toarray()
    return dense


def some_plays(seed: int, players: int = 30, games: int = 12) -> Matrix:
    rng = np.random.default_rng(seed)
    return np.where(rng.random((players, games)) < 0.3, rng.integers(1, 4, (players, games)), 0).astype(np.float64)


def strongest_first(model: ItemItemModel) -> bool:
    """Tell whether each list is ordered by weight, and by index among equals."""
    return all(
        np.array_equal(np.lexsort((indices, -weights)), np.arange(len(indices)))
        for indices, weights in (model.neighbours(index) for index in range(len(model)))
    )


class TestCosine:
    def test_by_hand(self):
        """Games 0 and 1 share two players, 1 and 2 share one, 0 and 2 none, 3 nobody has."""
        plays = sp.csr_array([[2.0, 1.0, 0, 0], [1.0, 1.0, 0, 0], [0, 1.0, 3.0, 0]])
        average_play = (4 + 1 + 1 + 1 + 1 + 9) / 6

        model = cosine.fit(plays, CosineConfig(neighbours=5, shrinkage=2))

        near, far = 3 / (sqrt(5 * 3) + 2 * average_play), 3 / (3 * sqrt(3) + 2 * average_play)
        assert as_dict(model, 0) == pytest.approx({1: near})
        assert as_dict(model, 1) == pytest.approx({0: near, 2: far})
        assert list(as_dict(model, 1)) == [0, 2]  # strongest first
        assert as_dict(model, 2) == pytest.approx({1: far})
        assert as_dict(model, 3) == {}

    def test_the_defaults(self):
        assert CosineConfig() == CosineConfig(neighbours=100, shrinkage=20.0, longest_history=2000)

    @settings(deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(1, 12))
    def test_as_dense_arithmetic_says(self, seed: int, k: int):
        plays = some_plays(seed)
        lengths = np.linalg.norm(plays, axis=0)
        expected = plays.T @ plays / np.maximum(np.outer(lengths, lengths), 1e-12)
        np.fill_diagonal(expected, 0)

        model = cosine.fit(sp.csr_array(plays), CosineConfig(neighbours=k, shrinkage=0))

        assert strongest_first(model)
        for index, row in enumerate(expected):
            strongest = np.sort(row[row > 0])[::-1][:k]
            found = as_dict(model, index)
            assert list(found.values()) == pytest.approx(strongest.tolist(), rel=1e-5)
            assert all(row[other] == pytest.approx(value, rel=1e-5) for other, value in found.items())

    def test_of_equals_the_first_are_kept(self):
        model = cosine.fit(sp.csr_array(np.ones((2, 6))), CosineConfig(neighbours=3))

        assert model.neighbours(0)[0].tolist() == [1, 2, 3]
        assert model.neighbours(2)[0].tolist() == [0, 1, 3]  # not itself
        assert model.neighbours(5)[0].tolist() == [0, 1, 2]


class TestNeighbourRidge:
    def test_the_defaults(self):
        assert NeighbourRidgeConfig() == NeighbourRidgeConfig(
            sources=200, l2=20.0, player_discount=0.5, popularity_discount=0.1, longest_history=2000
        )

    def test_by_hand(self):
        """Two players have both games, two more the second: w = g_01 / (g_00 + penalty) each way."""
        plays = sp.csr_array([[1.0, 1], [1, 1], [0, 1], [0, 1]])

        model = neighbour_ridge.fit(plays, NeighbourRidgeConfig(l2=3, player_discount=0, popularity_discount=0.5))

        assert as_dict(model, 0) == pytest.approx({1: 2 / (2 + 3 * sqrt(2)) / sqrt(4)})
        assert as_dict(model, 1) == pytest.approx({0: 2 / (4 + 3 * sqrt(4)) / sqrt(2)})

    @settings(deadline=None, max_examples=25)
    @given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([1, 12]))
    def test_as_dense_arithmetic_says(self, seed: int, sources: int, blocks: int):
        plays = some_plays(seed)
        config = NeighbourRidgeConfig(sources=sources, l2=2.0)
        counts = np.maximum((plays > 0).sum(axis=1), 1) ** -0.5
        gram = plays.T @ (counts[:, None] * plays)
        popularity = np.maximum(np.diag(gram) / (np.trace(gram) / (plays > 0).sum()), 1)
        penalty = 2.0 * np.trace(gram) / (plays > 0).sum() * np.sqrt(popularity)
        lengths = np.sqrt(np.diag(gram))
        similarity = gram / np.maximum(np.outer(lengths, lengths), 1e-12)
        np.fill_diagonal(similarity, 0)
        chosen = Gram.of(sp.csr_array(plays), 0.5, 2000).nearest(sources)

        with pytest.MonkeyPatch.context() as patch:
            if blocks > 1:
                patch.setattr(neighbour_ridge, "_MEMORY", (0, 0))
            model = neighbour_ridge.fit(sp.csr_array(plays), config)

        expected = np.zeros_like(gram)
        for target in range(len(gram)):
            found, _ = chosen.neighbours(target)
            strongest = np.sort(similarity[target])[::-1][: len(found)]
            assert np.sort(similarity[target][found])[::-1] == pytest.approx(strongest, rel=1e-5)
            system = gram[np.ix_(found, found)] + np.diag(penalty[found])
            weights = np.linalg.solve(system, gram[found, target])
            expected[found, target] = np.maximum(weights, 0) / popularity[target] ** 0.1
        assert as_dense(model) == pytest.approx(expected, rel=1e-3, abs=1e-5)
        assert strongest_first(model)
        assert (model.weights > 0).all()

    def test_doubled_plays_are_the_same_model(self):
        """No number of the configuration is in units of the data: weights may be hours or thousands of hours."""
        plays = some_plays(3)

        model, scaled = (neighbour_ridge.fit(sp.csr_array(plays * factor)) for factor in (1, 1000))

        assert as_dense(scaled) == pytest.approx(as_dense(model), rel=1e-3, abs=1e-6)


def test_a_penalty_that_is_too_small_is_told():
    with pytest.raises(TrainingError, match="the penalty \\(l2\\) is too small"):
        neighbour_ridge.fit(sp.csr_array(np.ones((50, 10))), NeighbourRidgeConfig(l2=0.0))


@pytest.mark.parametrize("config", [NeighbourRidgeConfig(), CosineConfig()])
class TestWhateverThereIs:
    """Degenerate plays give a valid model, of every estimator."""

    def test_nobody_played_anything(self, config: estimators.EstimatorConfig):
        for shape in ((0, 4), (3, 4), (0, 0), (5, 0)):
            model = estimators.fit(sp.csr_array(shape), config)
            assert (len(model), len(model.indices)) == (shape[1], 0)

    def test_one_player_and_one_game(self, config: estimators.EstimatorConfig):
        assert len(estimators.fit(sp.csr_array([[1.0]]), config).indices) == 0
        assert as_dense(estimators.fit(sp.csr_array([[1.0, 1.0]]), config))[0, 1] > 0

    def test_all_play_the_same(self, config: estimators.EstimatorConfig):
        weights = as_dense(estimators.fit(sp.csr_array(np.ones((50, 10))), config))

        off_diagonal = weights[~np.eye(10, dtype=bool)]
        assert off_diagonal.min() > 0
        assert off_diagonal == pytest.approx(off_diagonal.mean(), rel=1e-3)

    def test_half_a_million_play_the_same(self, config: estimators.EstimatorConfig):
        """The rounding of so many equal sums must not add up."""
        plays = np.tile(np.linspace(0.7, 1.9, 12, dtype=np.float32), (500_000, 1))

        model = estimators.fit(sp.csr_array(plays), config)

        assert len(model.indices) == 12 * 11
        assert (model.weights > 0).all()

    def test_one_player_of_a_million_games(self, config: estimators.EstimatorConfig):
        model = estimators.fit(sp.csr_array(np.ones((1, 1_000_000), dtype=np.float32)), config)

        assert len(model) == 1_000_000
        assert np.flatnonzero(np.diff(model.indptr)).max() < 2000

    def test_the_same_plays_are_the_same_model(self, config: estimators.EstimatorConfig):
        first, second = (estimators.fit(sp.csr_array(some_plays(1, 200, 80)), config) for _ in range(2))

        assert np.array_equal(first.indices, second.indices)
        assert np.array_equal(first.weights, second.weights)


def test_a_configuration_is_written_with_its_estimator():
    assert estimators.to_dict(CosineConfig(neighbours=7)) == {
        "estimator": "cosine",
        "neighbours": 7,
        "shrinkage": 20.0,
        "longest_history": 2000,
    }
    assert estimators.to_dict(NeighbourRidgeConfig())["estimator"] == "neighbour_ridge"


class TestTopK:
    @pytest.mark.parametrize("block", [1, 3, 256])
    def test_the_nearest_by_scalar_product(self, monkeypatch: pytest.MonkeyPatch, block: int):
        monkeypatch.setattr(top_k, "_BLOCK", block)
        vectors = np.array([[1, 0], [0.9, 0.1], [0.1, 0.9], [-1, 0]], dtype=np.float32)

        model = top_k.nearest(vectors, 2)

        assert as_dict(model, 0) == pytest.approx({1: 0.9, 2: 0.1})
        assert as_dict(model, 2) == pytest.approx({1: 0.18, 0: 0.1})
        assert as_dict(model, 3) == {}  # nothing is above 0

    def test_of_equals_the_first_are_kept(self):
        model = top_k.nearest(np.ones((5, 1), dtype=np.float32), 2)

        assert [model.neighbours(index)[0].tolist() for index in range(5)] == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]

    def test_more_neighbours_than_games(self):
        assert as_dict(top_k.nearest(np.ones((2, 1), dtype=np.float32), 9), 0) == {1: 1.0}


class TestColdGames:
    """Games 0 to 2 are played, by two players each; 3 is like 0, 4 is like nothing."""

    VECTORS = np.array([[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0], [0.8, 0, 0.6], [0, 0, -1]], dtype=np.float32)
    PLAYED = neighbours({1: 0.1, 2: 0.3}, {2: 0.4, 0: 0.1}, {1: 0.4, 0: 0.3}, {}, {})
    ADDED = np.array([10, 10, 10, 10, 10])

    def cold(self, played: ItemItemModel = PLAYED, optimism: float = 1.0) -> ItemItemModel:
        return content.for_cold_games(content.fit(self.VECTORS, 4), self.VECTORS, self.ADDED, played, optimism)

    def test_likeness_counts_where_plays_say_nothing(self):
        found = self.cold()

        assert [sorted(as_dict(found, index)) for index in range(5)] == [[3], [], [3], [0, 2], []]

    def test_a_likelier_pair_weighs_more_and_optimism_scales(self):
        found, half = self.cold(optimism=0.1), self.cold(optimism=0.05)

        assert as_dict(found, 0)[3] > as_dict(found, 2)[3] > 0
        assert as_dict(half, 0)[3] == pytest.approx(as_dict(found, 0)[3] / 2, rel=1e-5)

    def test_the_weight_is_what_such_a_pair_has_on_average(self):
        """Two kinds of games: within a kind all pairs have likeness 1 and weight 0.5, across 0 and 0.125."""
        kinds = np.repeat(np.eye(2, dtype=np.float32), 20, axis=0)
        alike = (kinds @ kinds.T > 0) & ~np.eye(40, dtype=bool)
        weights = np.where(alike, 0.5, 0.125)
        weights[np.ix_([0, 20], range(40))] = weights[np.ix_(range(40), [0, 20])] = 0  # nobody has played these two
        np.fill_diagonal(weights, 0)
        played = neighbours(*({int(other): row[other] for other in np.flatnonzero(row)} for row in weights))

        found = content.for_cold_games(content.fit(kinds, 39), kinds, np.full(40, 9), played, 0.5)

        assert sorted(as_dict(found, 5)) == [0]
        assert as_dict(found, 5)[0] == pytest.approx(0.5 * 0.5, rel=0.05)
        assert len(as_dict(found, 0)) == 19

    def test_the_weights_are_on_the_scale_of_the_plays(self):
        whole = self.cold(optimism=0.1)
        small = neighbours({1: 0.1e-4, 2: 0.3e-4}, {2: 0.4e-4, 0: 0.1e-4}, {1: 0.4e-4, 0: 0.3e-4}, {}, {})

        assert self.cold(small, optimism=0.1).weights == pytest.approx(whole.weights * 1e-4, rel=1e-3)

    def test_a_game_that_more_people_keep_weighs_more(self):
        kinds = np.ones((40, 1), dtype=np.float32)
        added = np.where(np.arange(40) % 2, 1000, 10)
        weights = np.tile(np.log(added), (40, 1))
        weights[:2] = weights[:, :2] = 0  # nobody has played these two
        np.fill_diagonal(weights, 0)
        played = neighbours(*({int(other): row[other] for other in np.flatnonzero(row)} for row in weights))

        found = as_dict(content.for_cold_games(content.fit(kinds, 39), kinds, added, played, 0.1), 5)

        assert found[1] > 2 * found[0]

    def test_no_cold_game_outweighs_what_plays_know(self):
        found = self.cold(optimism=1000.0)

        assert found.weights.max() == pytest.approx(0.4 / 2)

    def test_where_plays_relate_nothing_likeness_is_the_weight(self):
        found = self.cold(neighbours({}, {}, {}, {}, {}), optimism=3.0)

        assert as_dict(found, 0) == pytest.approx({3: 0.8, 2: 0.6})

    def test_where_every_game_is_played_there_is_nothing_to_add(self):
        everything = neighbours(*({other: 1.0 for other in range(5) if other != own} for own in range(5)))

        assert len(self.cold(everything).indices) == 0
