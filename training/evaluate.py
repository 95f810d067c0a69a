"""Whether the model is worth having: part of each player's games is held out, and the recommender has to find it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.interactions import Histories
from app.core.recommender import Recommender

IntArray = npt.NDArray[np.int32]

CUT = 10


@dataclass(frozen=True, eq=False)
class HoldOut:
    """A split of histories: those to train on, and for each test player (a position in them) the games held out."""

    train: Histories
    test: dict[int, IntArray]


@dataclass(frozen=True)
class Metrics:
    """Means over the test players, of the model and of popularity alone."""

    players: int
    ndcg_at_10: float
    hit_rate_at_10: float
    popularity_ndcg_at_10: float
    popularity_hit_rate_at_10: float


def hold_out(histories: Histories, share: float = 0.2, at_least: int = 5, seed: int = 0) -> HoldOut:
    """Hold out, by chance, a share of the games of each player with `at_least` of them; one game or more."""
    rng = np.random.default_rng(seed)
    kept = np.ones(len(histories.indices), dtype=bool)
    test = {}
    for position in range(len(histories)):
        start, end = histories.indptr[position : position + 2]
        if end - start >= at_least:
            chosen = start + rng.choice(end - start, max(1, round(share * int(end - start))), replace=False)
            kept[chosen] = False
            test[position] = histories.indices[chosen]
    train = Histories(
        users=histories.users,
        indptr=np.concatenate([[0], np.cumsum(kept)])[histories.indptr].astype(np.int64),
        indices=histories.indices[kept],
        weights=histories.weights[kept],
    )
    return HoldOut(train, test)


def evaluate(recommender: Recommender, split: HoldOut) -> Metrics | None:
    """Score the recommender, trained on `split.train`, on the games held out; None where nobody has enough games."""
    if not split.test:
        return None
    scores = []
    for position, wanted in split.test.items():
        played, strength = split.train.row(position)
        by_model = list(recommender.rank(played, strength, CUT))
        by_popularity = recommender.most_popular(played, CUT).tolist()
        scores.append([*_score(by_model, wanted), *_score(by_popularity, wanted)])
    ndcg, hit, popularity_ndcg, popularity_hit = np.mean(scores, axis=0).tolist()
    return Metrics(len(scores), ndcg, hit, popularity_ndcg, popularity_hit)


def _score(ranked: list[int], wanted: IntArray) -> tuple[float, float]:
    hits = np.isin(ranked, wanted)
    return ndcg(hits, len(wanted)), float(hits.any())


def ndcg(hits: npt.NDArray[np.bool_], relevant: int, cut: int = CUT) -> float:
    """Discounted gain of a ranked list over that of the best possible one (Järvelin and Kekäläinen 2002), binary gains.

    `hits` tells of each place whether its game is one of the `relevant` ones.
    """
    discounts = 1 / np.log2(np.arange(2, cut + 2))
    return float(discounts[: len(hits)][hits[:cut]].sum() / discounts[: min(relevant, cut)].sum())
