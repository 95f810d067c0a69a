from math import sqrt

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.item_item import ItemItemModel
from training.estimators import cosine, top_k
from training.estimators.cosine import CosineConfig


def as_dict(model: ItemItemModel, index: int) -> dict[int, float]:
    indices, weights = model.neighbours(index)
    return dict(zip(indices.tolist(), weights.tolist(), strict=True))


def test_cosine_by_hand():
    # Players in rows. Games 0 and 1 share two players, 1 and 2 share one, 0 and 2 none, 3 nobody has.
    plays = sp.csr_array([[2.0, 1.0, 0, 0], [1.0, 1.0, 0, 0], [0, 1.0, 3.0, 0]])

    model = cosine.fit(plays, CosineConfig(neighbours=5, shrinkage=2))

    near = 3 / (sqrt(5) * sqrt(3)) * 2 / (2 + 2)
    far = 3 / (3 * sqrt(3)) * 1 / (1 + 2)
    assert as_dict(model, 0) == pytest.approx({1: near})
    assert as_dict(model, 1) == pytest.approx({0: near, 2: far})
    assert list(as_dict(model, 1)) == [0, 2]  # strongest first
    assert as_dict(model, 2) == pytest.approx({1: far})
    assert as_dict(model, 3) == {}


def test_a_play_that_counts_nothing_shares_no_player():
    """The first player has both games, the second the first and, with a weight of 0, the other."""
    indptr, indices = np.array([0, 2, 4]), np.array([0, 1, 0, 1])
    plays = sp.csr_array((np.array([1.0, 1.0, 1.0, 0.0]), indices, indptr), shape=(2, 2))

    model = cosine.fit(plays, CosineConfig(shrinkage=1))

    assert as_dict(model, 0) == pytest.approx({1: 1 / sqrt(2) * 1 / (1 + 1)})
    assert plays.nnz == 4  # the caller's matrix stays as it was


def test_the_defaults():
    assert CosineConfig() == CosineConfig(neighbours=100, shrinkage=50.0)


def test_nobody_played_anything():
    model = cosine.fit(sp.csr_array((0, 4)))

    assert (len(model), len(model.indices)) == (4, 0)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([1, 3, 256]))
def test_cosine_is_what_dense_arithmetic_says(seed: int, neighbours: int, block: int):
    rng = np.random.default_rng(seed)
    plays = np.where(rng.random((9, 12)) < 0.4, rng.integers(1, 4, (9, 12)), 0).astype(float)
    lengths = np.linalg.norm(plays, axis=0)
    common = (plays > 0).astype(float).T @ (plays > 0)
    expected = plays.T @ plays / np.maximum(np.outer(lengths, lengths), 1e-12) * common / (common + 5)
    np.fill_diagonal(expected, 0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(top_k, "_BLOCK", block)
        model = cosine.fit(sp.csr_array(plays), CosineConfig(neighbours=neighbours, shrinkage=5))

    for index, row in enumerate(expected):
        strongest = np.sort(row[row > 0])[::-1][:neighbours]
        found = as_dict(model, index)
        assert list(found.values()) == pytest.approx(strongest.tolist(), rel=1e-5)
        assert all(row[other] == pytest.approx(value, rel=1e-5) for other, value in found.items())


def test_of_equals_the_first_are_kept():
    similarities = np.array([[0, 1, 2, 2, 2, 2]] * 6, dtype=float)

    model = top_k.top_k(6, lambda rows: similarities[rows], 3)

    assert model.neighbours(0)[0].tolist() == [2, 3, 4]
    assert model.neighbours(3)[0].tolist() == [2, 4, 5]  # not itself
    assert model.neighbours(5)[1].tolist() == [2, 2, 2]
