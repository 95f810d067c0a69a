"""How well games are recommended that nobody has played: some games lose all their plays, and have to be found."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from app.core.histories import Histories
from training import bootstrap
from training.bootstrap import Estimate
from training.evaluate import by_model, rank
from training.fitting import Fitter, TrainingConfig
from training.hold_out import HeldOut, only
from training.metrics import DEEP_CUT, RECALL

_HIDDEN = 0.1  # of the games that are played
_MOST_PLAYERS = 2000


@dataclass(frozen=True)
class ColdEvaluation:
    """Recall of hidden games, and what a list drawn by chance would reach."""

    games: int
    players: int
    recall: Estimate
    by_chance: float

    def to_dict(self) -> dict[str, object]:
        """Write the result for machines."""
        return {
            "games": self.games,
            "players": self.players,
            RECALL: self.recall._asdict(),
            f"{RECALL}_by_chance": self.by_chance,
        }


def evaluate_cold(fitter: Fitter, histories: Histories, config: TrainingConfig) -> ColdEvaluation | None:
    """Hide a tenth of the games that are played, fit anew, and look for them; None where no player could find any."""
    rng = np.random.default_rng(0)
    played = np.unique(histories.indices[histories.weights > 0])
    games = rng.choice(played, round(_HIDDEN * len(played)), replace=False)
    hidden = np.isin(histories.indices, games)
    recommender = fitter.fit(only(histories, ~hidden), config)
    to_be_found = HeldOut.of(histories, hidden & (histories.weights > 0))
    cases = [case for case in to_be_found.cases(only(histories, ~hidden | (histories.weights > 0))) if len(case.played)]
    if not cases:
        return None
    chosen = [cases[position] for position in rng.permutation(len(cases))[:_MOST_PLAYERS]]
    ranked = rank(partial(by_model, recommender), chosen)
    others = np.array([len(recommender.catalogue) - len(case.played) for case in chosen])
    return ColdEvaluation(
        games=len(games),
        players=len(chosen),
        recall=bootstrap.of_mean(ranked.per_player()[RECALL]),
        by_chance=float(np.minimum(DEEP_CUT / others, 1).mean()),
    )
