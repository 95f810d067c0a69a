"""Whether a new model goes live: no worse than the one that serves, and better than popularity."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from app.core.artifact import Artifact
from app.core.recommender import Recommender
from training import bootstrap
from training.bootstrap import Estimate
from training.evaluate import MODEL, POPULARITY, Evaluation, by_model, rank
from training.hold_out import Case, HeldOut
from training.metrics import DEEP_CUT, NDCG, FloatArray

_LOST = -2  # stands for a game that no list can hold
_FEWEST_PLAYERS = 20  # below that, whoever wins does so by luck


@dataclass(frozen=True)
class Decision:
    """Whether the challenger becomes current, why, and the numbers behind it.

    `against_champion` and `against_popularity` estimate how much better (nDCG@10) the challenger is.
    """

    promoted: bool
    reason: str
    forced: bool = False
    against_champion: Estimate | None = None
    against_popularity: Estimate | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        """Write the decision for machines."""
        return {name: value._asdict() if isinstance(value, Estimate) else value for name, value in vars(self).items()}


def decide(
    challenger: Recommender, evaluation: Evaluation | None, champion: Artifact | None, tolerance: float
) -> Decision:
    """Decide whether the challenger becomes current.

    It must not be clearly worse than popularity on the games held out from it. Against a champion that learned from
    real players it has to find, on the champion's frozen hold-out, no less of what they play. It is worse where its
    nDCG@10 is lower by more than `tolerance` (a share of the champion's) and the paired bootstrap interval of the
    difference is all below 0; or where it is lower at all, and no better than popularity either.
    """
    lead = _lead_over_popularity(evaluation)
    if champion is None:
        return Decision(promoted=True, reason="There is no other version to serve.", against_popularity=lead)
    if lead and lead.high < 0:
        reason = f"It finds less of what players play than popularity alone: {NDCG} {_difference(lead)}."
        return Decision(promoted=False, reason=reason, against_popularity=lead)
    if champion.manifest.data_kind == "simulated":
        return Decision(
            promoted=True,
            reason="The players of the version before are invented, and judge nothing.",
            against_popularity=lead,
        )
    mine, theirs = _scores(challenger, champion)
    if len(mine) < _FEWEST_PLAYERS:
        reason = f"Only {len(mine)} players could judge it; it takes {_FEWEST_PLAYERS}."
        return Decision(promoted=True, reason=reason, against_popularity=lead)
    difference = bootstrap.of_mean(mine - theirs)
    clearly_lower = difference.value < -tolerance * theirs.mean() and difference.high < 0
    worse = bool(clearly_lower or (difference.value < 0 and lead is not None and lead.value <= 0))
    reason = (
        f"It is {'worse than' if worse else 'no worse than'} {champion.manifest.version}: {NDCG} {mine.mean():.4f} "
        f"against {theirs.mean():.4f}, {_difference(difference)}, for {len(mine)} players."
    )
    return Decision(promoted=not worse, reason=reason, against_champion=difference, against_popularity=lead)


def _lead_over_popularity(evaluation: Evaluation | None) -> Estimate | None:
    if evaluation is None or evaluation.players < _FEWEST_PLAYERS:
        return None
    model, popularity = (evaluation.ranked[name].per_player()[NDCG] for name in (MODEL, POPULARITY))
    return bootstrap.of_mean(model - popularity)


def _scores(challenger: Recommender, champion: Artifact) -> tuple[FloatArray, FloatArray]:
    """Score both on the champion's hold-out, of which neither has seen anything.

    The challenger ranks the games that the champion has too: new ones are not in the test, and none of its faults. A
    game that it has lost is one that it does not find.
    """
    defender = Recommender.from_arrays(champion.arrays)
    cases = HeldOut.from_arrays(champion.arrays).cases(defender.histories)
    moved = challenger.catalogue.indices_of(defender.catalogue.game_ids)
    new = np.setdiff1d(np.arange(len(challenger.catalogue)), moved)

    def as_challenger(case: Case) -> list[int]:
        return challenger.rank(case.played, case.strength, DEEP_CUT, barred=new)

    theirs = rank(partial(by_model, defender), cases).per_player()[NDCG]
    mine = rank(as_challenger, [_moved(case, moved) for case in cases]).per_player()[NDCG]
    return mine, theirs


def _moved(case: Case, moved: npt.NDArray[np.int64]) -> Case:
    played, wanted = moved[case.played], moved[case.wanted]
    there = played >= 0
    return Case(
        played=played[there].astype(np.int32),
        strength=case.strength[there],
        wanted=np.where(wanted >= 0, wanted, _LOST).astype(np.int32),
    )


def _difference(estimate: Estimate) -> str:
    return f"difference {estimate.value:+.4f} (95 % interval {estimate.low:+.4f} to {estimate.high:+.4f})"
