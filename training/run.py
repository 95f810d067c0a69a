"""One recorded run: collect, train, publish, track, tell."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from app.core.artifact import Manifest
from app.core.database import Database
from app.core.documents import RAWG_QUOTA
from app.core.errors import RunInProgressError
from app.core.leases import LEASE_SECONDS
from app.core.notices import Notices
from app.core.run import Run, RunOptions, Step, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.telling import tell
from training import collection, source
from training.journal import Journal, RunJournal
from training.pages import Collection
from training.patience import patiently
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


class Runner:
    """Carries out runs over one database."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database)
        self._database.migrate()
        self._store = RunStore(self._database)

    def run(self, options: RunOptions, choice: Choice, run_id: str | None = None) -> "Outcome":
        """Carry out a run, or the one that waits under a name, and record how it ends.

        Raises `RunInProgressError` where another is going on. The process may be told to stop by a signal.
        """
        signal.signal(signal.SIGTERM, _interrupt)
        begun = self._store.start(run_id) if run_id else begin(self._store, Trigger.COMMAND, options)
        journal = RunJournal(self._store, begun.run_id)
        if run_id:  # of the service, which tells people itself
            journal.watch_standard_input()
            return self._carry_out(begun, choice, journal)
        try:
            return self._carry_out(begun, choice, journal)
        finally:
            tell(self._settings, self._database, ModelStore(self._settings.model_store))

    def _carry_out(self, begun: Run, choice: Choice, journal: RunJournal) -> "Outcome":
        settings, options = self._settings, begun.options
        with journal.going_on():
            with journal.step(Step.COLLECT), quota_told(settings, journal):
                pages = _source(settings, options, choice, journal)
            warn_of_quota(settings, Notices(self._database))
            # Seconds to import: a wrong key is told before.
            from training.estimators import CONFIGS
            from training.fitting import TrainingConfig
            from training.pipeline import Wishes, train

            config = TrainingConfig(collaborative=CONFIGS[choice.estimator]())
            outcome = train(settings, pages, config, Wishes(options.tune, options.force, options.dry_run), journal)
            conclude(settings, outcome, pages, journal, journal.keep_result)
        return outcome


def begin(
    store: RunStore, trigger: Trigger, options: RunOptions, seconds: float = LEASE_SECONDS, run_id: str | None = None
) -> Run:
    """Begin a run, once another that seems to be going on has given no sign of life for `LEASE_SECONDS` of looking.

    Raises `RunInProgressError` where it gives one. Its time alone proves nothing: the database may have been away.
    """
    left, is_dead_at = LEASE_SECONDS, time.monotonic() + LEASE_SECONDS
    while True:
        try:
            return store.begin(trigger, options, seconds, run_id)
        except RunInProgressError:
            now_left = store.time_left()
            if now_left is not None and now_left > left:
                raise
            left = LEASE_SECONDS if now_left is None else now_left
            if time.monotonic() > is_dead_at:
                store.end_those_cut_off()
            time.sleep(_LOOK_SECONDS)


def warn_of_quota(settings: Settings, notices: Notices) -> None:
    """Leave a notice, once a month, where RAWG's quota runs out."""
    ledger = collection.ledger(settings)
    if settings.rawg_api_key and ledger.spent >= settings.rawg_quota_warning * ledger.limit:
        body = {"month": ledger.month, "spent": ledger.spent, "limit": ledger.limit}
        patiently(lambda: notices.add_once(f"quota-{ledger.month}", "quota", body))


@contextmanager
def quota_told(settings: Settings, journal: Journal) -> Iterator[None]:
    """Let all see what is left of RAWG's quota after a collection, however that ends."""
    try:
        yield
    finally:
        if settings.rawg_api_key:
            spent = collection.ledger(settings)
            names = ("month", "limit", "spent", "remaining")
            journal.keep(RAWG_QUOTA, {name: getattr(spent, name) for name in names})


def conclude(
    settings: Settings,
    outcome: "Outcome",
    pages: Collection | None,
    journal: Journal,
    keep: Callable[[dict[str, Any]], None],
) -> None:
    """Do what is left once a version may serve: keep the result at once, whatever comes of the rest, then once more."""
    result = result_of(settings, outcome)
    keep(result)
    if pages:
        collection.folder(settings).keep_only(pages)
    keep({**result, "warnings": [*result["warnings"], *track(settings, outcome, journal)]})


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


def result_of(settings: Settings, outcome: "Outcome") -> dict[str, Any]:
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
        "warnings": changes.warnings() if changes else [],
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
