"""Neighbours by what games are like, and what that says of games that the plays relate to no other."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.core.item_item import ItemItemModel
from training.estimators.lists import by_source
from training.estimators.top_k import Vectors, nearest

Counts = npt.NDArray[np.int64]
Indices = npt.NDArray[np.integer]

# From likeness, and from how many people keep the game that is spoken for.
Average = Callable[[Vectors, Counts], npt.NDArray[np.float64]]

_SAMPLE = 50_000  # pairs; another sample moves the average by a few percent


def fit(vectors: Vectors, neighbours: int) -> ItemItemModel:
    """Relate games by the cosine of their feature vectors (games x dimensions, rows of length 1)."""
    return nearest(vectors, neighbours)


def for_cold_games(
    content: ItemItemModel, vectors: Vectors, added: Counts, collaborative: ItemItemModel, optimism: float
) -> ItemItemModel:
    """Weigh the `content` neighbours of which plays say nothing: the one speaks for no game, or none for the other.

    Such a pair gets `optimism` times the weight that a pair as alike, and of a game that as many people keep (`added`),
    has on average in `collaborative`, and no more than half the most there: so a cold game competes on fair terms. The
    average is a Poisson regression, which is right in the mean where nearly all weights are 0 (Santos Silva and
    Tenreyro 2006, "The log of gravity"). Where plays relate no two games at all, likeness is the weight.
    """
    games = len(content)
    source, target = np.repeat(np.arange(games), np.diff(content.indptr)), content.indices
    speaks, spoken_for = _warm(collaborative)
    cold = ~speaks[source] | ~spoken_for[target]
    source, target, weights = source[cold], target[cold], content.weights[cold]
    if len(collaborative.weights) and len(weights):
        average = _average_weight(collaborative, content, vectors, added)
        expected = optimism * average(weights, added[target])
        weights = np.minimum(expected, collaborative.weights.max() / 2)
    return by_source(source, target, weights, games)


def _warm(collaborative: ItemItemModel) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Mark the games that speak for others, and those that others speak for."""
    spoken_for = np.zeros(len(collaborative), dtype=bool)
    spoken_for[collaborative.indices] = True
    return np.diff(collaborative.indptr) > 0, spoken_for


def _average_weight(collaborative: ItemItemModel, content: ItemItemModel, vectors: Vectors, added: Counts) -> Average:
    source, target = _sample(collaborative, content)
    likeness = np.einsum("ij,ij->i", vectors[source], vectors[target])
    shape = (len(collaborative), len(collaborative))
    matrix = sp.csr_matrix((collaborative.weights, collaborative.indices, collaborative.indptr), shape=shape)
    weights = np.asarray(matrix[source, target], dtype=np.float64).ravel()
    scale = weights.mean() or 1.0  # the regression stops by an absolute tolerance
    regression = make_pipeline(StandardScaler(), PoissonRegressor(alpha=1e-9, tol=1e-6, max_iter=300))
    regression.fit(_facts(likeness, added[target]), weights / scale)

    def average(likeness: Vectors, added: Counts) -> npt.NDArray[np.float64]:
        expected: npt.NDArray[np.float64] = regression.predict(_facts(likeness, added)) * scale
        return expected

    return average


def _sample(collaborative: ItemItemModel, content: ItemItemModel) -> tuple[Indices, Indices]:
    """Draw pairs of games that plays may relate: any two, and two that are alike."""
    rng = np.random.default_rng(0)
    speaks, spoken_for = _warm(collaborative)
    source, target = np.repeat(np.arange(len(content)), np.diff(content.indptr)), content.indices
    alike = np.flatnonzero(speaks[source] & spoken_for[target])
    alike = rng.permutation(alike)[:_SAMPLE]
    any_source = rng.choice(np.flatnonzero(speaks), _SAMPLE)
    any_target = rng.choice(np.flatnonzero(spoken_for), _SAMPLE)
    apart = any_source != any_target
    return (
        np.concatenate([source[alike], any_source[apart]]),
        np.concatenate([target[alike], any_target[apart]]),
    )


def _facts(likeness: npt.NDArray[np.float32], added: Counts) -> npt.NDArray[np.float64]:
    return np.column_stack([likeness, likeness**2, np.log1p(added)])
