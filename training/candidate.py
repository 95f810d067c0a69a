"""A model that has been trained and not been judged yet."""

import time
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from app.core.artifact import Artifact
from app.core.catalogue import Catalogue
from app.core.errors import TrainingError
from app.core.histories import Histories, Packed, PlayWeights, pack
from app.core.interactions import InteractionStore
from app.core.recommender import Recommender
from training import hold_out
from training.cold import ColdEvaluation, evaluate_cold
from training.erasure import never_again
from training.fitting import Fitter, TrainingConfig
from training.hold_out import HeldOut, Mask
from training.patience import patiently
from training.progress import say
from training.simulate import SimulationConfig, simulate
from training.tune import Tuning, tune

DataKind: TypeAlias = Literal["simulated", "observed"]
CatalogueSource: TypeAlias = Literal["starter", "rawg"]


class Origin(NamedTuple):
    """Where a model comes from: whose plays, which catalogue, and how many plays of games that it does not have."""

    kind: DataKind
    catalogue: CatalogueSource
    left_out: int


@dataclass(frozen=True, eq=False)
class Candidate:
    """A recommender that answers from all histories and has learned nothing of what is held out, and how it was made.

    `config` is a `TrainingConfig` as the manifest keeps it, `started_at` when its making began (seconds since 1970).
    """

    recommender: Recommender
    held_out: HeldOut
    config: dict[str, Any]
    origin: Origin
    tuning: Tuning | None
    cold: ColdEvaluation | None
    started_at: float


@dataclass(frozen=True)
class Plays:
    """The plays to train on, and whose they are."""

    kind: DataKind
    catalogue: Catalogue
    simulation: SimulationConfig
    store: InteractionStore

    @classmethod
    def of(cls, store: InteractionStore, catalogue: Catalogue, config: TrainingConfig) -> "Plays":
        """Take what the store has; players are invented where it has no plays."""
        kind: DataKind = "observed" if patiently(store.has_plays) else "simulated"
        return cls(kind, catalogue, config.simulation, store)

    def pack(self, weights: PlayWeights) -> Packed:
        """Read the plays of games in the catalogue."""
        if self.kind == "simulated":
            invented = never_again(simulate(self.catalogue, self.simulation), patiently(self.store.erased))
            return pack(invented, self.catalogue, weights)
        packed = patiently(lambda: pack(self.store.stream(), self.catalogue, weights))
        if not len(packed.histories):
            raise TrainingError(f"Not one of the {packed.left_out} imported plays is of a game in the catalogue.")
        return packed


@dataclass(frozen=True, eq=False)
class Given:
    """What a model is made of: the catalogue and where it comes from, what players did, the version that serves."""

    catalogue: Catalogue
    source: CatalogueSource
    interactions: InteractionStore
    champion: Artifact | None


def make(given: Given, config: TrainingConfig, trials: int = 0) -> Candidate:
    """Train a model that has seen neither what it is to be judged by nor what the champion is judged by.

    With `trials`, so many configurations are tried, and the best is trained.
    """
    started_at, catalogue = time.time(), given.catalogue
    plays = Plays.of(given.interactions, catalogue, config)
    packed = plays.pack(config.weights)
    say(f"Plays: {len(packed.histories.indices)} of {len(packed.histories)} {plays.kind} players")
    fitter = Fitter(catalogue, config)
    test = hold_out.draw(packed.histories, packed.times, catalogue, config.hold_out)
    unknown = test | _held_out_before(given.champion, packed.histories, catalogue)
    tuning = None
    if trials:
        tuning = tune(fitter, packed, unknown, config, trials)
        config, packed = tuning.best, packed.weighed(tuning.best.weights)
    known = hold_out.only(packed.histories, ~unknown)
    return Candidate(
        recommender=replace(fitter.fit(known, config), histories=packed.histories),
        held_out=HeldOut.of(packed.histories, test),
        config=config.to_dict(),
        origin=Origin(plays.kind, given.source, packed.left_out),
        tuning=tuning,
        cold=evaluate_cold(fitter, known, config),
        started_at=started_at,
    )


def _held_out_before(champion: Artifact | None, histories: Histories, catalogue: Catalogue) -> Mask:
    """Mark the plays that the champion is to be judged by: the challenger must not have seen them either."""
    if champion is None:
        return np.zeros(len(histories.indices), dtype=bool)
    return hold_out.again(
        HeldOut.from_arrays(champion.arrays), Recommender.from_arrays(champion.arrays), histories, catalogue
    )
