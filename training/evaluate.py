"""Whether the model is worth having: the recommender that will serve has to find the games that were held out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from app.core.recommender import Recommender
from training import bootstrap
from training.bootstrap import Estimate
from training.hold_out import Case, HeldOut, IndexArray
from training.metrics import CUT, DEEP_CUT, Ranked, gini

Counts = npt.NDArray[np.int64]
Ranker = Callable[[Case], Sequence[int] | IndexArray]

MODEL, POPULARITY, RANDOM = "model", "popularity", "random"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a test found: by ranker (the model and two that learn nothing) and metric; and the lists it was found from.

    `known` counts the players who are known to have and like each game, those held out not among them.
    """

    players: int
    metrics: Mapping[str, Mapping[str, Estimate]]
    ranked: Mapping[str, Ranked]
    known: Counts

    def to_dict(self) -> dict[str, JsonValue]:
        """Write the metrics for machines."""
        return {
            "players": self.players,
            **{
                ranker: {name: estimate._asdict() for name, estimate in metrics.items()}
                for ranker, metrics in self.metrics.items()
            },
        }


def evaluate(recommender: Recommender, held_out: HeldOut) -> Evaluation | None:
    """Judge a recommender that was not trained on the games held out; None where there are none."""
    if not len(held_out):
        return None
    cases = held_out.cases(recommender.histories)
    games = len(recommender.catalogue)
    histories = recommender.histories
    liked = np.bincount(histories.indices[histories.weights > 0], minlength=games)
    known = liked - np.bincount(held_out.indices, minlength=games)
    rankers: dict[str, Ranker] = {
        MODEL: partial(by_model, recommender),
        POPULARITY: partial(_by_popularity, recommender),
        RANDOM: partial(_by_chance, np.random.default_rng(0), games),
    }
    ranked = {name: rank(ranker, cases) for name, ranker in rankers.items()}
    return Evaluation(
        players=len(cases),
        metrics={name: _judge(lists, known, len(recommender.histories)) for name, lists in ranked.items()},
        ranked=ranked,
        known=known,
    )


def rank(ranker: Ranker, cases: Sequence[Case]) -> Ranked:
    """Let a ranker make its list for every case."""
    lists = np.full((len(cases), DEEP_CUT), -1, dtype=np.int32)
    for row, case in zip(lists, cases, strict=True):
        found = ranker(case)
        row[: len(found)] = found
    return Ranked(lists, [case.wanted for case in cases])


def by_model(recommender: Recommender, case: Case) -> list[int]:
    """Rank as the service does."""
    return recommender.rank(case.played, case.strength, DEEP_CUT)


def _by_popularity(recommender: Recommender, case: Case) -> list[int]:
    return recommender.ranker.most_popular(case.played, DEEP_CUT)


def _by_chance(rng: np.random.Generator, games: int, case: Case) -> IndexArray:
    drawn = rng.choice(games, min(games, DEEP_CUT + len(case.played)), replace=False).astype(np.int32)
    return drawn[~np.isin(drawn, case.played)][:DEEP_CUT]


def _judge(ranked: Ranked, known: Counts, players: int) -> dict[str, Estimate]:
    # A game's surprise is the information in a player having it, in bits (Zhou et al. 2010).
    surprise = -np.log2((known + 1) / (players + 1))

    def coverage(counts: Counts) -> float:
        return float((ranked.shown(len(known), counts) > 0).mean())

    def inequality(counts: Counts) -> float:
        return gini(ranked.shown(len(known), counts))

    return {
        **{name: bootstrap.of_mean(values) for name, values in ranked.per_player().items()},
        f"novelty@{CUT}": bootstrap.of_mean(ranked.novelty(surprise)),
        f"coverage@{CUT}": bootstrap.of_all(coverage, len(ranked.lists)),
        f"gini@{CUT}": bootstrap.of_all(inequality, len(ranked.lists)),
    }
