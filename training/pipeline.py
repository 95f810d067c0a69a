"""The whole offline run, one straight line: catalogue, plays, model, evaluation, gate, published version."""

import hashlib
import subprocess
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import orjson
import pandas as pd

from app.core.artifact import Artifact, Counts, Manifest
from app.core.catalogue import Catalogue
from app.core.errors import ArtifactError, TrainingError, VersionNotFoundError
from app.core.files import write_atomically
from app.core.histories import Histories, Packed, PlayWeights, pack
from app.core.interactions import InteractionStore
from app.core.recommender import Recommender
from app.core.settings import Settings
from app.core.store import ModelStore
from training import gate, hold_out, ingest, report
from training.cold import evaluate_cold
from training.erasure import forget, never_again
from training.evaluate import evaluate
from training.fitting import Fitter, TrainingConfig
from training.hold_out import HeldOut, Mask
from training.pages import Collection
from training.progress import say
from training.report import Findings
from training.simulate import SimulationConfig, simulate
from training.tune import tune
from training.validation import ValidationReport, validate

DataKind: TypeAlias = Literal["simulated", "observed"]

_CLOCKS_DIFFER = 60.0  # seconds between the machine that trains and those that erase
_GIT_COMMIT = ("git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD")


@dataclass(frozen=True)
class Wishes:
    """What a run is asked for: how many configurations to try, and whether to go live whatever the gate says."""

    trials: int = 0
    force: bool = False


class Origin(NamedTuple):
    """Where a model comes from: whose plays, which catalogue, and how many plays of games that it does not have."""

    kind: DataKind
    catalogue: Literal["starter", "rawg"]
    left_out: int


@dataclass(frozen=True)
class Plays:
    """The plays to train on, and whose they are."""

    kind: DataKind
    catalogue: Catalogue
    simulation: SimulationConfig
    store: InteractionStore

    def pack(self, weights: PlayWeights) -> Packed:
        """Read the plays of games in the catalogue."""
        if self.kind == "simulated":
            invented = never_again(simulate(self.catalogue, self.simulation), self.store.erased())
            return pack(invented, self.catalogue, weights)
        packed = pack(self.store.stream(), self.catalogue, weights)
        if not len(packed.histories):
            raise TrainingError(f"Not one of the {packed.left_out} imported plays is of a game in the catalogue.")
        return packed


def train(
    settings: Settings,
    collection: Collection | None,
    config: TrainingConfig | None = None,
    wishes: Wishes | None = None,
) -> Manifest:
    """Train on a collection of pages, or on the starter catalogue without one; publish, and promote unless worse.

    The model is trained without the plays that are held out, is judged by them, and is what will serve. Raises
    `ValidationFailedError` or `TrainingError`; until the last step nothing of what is served has changed.
    """
    config, wishes = config or TrainingConfig(), wishes or Wishes()
    catalogue = _catalogue(settings, collection)
    say(f"Catalogue: {len(catalogue)} games")
    store = ModelStore(settings.model_store)
    started_at = time.time()
    champion = _champion(store)
    plays = _plays(settings, catalogue, config)
    packed = plays.pack(config.weights)
    say(f"Plays: {len(packed.histories.indices)} of {len(packed.histories)} {plays.kind} players")

    fitter = Fitter(catalogue, config)
    test = hold_out.draw(packed.histories, packed.times, catalogue, config.hold_out)
    unknown = test | _held_out_before(champion, packed.histories, catalogue)
    tuning = None
    if wishes.trials:
        tuning = tune(fitter, packed, unknown, config, wishes.trials)
        config, packed = tuning.best, packed.weighed(tuning.best.weights)
    known = hold_out.only(packed.histories, ~unknown)
    recommender = replace(fitter.fit(known, config), histories=packed.histories)
    held_out = HeldOut.of(packed.histories, test)
    evaluation = evaluate(recommender, held_out)
    say(report.told(evaluation))
    cold = evaluate_cold(fitter, known, config)
    decision = gate.decide(recommender, evaluation, champion, settings.gate_tolerance)
    if wishes.force and not decision.promoted:
        decision = replace(decision, promoted=True, forced=True)
    findings = Findings(evaluation, cold, decision, tuning)

    origin = Origin(plays.kind, "rawg" if collection else "starter", packed.left_out)
    # From here on an erasure is later than the model, and the service looks out for those.
    created_at = datetime.now(UTC)
    erased = plays.store.erased(since=started_at - _CLOCKS_DIFFER)
    histories, held_out = forget(recommender.histories, held_out, erased)
    recommender = replace(recommender, histories=histories)
    manifest = _manifest(recommender, origin, config, findings, created_at)
    arrays = {**recommender.to_arrays(), **held_out.to_arrays()}
    store.publish(Artifact(manifest, arrays), report.files(manifest, findings, recommender))
    if decision.promoted:
        store.activate(manifest.version)
    store.prune(settings.models_kept)
    return manifest


def check(settings: Settings, collection: Collection | None) -> tuple[pd.DataFrame, ValidationReport]:
    """Validate a collection, or the starter catalogue, and write the report to the data folder."""
    if collection is None:
        frame = ingest.starter_frame()
    else:
        frame = ingest.to_frame(collection.pages(), settings.rawg_max_games)
    valid, report = validate(frame, settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    write_atomically(settings.data_dir / "validation.json", orjson.dumps(report.to_dict(), option=orjson.OPT_INDENT_2))
    return valid, report


def _catalogue(settings: Settings, collection: Collection | None) -> Catalogue:
    valid, found = check(settings, collection)
    if found.bad:
        say(f"Set aside: {found.bad} of {found.rows} records; see `python -m training validate`")
    found.raise_if_stopped()
    return Catalogue.from_frame(valid)


def _plays(settings: Settings, catalogue: Catalogue, config: TrainingConfig) -> Plays:
    store = InteractionStore.open(settings.database)
    return Plays("observed" if store.has_plays() else "simulated", catalogue, config.simulation, store)


def _champion(store: ModelStore) -> Artifact | None:
    """Load the current version; None before the first, and where it cannot be loaded and so serves nobody."""
    try:
        return store.current()
    except (ArtifactError, VersionNotFoundError) as unusable:
        say(f"The current version cannot be used: {unusable}")
        return None


def _held_out_before(champion: Artifact | None, histories: Histories, catalogue: Catalogue) -> Mask:
    """Mark the plays that the champion is to be judged by: the challenger must not have seen them either."""
    if champion is None:
        return np.zeros(len(histories.indices), dtype=bool)
    return hold_out.again(
        HeldOut.from_arrays(champion.arrays), Recommender.from_arrays(champion.arrays), histories, catalogue
    )


def _manifest(
    recommender: Recommender, origin: Origin, config: TrainingConfig, findings: Findings, created_at: datetime
) -> Manifest:
    histories = recommender.histories
    return Manifest(
        version=f"{created_at:%Y%m%dT%H%M%S-%f}",
        created_at=created_at,
        git_commit=_git_commit(),
        data_kind=origin.kind,
        catalogue_source=origin.catalogue,
        data_fingerprint=_fingerprint(recommender),
        counts=Counts(
            games=len(recommender.catalogue),
            players=len(histories),
            plays=len(histories.indices),
            plays_left_out=origin.left_out,
            neighbours=len(recommender.collaborative.indices),
        ),
        config=config.to_dict(),
        metrics=findings.metrics(),
        gate=findings.decision.to_dict(),
    )


def _fingerprint(recommender: Recommender) -> str:
    """Digest what was trained on: the same catalogue and plays have the same fingerprint."""
    arrays = recommender.to_arrays()
    digest = hashlib.sha256()
    for name in sorted(arrays):
        if name.startswith(("game_ids", "records", "users", "histories")):
            digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _git_commit() -> str | None:
    try:
        found = subprocess.run(_GIT_COMMIT, capture_output=True, text=True, check=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
