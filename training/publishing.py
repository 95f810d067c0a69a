"""From a judged model to a published version."""

import hashlib
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from app.core.artifact import Artifact, Counts, Manifest
from app.core.interactions import InteractionStore
from app.core.recommender import Recommender
from app.core.settings import Settings
from app.core.store import ModelStore
from training import report
from training.candidate import Candidate
from training.changes import compare
from training.erasure import forget
from training.journal import Journal
from training.patience import patiently
from training.report import Findings

_CLOCKS_DIFFER = 60.0  # seconds between the machine that trains and those that erase
_GIT_COMMIT = ("git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD")


@dataclass(frozen=True, eq=False)
class Judged:
    """A candidate, and what was found out about it."""

    candidate: Candidate
    findings: Findings


def publish(
    settings: Settings, judged: Judged, champion: Artifact | None, journal: Journal, *, dry_run: bool = False
) -> tuple[Manifest, Findings]:
    """Publish a model, and make it current where that was decided; in a dry run, only say what would be published.

    The findings come back with what has changed since the champion.
    """
    # From here on an erasure is later than the model, and the service looks out for those.
    created_at = datetime.now(UTC)
    candidate = _without_erased(judged.candidate, patiently(lambda: InteractionStore.open(settings.database)))
    found = judged.findings
    manifest = describe(candidate, created_at, found.metrics(), found.decision.to_dict())
    artifact = Artifact(manifest, {**candidate.recommender.to_arrays(), **candidate.held_out.to_arrays()})
    findings = replace(found, changes=compare(artifact, champion, settings.drift_warning))
    if not dry_run:
        files = report.files(manifest, findings, candidate.recommender)
        _keep(settings, artifact, files, journal, promoted=found.decision.promoted)
    return manifest, findings


def _keep(settings: Settings, artifact: Artifact, files: dict[str, bytes], journal: Journal, *, promoted: bool) -> None:
    store = ModelStore(settings.model_store)
    journal.must_go_on()
    version = store.publish(artifact, files)
    journal.must_go_on()
    if promoted:
        store.activate(version)
    store.prune(settings.models_kept)


def _without_erased(candidate: Candidate, interactions: InteractionStore) -> Candidate:
    erased = patiently(lambda: interactions.erased(since=candidate.started_at - _CLOCKS_DIFFER))
    histories, held_out = forget(candidate.recommender.histories, candidate.held_out, erased)
    return replace(candidate, recommender=replace(candidate.recommender, histories=histories), held_out=held_out)


def describe(
    candidate: Candidate,
    created_at: datetime,
    metrics: dict[str, Any] | None = None,
    decision: dict[str, Any] | None = None,
) -> Manifest:
    """Write a candidate's manifest, with what was found out about it."""
    recommender, origin = candidate.recommender, candidate.origin
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
        config=candidate.config,
        metrics=metrics or {},
        gate=decision or {},
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
