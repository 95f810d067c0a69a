"""The whole offline run, one straight line: catalogue, plays, model, evaluation, published version."""

import hashlib
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
import scipy.sparse as sp

from app.core.artifact import Artifact, Counts, Manifest
from app.core.catalogue import Catalogue
from app.core.errors import TrainingError
from app.core.files import write_atomically
from app.core.interactions import Histories, InteractionStore, PlayWeights
from app.core.item_item import ItemItemModel
from app.core.recommender import Recommender
from app.core.settings import Settings
from app.core.store import ModelStore
from training import features, ingest
from training.estimators import content, cosine
from training.estimators.cosine import CosineConfig
from training.evaluate import Metrics, evaluate, hold_out
from training.features import FeatureConfig
from training.pages import Collection
from training.progress import say
from training.simulate import SimulationConfig, simulate
from training.validation import ValidationReport, validate

_GIT_COMMIT = ("git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD")


@dataclass(frozen=True)
class TrainingConfig:
    """Every number that shapes a model; it travels in the manifest."""

    weights: PlayWeights = PlayWeights()
    collaborative: CosineConfig = CosineConfig()
    features: FeatureConfig = FeatureConfig()
    content_neighbours: int = 50
    simulation: SimulationConfig = SimulationConfig()


@dataclass(frozen=True, eq=False)
class Plays:
    """The histories to train on, what kind they are, and how many plays are of games outside the catalogue."""

    histories: Histories
    kind: Literal["simulated", "observed"]
    left_out: int


def train(settings: Settings, collection: Collection | None, config: TrainingConfig | None = None) -> Manifest:
    """Train on a collection of pages, or on the starter catalogue without one; publish, and make the version current.

    Raises `ValidationFailedError` or `TrainingError`; until the last step nothing of what is served has changed.
    """
    config = config or TrainingConfig()
    catalogue = _catalogue(settings, collection)
    say(f"Catalogue: {len(catalogue)} games")
    plays = _plays(settings, catalogue, config)
    say(f"Plays: {len(plays.histories.indices)} of {len(plays.histories)} {plays.kind} players")
    by_content = content.fit(
        features.fit_transform(catalogue, config.features), config.features, config.content_neighbours
    )

    def fit(histories: Histories) -> Recommender:
        return _fit(catalogue, by_content, histories, config)

    split = hold_out(plays.histories)
    metrics = evaluate(fit(split.train), split)
    say(_told(metrics))
    recommender = fit(plays.histories)
    manifest = _manifest(recommender, plays, collection, config, metrics)
    store = ModelStore(settings.model_store)
    store.publish(Artifact(manifest, recommender.to_arrays()))
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
    valid, report = check(settings, collection)
    if report.bad:
        say(f"Set aside: {report.bad} of {report.rows} records; see `python -m training validate`")
    report.raise_if_stopped()
    return Catalogue.from_frame(valid)


def _plays(settings: Settings, catalogue: Catalogue, config: TrainingConfig) -> Plays:
    store = InteractionStore(settings.data_dir / "interactions.db")
    if not len(store):
        invented = simulate(catalogue, config.simulation)
        histories, left_out = Histories.pack(invented, catalogue, config.weights)
        return Plays(histories, "simulated", left_out)
    histories, left_out = Histories.pack(store.stream(), catalogue, config.weights)
    if not len(histories):
        raise TrainingError(f"Not one of the {left_out} imported plays is of a game in the catalogue.")
    return Plays(histories, "observed", left_out)


def _fit(catalogue: Catalogue, by_content: ItemItemModel, histories: Histories, config: TrainingConfig) -> Recommender:
    shape = (len(histories), len(catalogue))
    matrix = sp.csr_array((histories.weights, histories.indices, histories.indptr), shape=shape)
    return Recommender(
        catalogue=catalogue,
        collaborative=cosine.fit(matrix, config.collaborative),
        content=by_content,
        histories=histories,
        popular=_popular(histories, catalogue),
    )


def _popular(histories: Histories, catalogue: Catalogue) -> npt.NDArray[np.int32]:
    """Order the games by how many players have them; games that nobody has, by how many people keep them on RAWG."""
    players = np.bincount(histories.indices, minlength=len(catalogue))
    return np.lexsort((np.arange(len(catalogue)), -catalogue.added, -players)).astype(np.int32)


def _told(metrics: Metrics | None) -> str:
    if metrics is None:
        return "Evaluation: no player has the five games that it takes"
    return (
        f"Evaluation: nDCG@10 {metrics.ndcg_at_10:.3f} (popularity alone: {metrics.popularity_ndcg_at_10:.3f}), "
        f"{metrics.players} players"
    )


def _manifest(
    recommender: Recommender,
    plays: Plays,
    collection: Collection | None,
    config: TrainingConfig,
    metrics: Metrics | None,
) -> Manifest:
    now = datetime.now(UTC)
    return Manifest(
        version=f"{now:%Y%m%dT%H%M%S-%f}",
        created_at=now,
        git_commit=_git_commit(),
        data_kind=plays.kind,
        catalogue_source="starter" if collection is None else "rawg",
        data_fingerprint=_fingerprint(recommender),
        counts=Counts(
            games=len(recommender.catalogue),
            players=len(plays.histories),
            plays=len(plays.histories.indices),
            plays_left_out=plays.left_out,
            neighbours=len(recommender.collaborative.indices),
        ),
        config=asdict(config),
        metrics=asdict(metrics) if metrics else {},
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
