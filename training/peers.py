"""What is compared: our estimators, and those of others, each fitted on one matrix and asked for scores."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from training import estimators
from training.estimators.cosine import CosineConfig
from training.estimators.neighbour_ridge import NeighbourRidgeConfig
from training.hold_out import IndexArray

Floats = npt.NDArray[np.float32]

# Scores games for players, who are rows of the matrix: players x games, -inf where nothing speaks for a game.
Scorer = Callable[[IndexArray], Floats]

_L2 = 100.0
_ROWS = 128  # of a dense matrix that are made at a time
_LENSKIT_NEIGHBOURS = 20
_LENSKIT_LEAST = 1e-6


class Method(NamedTuple):
    """A way to recommend: what is given to it, how it is fitted, the package it takes, and its need of memory.

    The need, in bytes for a number of games, is told by those alone that hold a dense matrix of games by games.
    """

    settings: str
    fit: Callable[[sp.csr_array], Scorer]
    package: str | None = None
    need: Callable[[int], int] = lambda _games: 0


def _popularity(train: sp.csr_array) -> Scorer:
    players = np.bincount(_liked(train).indices, minlength=train.shape[1]).astype(np.float32)
    return lambda rows: _spoken_for(np.tile(players, (len(rows), 1)))


def _ours(config: estimators.EstimatorConfig, train: sp.csr_array) -> Scorer:
    model = estimators.fit(train, config)
    shape = (len(model), len(model))
    return _by_similarity(train, sp.csr_array((model.weights, model.indices, model.indptr), shape=shape))


def _implicit_neighbours(name: str, train: sp.csr_array) -> Scorer:
    from implicit import nearest_neighbours

    model = getattr(nearest_neighbours, name)()
    model.fit(sp.csr_matrix(train), show_progress=False)
    return _by_similarity(train, sp.csr_array(model.similarity, dtype=np.float32))


def _implicit_als(train: sp.csr_array) -> Scorer:
    from implicit.cpu.als import AlternatingLeastSquares

    with threadpool_limits(1, user_api="blas"):  # implicit has threads of its own, and warns of more
        model = AlternatingLeastSquares(factors=64, regularization=100, alpha=20, iterations=15, random_state=0)
        model.fit(sp.csr_matrix(_without_zeros(train)), show_progress=False)
    return lambda rows: model.user_factors[rows] @ model.item_factors.T


def _lenskit(train: sp.csr_array) -> Scorer:
    """Fit LensKit's item kNN for implicit feedback, at the kernels that its ItemKNNScorer calls; torch is not needed.

    Its scorer works on 0/1, keeps all similarities of at least 1e-6, and adds up the largest 20 between a game and the
    games played.
    """
    import pyarrow as pa
    from lenskit import _accel

    played = _liked(train)
    players = np.maximum(np.bincount(played.indices, minlength=played.shape[1]), 1)
    unit = played.copy()
    unit.data = (players[played.indices] ** -0.5).astype(np.float32)
    chunks = _accel.knn.compute_similarities(
        _arrow(unit), _arrow(sp.csr_array(unit.T)), unit.shape, _LENSKIT_LEAST, None, None
    )
    similar = pa.chunked_array(chunks).combine_chunks()
    games = pa.array(np.arange(played.shape[1], dtype=np.int32))

    def score_one(row: int) -> Floats:
        own = pa.array(played.indices[played.indptr[row] : played.indptr[row + 1]])
        found, _ = _accel.knn.score_implicit(similar, own, games, _LENSKIT_NEIGHBOURS, 1)
        scores: Floats = np.nan_to_num(found.to_numpy(zero_copy_only=False), nan=-np.inf)
        return scores

    return lambda rows: np.stack([score_one(row) for row in rows.tolist()])


def _arrow(matrix: sp.csr_array) -> Any:
    """Hand a matrix over as LensKit does: a list of (column, value) a row."""
    import pyarrow as pa

    tag = {
        "ARROW:extension:name": "lenskit.sparse_index",
        "ARROW:extension:metadata": json.dumps({"dimension": matrix.shape[1]}),
    }
    fields = [pa.field("index", pa.int32(), metadata=tag), pa.field("value", pa.float32())]
    entries = pa.StructArray.from_arrays(
        [pa.array(matrix.indices.astype(np.int32)), pa.array(matrix.data)], fields=fields
    )
    return pa.ListArray.from_arrays(pa.array(matrix.indptr.astype(np.int32)), entries, type=pa.list_(entries.type))


def _ease(train: sp.csr_array) -> Scorer:
    """Fit EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data") on 0/1, all in one matrix."""
    played = _liked(train)
    return _by_similarity(played, ease(played, _L2))


def ease(played: sp.csr_array, l2: float) -> Floats:
    """Compute EASE's weights (items x items, float32): `I - P / diag(P)` with `P = (X^T X + l2 I)^-1`.

    The inverse is made in place by Cholesky, so that one dense matrix is all it takes.
    """
    by_item, items = sp.csr_array(played.T), played.shape[1]
    gram = np.empty((items, items), dtype=np.float32)
    for start in range(0, items, _ROWS):
        gram[start : start + _ROWS] = (by_item[start : start + _ROWS] @ played).toarray()
    gram[np.diag_indices(items)] += l2
    factor, failed = lapack.spotrf(gram.T, lower=True, clean=False, overwrite_a=True)
    if not failed:
        inverse, failed = lapack.spotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise ValueError(f"The matrix of {items} items cannot be inverted in single precision.")
    weights: Floats = inverse.T
    _mirror(weights)
    weights /= -np.diag(weights).copy()
    np.fill_diagonal(weights, 0)
    return weights


def _mirror(upper: Floats) -> None:
    """Copy what stands above the diagonal below it, in place."""
    for start in range(0, len(upper), _ROWS):
        rows = slice(start, start + _ROWS)
        upper[start + _ROWS :, rows] = upper[rows, start + _ROWS :].T
        block = upper[rows, rows]
        block[:] = np.triu(block) + np.triu(block, 1).T


def _need_of_ease(games: int) -> int:
    return 4 * games * games + 16 * _ROWS * games  # the matrix, and the rows that it is made of, at worst all full


def _by_similarity(histories: sp.csr_array, similarity: sp.csr_array | Floats) -> Scorer:
    """Score by `history @ similarity`; the similarity may be dense."""

    def score(rows: IndexArray) -> Floats:
        scores = histories[rows] @ similarity
        return _spoken_for(scores.toarray() if sp.issparse(scores) else scores)

    return score


def _spoken_for(scores: Floats) -> Floats:
    scores[scores == 0] = -np.inf
    return scores


def _without_zeros(train: sp.csr_array) -> sp.csr_array:
    kept = train.copy()
    kept.eliminate_zeros()
    return kept


def _liked(train: sp.csr_array) -> sp.csr_array:
    """Write 1 for every play, but none for a game rated 0."""
    kept = _without_zeros(train)
    kept.data[:] = 1
    return kept


_IMPLICIT = "weights of the plays, K=20 (its default, the game itself among them)"

METHODS = {
    "neighbour_ridge": Method("ours, default configuration", partial(_ours, NeighbourRidgeConfig())),
    "cosine": Method("ours, default configuration", partial(_ours, CosineConfig())),
    "popularity": Method("number of players", _popularity),
    "implicit_cosine": Method(_IMPLICIT, partial(_implicit_neighbours, "CosineRecommender"), "implicit"),
    "implicit_tfidf": Method(_IMPLICIT, partial(_implicit_neighbours, "TFIDFRecommender"), "implicit"),
    "implicit_bm25": Method(
        f"{_IMPLICIT}, K1=100, B=0.8", partial(_implicit_neighbours, "BM25Recommender"), "implicit"
    ),
    "implicit_als": Method(
        "weights of the plays, 64 factors, 15 iterations, regularization 100, alpha 20, seed 0",
        _implicit_als,
        "implicit",
    ),
    "lenskit_item_knn": Method(
        "0/1, max_nbrs 20, min_sim 1e-6, save_nbrs None (its defaults), its own scoring", _lenskit, "lenskit"
    ),
    "ease": Method(f"0/1, l2={_L2:g}, dense, float32", _ease, need=_need_of_ease),
}
