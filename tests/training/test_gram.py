import numpy as np
import scipy.sparse as sp

from training.estimators import gram
from training.estimators.gram import Gram


def cosines(found: Gram) -> np.ndarray:
    model = found.nearest(len(found))
    shape = (len(found), len(found))
    weights: np.ndarray = sp.csr_array((model.weights, model.indices, model.indptr), shape=shape).toarray()
    return weights


def test_plays_of_one_player_and_game_add_up_and_those_of_weight_0_are_none():
    # By rows: (2 + 1, 4) and (4, 0 - a play that is none).
    values, columns = np.array([2, 4, 1, 4, 0], dtype=np.float32), np.array([0, 1, 0, 0, 1])
    matrix = sp.csr_array((values, columns, np.array([0, 3, 5])), shape=(2, 2))

    found = Gram.of(matrix, player_discount=0, longest_history=5)

    assert found.plays == 3
    assert cosines(found)[0, 1] == np.float32(3 * 4 / (5 * 4))
    assert (matrix.data.tolist(), matrix.indices.tolist()) == ([2, 4, 1, 4, 0], [0, 1, 0, 0, 1])


def test_an_overlong_history_is_its_strongest_part_and_of_equals_the_first():
    matrix = sp.csr_array(np.array([[1, 3, 2, 2], [1, 1, 0, 0]], dtype=np.float32))

    found = Gram.of(matrix, player_discount=0, longest_history=2)

    assert found.plays == 4
    # Of the first player games 1 and 2 are left.
    expected = np.array([[0, 1, 0, 0], [1, 0, 6, 0], [0, 6, 0, 0], [0, 0, 0, 0]])
    lengths = np.sqrt([1, 10, 4, 1])
    np.testing.assert_allclose(cosines(found), expected / np.outer(lengths, lengths), rtol=1e-6)
    assert matrix.nnz == 6


def test_the_diagonal_is_the_same_in_parts(monkeypatch):
    matrix = sp.random_array((20, 6), density=0.5, rng=np.random.default_rng(0), format="csr")
    whole = Gram.of(matrix, player_discount=0.5, longest_history=9).popularity

    monkeypatch.setattr(gram, "_AT_ONCE", 7)

    np.testing.assert_allclose(Gram.of(matrix, player_discount=0.5, longest_history=9).popularity, whole)


def test_a_matrix_that_has_nothing_to_leave_out_is_not_copied():
    matrix = sp.csr_array(np.eye(3, dtype=np.float32))

    assert np.shares_memory(Gram.of(matrix, 0, 5)._sides.player_items, matrix.indices)


def test_popularity_is_in_average_plays_and_one_at_least():
    """The first player's plays count a half each, the second's a whole one."""
    found = Gram.of(sp.csr_array([[1.0, 1, 1, 1], [2.0, 0, 0, 0]]), player_discount=0.5, longest_history=9)

    assert found.average_play == 6 / 5
    np.testing.assert_allclose(found.popularity, [4.5 / 1.2, 1, 1, 1])
