"""One recorded run: collect, train, publish, track, tell."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from app.core.artifact import Manifest
from app.core.database import Database
from app.core.errors import RunInProgressError
from app.core.leases import LEASE_SECONDS
from app.core.run import Run, RunOptions, Step, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from training import collection, source
from training.journal import Journal, RunJournal
from training.pages import Collection
from training.progress import say
from training.tracking import tracker

if TYPE_CHECKING:
    from training.pipeline import Outcome

_LOOK_SECONDS = 0.5

Catalogue = Literal["live", "kept", "starter"]


@dataclass(frozen=True)
class Choice:
    """What a command chooses beyond what any run can be asked for."""

    catalogue: Catalogue | None = None
    fresh: bool = False
    estimator: str = "neighbour_ridge"


def begin(settings: Settings, options: RunOptions, run_id: str | None) -> tuple[RunStore, Run]:
    """Begin a run, or the one that waits under a name; raises `RunInProgressError` where another is going on."""
    database = Database(settings.database)
    database.migrate()
    store = RunStore(database)
    return store, store.start(run_id) if run_id else _begin(store, options)


def _begin(store: RunStore, options: RunOptions) -> Run:
    """Begin at once, or when the run that seems to be going on is found dead: a live one gives a sign before that."""
    left = LEASE_SECONDS
    while True:
        try:
            return store.begin(Trigger.COMMAND, options)
        except RunInProgressError:
            now_left = store.time_left()
            if now_left is not None and now_left > left:
                raise
            left = LEASE_SECONDS if now_left is None else now_left
            time.sleep(_LOOK_SECONDS)


def run(settings: Settings, store: RunStore, begun: Run, choice: Choice = Choice()) -> "Outcome":
    """Carry out a run that has begun, and record how it ends; the process may be told to stop by a signal."""
    signal.signal(signal.SIGTERM, _interrupt)
    options, journal = begun.options, RunJournal(store, begun.run_id)
    if begun.trigger is not Trigger.COMMAND:
        journal.watch_standard_input()
    with journal.going_on():
        with journal.step(Step.COLLECT):
            pages = _source(settings, options, choice, journal)
        # Seconds to import: a wrong key is told before.
        from training.estimators import CONFIGS
        from training.fitting import TrainingConfig
        from training.pipeline import Wishes, train

        config = TrainingConfig(collaborative=CONFIGS[choice.estimator]())
        wishes = Wishes(options.tune, options.force, options.dry_run)
        outcome = train(settings, pages, config, wishes, journal)
        if pages:
            collection.folder(settings).keep_only(pages)
        journal.result = result_of(settings, outcome, track(settings, outcome, journal))
    return outcome


def track(settings: Settings, outcome: "Outcome", journal: Journal) -> list[str]:
    """Tell Weights & Biases of the new version; returns warnings, as nothing depends on it."""
    if outcome.dry_run:
        return []
    with journal.step(Step.TRACK):
        warning = tracker(settings).track(outcome.manifest.version)
    if warning is None:
        return []
    say(f"warning: {warning}")
    return [warning]


def result_of(settings: Settings, outcome: "Outcome", warnings: Sequence[str]) -> dict[str, Any]:
    """Write what came of a run for machines."""
    manifest, changes = outcome.manifest, outcome.findings.changes
    gate = manifest.gate
    # Real players are named beside the model alone: a run's row outlives it, and no erasure reaches the row.
    told = changes.without_players() if changes and manifest.data_kind == "observed" else changes
    return {
        **_described(manifest),
        "data_kind": manifest.data_kind,
        "catalogue_source": manifest.catalogue_source,
        "promoted": bool(gate["promoted"]) and not outcome.dry_run,
        "forced": gate["forced"],
        "dry_run": outcome.dry_run,
        "reason": gate["reason"],
        "against_champion": gate.get("against_champion"),
        "against_popularity": gate.get("against_popularity"),
        "before": _described(outcome.before) if outcome.before else None,
        "validation": outcome.records._asdict(),
        "quota": _quota(settings),
        "changes": told.to_dict() if told else None,
        "warnings": [*(changes.warnings() if changes else []), *warnings],
    }


def _described(manifest: Manifest) -> dict[str, Any]:
    return {
        "version": manifest.version,
        "counts": manifest.counts.model_dump(),
        "metrics": manifest.metrics,
    }


def _quota(settings: Settings) -> dict[str, int] | None:
    if not settings.rawg_api_key:
        return None
    return {"limit": settings.rawg_monthly_quota, "remaining": collection.ledger(settings).remaining}


def _source(settings: Settings, options: RunOptions, choice: Choice, journal: RunJournal) -> Collection | None:
    if choice.catalogue == "starter":
        return None
    if choice.catalogue == "kept":
        return source.kept(settings)
    if not options.collect:
        return collection.folder(settings).latest()
    return source.live_or_kept(settings, fresh=choice.fresh, full=options.full, advance=journal.advance)


def _interrupt(_number: int, _frame: object) -> None:
    signal.raise_signal(signal.SIGINT)
