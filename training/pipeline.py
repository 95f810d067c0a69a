"""The whole offline run, one straight line: catalogue, plays, model, evaluation, gate, published version."""

from dataclasses import dataclass, replace

import orjson
import pandas as pd

from app.core.artifact import Artifact, Manifest
from app.core.catalogue import Catalogue
from app.core.documents import VALIDATION
from app.core.errors import ArtifactError, VersionNotFoundError
from app.core.files import write_atomically
from app.core.interactions import InteractionStore
from app.core.run import Step
from app.core.settings import Settings
from app.core.store import ModelStore
from training import gate, ingest, report
from training.candidate import Candidate, Given, make
from training.evaluate import evaluate
from training.fitting import TrainingConfig
from training.journal import Journal, Unrecorded
from training.pages import Collection
from training.patience import patiently
from training.progress import say
from training.publishing import Judged, publish
from training.report import Findings
from training.validation import RecordCounts, ValidationReport, validate


@dataclass(frozen=True)
class Wishes:
    """What a run is asked for: configurations to try, to go live whatever the gate says, to publish nothing."""

    trials: int = 0
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a run: the version, what was found, the version that was current before, and its records."""

    manifest: Manifest
    findings: Findings
    before: Manifest | None
    records: RecordCounts
    dry_run: bool = False


def train(
    settings: Settings,
    collection: Collection | None,
    config: TrainingConfig | None = None,
    wishes: Wishes | None = None,
    journal: Journal | None = None,
) -> Outcome:
    """Train on a collection of pages, or on the starter catalogue without one; publish, and promote unless worse.

    The model is trained without the plays that are held out, is judged by them, and is what will serve. Raises
    `ValidationFailedError` or `TrainingError`; until the last step nothing of what is served has changed.
    """
    config, wishes, journal = config or TrainingConfig(), wishes or Wishes(), journal or Unrecorded()
    with journal.step(Step.VALIDATE):
        catalogue, found = catalogue_of(settings, collection, journal)
    interactions = patiently(lambda: InteractionStore.open(settings.database))
    champion = champion_of(settings)
    with journal.step(Step.TRAIN):
        given = Given(catalogue, "rawg" if collection else "starter", interactions, champion)
        made = make(given, config, wishes.trials)
    with journal.step(Step.EVALUATE):
        judged = judge(settings, made, champion, force=wishes.force)
    with journal.step(Step.PUBLISH):
        manifest, findings = publish(settings, judged, champion, journal, dry_run=wishes.dry_run)
    before = champion.manifest if champion else None
    return Outcome(manifest, findings, before, found.counts, wishes.dry_run)


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


def catalogue_of(
    settings: Settings, collection: Collection | None, journal: Journal
) -> tuple[Catalogue, ValidationReport]:
    """Make the catalogue of what is valid; raises `ValidationFailedError` where that is not enough.

    Either way the journal keeps the report.
    """
    valid, found = check(settings, collection)
    journal.keep(VALIDATION, found.to_document())
    if found.bad:
        say(f"Set aside: {found.bad} of {found.rows} records; see `python -m training validate`")
    found.raise_if_stopped()
    catalogue = Catalogue.from_frame(valid)
    say(f"Catalogue: {len(catalogue)} games")
    return catalogue, found


def champion_of(settings: Settings) -> Artifact | None:
    """Load the current version; None before the first, and where it cannot be loaded and so serves nobody."""
    try:
        return ModelStore(settings.model_store).current()
    except (ArtifactError, VersionNotFoundError) as unusable:
        say(f"The current version cannot be used: {unusable}")
        return None


def judge(settings: Settings, made: Candidate, champion: Artifact | None, *, force: bool = False) -> Judged:
    """Evaluate a candidate, and decide whether it goes live."""
    evaluation = evaluate(made.recommender, made.held_out)
    say(report.told(evaluation))
    decision = gate.decide(made.recommender, evaluation, champion, settings.gate_tolerance)
    if force and not decision.promoted:
        decision = replace(decision, promoted=True, forced=True)
    return Judged(made, Findings(evaluation, made.cold, decision, made.tuning))
