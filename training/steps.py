"""The steps of a run as processes of their own, for a scheduler such as Airflow: the same functions as `run` calls."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from app.core.answer import Query
from app.core.artifact import Artifact
from app.core.database import Database
from app.core.errors import GameRecommenderError, RunNotFoundError, TrainingError, one_line
from app.core.interactions import InteractionStore
from app.core.notices import Notices
from app.core.recommender import Recommender
from app.core.run import Run, RunOptions, State, Step, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.telling import tell
from training import source
from training.candidate import Given, make
from training.fitting import TrainingConfig
from training.journal import RunJournal
from training.pipeline import Outcome, catalogue_of, champion_of, judge
from training.progress import say
from training.publishing import publish
from training.run import begin, conclude, quota_told, warn_of_quota
from training.workspace import Workspace

# A run is taken for dead when nothing is heard of it for so long: the pause before its next step or, where a step is
# killed, before its next attempt.
SECONDS_BETWEEN = 7200.0

_PLAYERS_IN_SAMPLE = 3
_GAMES_IN_SAMPLE = 5


class _Context:
    """What a step works with."""

    def __init__(self, settings: Settings, run_id: str) -> None:
        database = Database(settings.database)
        database.migrate()
        self.settings = settings
        self.run_id = run_id
        self.database = database
        self.runs = RunStore(database)
        self.interactions = InteractionStore(database)
        self.workspace = Workspace(settings, run_id)

    def begun(self) -> Run:
        try:
            return self.runs.get(self.run_id)
        except RunNotFoundError:
            return begin(self.runs, Trigger.AIRFLOW, RunOptions(), SECONDS_BETWEEN, self.run_id)

    def champion(self) -> Artifact | None:
        """Load the version that was current at the training, which must be so still."""
        champion = champion_of(self.settings)
        if (champion.manifest.version if champion else None) != self.workspace.champion():
            raise TrainingError("Another version has become current since the training: train anew.")
        return champion

    @contextmanager
    def step(self, step: Step) -> Iterator[RunJournal]:
        run = self.begun() if step is Step.COLLECT else self.runs.get(self.run_id)
        journal = RunJournal(self.runs, run.run_id, run.steps, SECONDS_BETWEEN)
        journal.must_go_on()
        try:
            with journal.going_on_after(), journal.step(step):
                yield journal
        except (GameRecommenderError, OSError) as failed:
            self.workspace.keep_error(one_line(failed))
            raise
        self.workspace.keep_error(None)


def take(settings: Settings, name: str, run_id: str) -> None:
    """Take the step `name` of a run; the first begins it, and each finds what it needs in the run's folder."""
    _STEPS[name](_Context(settings, run_id))


def _collect(context: _Context) -> None:
    with context.step(Step.COLLECT) as journal:
        with quota_told(context.settings, journal):
            pages = source.live_or_kept(context.settings, advance=journal.advance)
        context.workspace.keep_source(pages)
        warn_of_quota(context.settings, Notices(context.database))


def _validate(context: _Context) -> None:
    with context.step(Step.VALIDATE) as journal:
        catalogue, found = catalogue_of(context.settings, context.workspace.source(), journal)
        context.workspace.keep_catalogue(catalogue, found.counts)


def _train(context: _Context) -> None:
    with context.step(Step.TRAIN):
        champion = champion_of(context.settings)
        pages = context.workspace.source()
        given = Given(context.workspace.catalogue(), "rawg" if pages else "starter", context.interactions, champion)
        made = make(given, TrainingConfig())
        context.workspace.keep_candidate(made, champion.manifest.version if champion else None)


def _evaluate(context: _Context) -> None:
    with context.step(Step.EVALUATE):
        champion = context.champion()
        context.workspace.keep_findings(judge(context.settings, context.workspace.candidate(), champion).findings)


def _publish(context: _Context) -> None:
    with context.step(Step.PUBLISH) as journal:
        workspace, settings = context.workspace, context.settings
        champion = context.champion()
        manifest, findings = publish(settings, workspace.judged(), champion, journal)
        outcome = Outcome(manifest, findings, champion.manifest if champion else None, workspace.records())
        conclude(settings, outcome, workspace.source(), journal, workspace.keep_result)


def _notify(context: _Context) -> None:
    result = context.workspace.result()
    if result is not None:
        context.runs.end(context.run_id, State.SUCCEEDED, result=result)
    else:
        context.runs.end(context.run_id, State.FAILED, context.workspace.error() or "A step did not go well.")
    context.workspace.remove()
    tell(context.settings, context.database, ModelStore(context.settings.model_store))


def _recommend(context: _Context) -> None:
    artifact = ModelStore(context.settings.model_store).current()
    if artifact is None:
        raise TrainingError("There is no model to recommend from.")
    recommender = Recommender.from_arrays(artifact.arrays)
    for user in list(recommender.histories.users)[:_PLAYERS_IN_SAMPLE]:
        answer = recommender.recommend(recommender.taste_of(user.decode()), Query(_GAMES_IN_SAMPLE))
        say(f"{user.decode()}: {', '.join(scored.game['name'] for scored in answer.games)}")


_STEPS: Mapping[str, Callable[[_Context], None]] = {
    "collect": _collect,
    "validate": _validate,
    "train": _train,
    "evaluate": _evaluate,
    "publish": _publish,
    "recommend": _recommend,
    "notify": _notify,
}
