"""Trials of other configurations, judged by plays held out of the training data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from app.core.errors import TrainingError
from app.core.histories import Packed
from training import hold_out
from training.estimators import EstimatorConfig
from training.estimators.cosine import CosineConfig
from training.estimators.neighbour_ridge import NeighbourRidgeConfig
from training.evaluate import by_model, rank
from training.fitting import Fitter, TrainingConfig
from training.hold_out import HeldOut, Mask
from training.metrics import NDCG
from training.progress import bar, say

Space = Mapping[str, BaseDistribution]

# Where to look for the numbers that shape a model.
_WEIGHTS: Space = {"emphasis": FloatDistribution(0.0, 1.0)}
_WEIGHTS_OF_DATED_PLAYS: Space = {"half_life_days": CategoricalDistribution([None, 90, 180, 365, 730, 1460])}
_ESTIMATORS: Mapping[type[EstimatorConfig], Space] = {
    NeighbourRidgeConfig: {
        "sources": IntDistribution(50, 400),
        "l2": FloatDistribution(1.0, 200.0, log=True),
        "player_discount": FloatDistribution(0.0, 1.0),
        "popularity_discount": FloatDistribution(0.0, 0.3),
    },
    CosineConfig: {"neighbours": IntDistribution(20, 400), "shrinkage": FloatDistribution(0.0, 200.0)},
}


@dataclass(frozen=True)
class Trial:
    """One configuration that was tried: the numbers searched, and how well it did (nDCG@10 on the validation plays)."""

    numbers: dict[str, Any]
    score: float


@dataclass(frozen=True)
class Tuning:
    """The best configuration, and all trials, that of the default first."""

    best: TrainingConfig
    trials: tuple[Trial, ...]

    def to_dict(self) -> dict[str, Any]:
        """Write the trials for machines."""
        return {"metric": NDCG, "trials": [vars(trial) for trial in self.trials]}


def tune(fitter: Fitter, packed: Packed, unknown: Mask, default: TrainingConfig, trials: int) -> Tuning:
    """Search the numbers that shape the model (TPE: Bergstra et al. 2011), beginning with those of `default`.

    `unknown` marks the plays that are not for training; of the others some are held out, the same for all trials.
    Ctrl-C ends the search, and what was found until then counts. Raises `TrainingError` where nothing can be held out.
    """
    times = packed.times[~unknown]
    validation = hold_out.draw(hold_out.only(packed.histories, ~unknown), times, fitter.catalogue, default.hold_out)
    if not validation.any():
        raise TrainingError(f"Trials cannot be judged: nobody has {default.hold_out.fewest} games to train on.")

    def score(config: TrainingConfig) -> float:
        known = hold_out.only(packed.weighed(config.weights).histories, ~unknown)
        recommender = fitter.fit(hold_out.only(known, ~validation), config)
        ranked = rank(partial(by_model, recommender), HeldOut.of(known, validation).cases(known))
        return float(ranked.per_player()[NDCG].mean())

    space = _space(default, dated=not np.isnan(times).all())
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.enqueue_trial({name: _number(default, name) for name in space})
    with bar("Tuning", "trials") as advance:
        try:
            for done in range(trials):
                trial = study.ask(dict(space))
                try:
                    study.tell(trial, score(_changed(default, trial.params)))
                except TrainingError as failed:  # with these numbers there is no model
                    study.tell(trial, state=TrialState.FAIL)
                    say(f"Tuning: trial {done + 1} has no result. {failed}")
                advance(done + 1, trials)
        except KeyboardInterrupt:
            say("Tuning interrupted: going on with the best so far.")
    return _result(study, default)


def _space(default: TrainingConfig, *, dated: bool) -> dict[str, BaseDistribution]:
    weights = {**_WEIGHTS, **(_WEIGHTS_OF_DATED_PLAYS if dated else {})}
    return {
        **{f"weights.{name}": distribution for name, distribution in weights.items()},
        **{f"collaborative.{name}": where for name, where in _ESTIMATORS[type(default.collaborative)].items()},
    }


def _number(config: TrainingConfig, name: str) -> Any:
    part, number = name.split(".")
    return getattr(getattr(config, part), number)


def _changed(config: TrainingConfig, numbers: Mapping[str, Any]) -> TrainingConfig:
    for name, value in numbers.items():
        part, number = name.split(".")
        config = replace(config, **{part: replace(getattr(config, part), **{number: value})})
    return config


def _result(study: optuna.Study, default: TrainingConfig) -> Tuning:
    done = study.get_trials(states=[TrialState.COMPLETE])
    if not done:
        return Tuning(default, ())
    trials = tuple(Trial(trial.params, float(trial.values[0])) for trial in done)
    best = max(trials, key=lambda trial: trial.score)
    say(f"Tuning: {NDCG} {best.score:.4f} on the validation plays, {trials[0].score:.4f} by default.")
    return Tuning(_changed(default, best.numbers), trials)
