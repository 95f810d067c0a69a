"""The command line: `python -m training COMMAND`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from filelock import FileLock, Timeout

from app.core import log
from app.core.artifact import Artifact
from app.core.errors import (
    CollectionError,
    GameRecommenderError,
    ModelNotLoadedError,
    RunInProgressError,
    one_line,
)
from app.core.settings import Settings
from training import collection, keys, tables
from training.pages import Collection
from training.progress import say

# pandas, pandera and scikit-learn take seconds to import, so a command imports what it needs where it needs it:
# a wrong key is told before anything is loaded that a right one would need.

app = typer.Typer(
    help="Collect the catalogue, train and publish models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models = typer.Typer(help="The published versions.", no_args_is_help=True)
app.add_typer(models, name="models")
app.add_typer(keys.app, name="keys")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Replay = Annotated[bool, typer.Option("--replay", help="Use the pages collected last, asking RAWG for nothing.")]
Starter = Annotated[bool, typer.Option("--starter", help="Use the starter catalogue that comes with the project.")]
Estimator = Annotated[Literal["neighbour_ridge", "cosine"], typer.Option(help="How to learn from the plays.")]
Force = Annotated[bool, typer.Option("--force", help="Make the new model current whatever the gate says.")]
Tune = Annotated[int, typer.Option(min=0, max=10_000, metavar="N", help="Try N configurations, and train the best.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew instead of going on with an interrupted collection.")]


@app.command()
def run(
    *,
    replay: Replay = False,
    starter: Starter = False,
    fresh: Fresh = False,
    estimator: Estimator = "neighbour_ridge",
    tune: Tune = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Run the whole pipeline: collect, validate, train, evaluate, publish; go live with the model unless it is worse.

    With RAWG_API_KEY set the live catalogue is collected. Without it the pages collected last are used, and where there
    are none the starter catalogue.
    """
    settings = _settings()
    with _one_run_at_a_time(settings):
        source = _source(settings, replay=replay, starter=starter, fresh=fresh)
        from training.estimators import CONFIGS
        from training.fitting import TrainingConfig
        from training.pipeline import Wishes, train

        config = TrainingConfig(collaborative=CONFIGS[estimator]())
        manifest = train(settings, source, config, Wishes(trials=tune, force=force))
        if source:
            collection.folder(settings).keep_only(source)
    tables.show(manifest.model_dump(mode="json"), tables.published(manifest), as_json=as_json)


@app.command()
def collect(fresh: Fresh = False) -> None:
    """Collect the catalogue from RAWG; an interrupted collection goes on where it stopped."""
    settings = _settings()
    with _one_run_at_a_time(settings):
        _collected(settings, fresh=fresh)


@app.command()
def validate(starter: Starter = False, as_json: Json = False) -> None:
    """Check the pages collected last (or the starter catalogue) and report everything that is wrong at once."""
    settings = _settings()
    source = None if starter else _kept(settings)
    from training.pipeline import check

    _, report = check(settings, source)
    tables.show(report.to_dict(), tables.validation(report), as_json=as_json)
    report.raise_if_stopped()


@app.command()
def evaluate(
    version: Annotated[str | None, typer.Argument(help="A version's name; else the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Judge a published version by the plays that were held out of its training."""
    from app.core.errors import TrainingError
    from app.core.recommender import Recommender
    from training.evaluate import evaluate as judge
    from training.hold_out import HeldOut

    artifact = _artifact(version)
    evaluation = judge(Recommender.from_arrays(artifact.arrays), HeldOut.from_arrays(artifact.arrays))
    if evaluation is None:
        raise TrainingError(f"{artifact.manifest.version} cannot be judged: no plays were held out of its training.")
    name = artifact.manifest.version
    tables.show({"version": name, **evaluation.to_dict()}, tables.evaluation(name, evaluation), as_json=as_json)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="CSV: user_id,game_id[,hours][,rating][,at]")]) -> None:
    """Import plays; the next run trains on them instead of on simulated players."""
    from app.core.files import write_atomically
    from app.core.interactions import InteractionStore
    from training.importing import import_plays

    settings = _settings()
    summary = import_plays(file, InteractionStore.open(settings.database))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    write_atomically(settings.data_dir / "import.json", json.dumps(summary.to_dict(), indent=2).encode())
    if summary.set_aside:
        tables.show(summary.set_aside, tables.set_aside(summary.set_aside), as_json=False)
    say(
        f"Imported {summary.rows} rows: {len(summary.players)} players, {len(summary.games)} games; "
        f"{len(summary.set_aside)} rows set aside.",
    )


@app.command()
def recommend(
    user_id: Annotated[str, typer.Argument(help="The player's id, 1 to 100 for the simulated ones.")],
    n: Annotated[int, typer.Option("-n", min=1, max=100, help="How many games.")] = 10,
    as_json: Json = False,
) -> None:
    """Recommend games to a player from the current model."""
    from app.core.answer import Query
    from app.core.histories import PlayWeights
    from app.core.interactions import InteractionStore
    from app.core.recommender import Recommender
    from app.core.tastes import Taste

    try:
        user_id.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("The player's id is not UTF-8.") from None
    artifact = _artifact()
    recommender = Recommender.from_arrays(artifact.arrays)
    manifest = artifact.manifest
    taste = Taste.of(InteractionStore.open(_settings().database).rows_of(user_id), PlayWeights(**manifest.weights))
    if manifest.data_kind == "simulated":
        taste = recommender.taste_of(user_id).and_also(taste)
    answer = recommender.recommend(taste, Query(n, explain=True))
    tables.show(
        tables.recommendations_as_json(user_id, answer, manifest),
        tables.recommendations(user_id, recommender.played(taste), answer, manifest),
        as_json=as_json,
    )


@app.command()
def benchmark(
    train: Annotated[Path, typer.Option(help="Plays: a CSV file as `import` takes it, or text, `user item item ...`.")],
    test: Annotated[Path | None, typer.Option(help="What is to be found; else a fifth of each player's games.")] = None,
    memory: Annotated[float, typer.Option(min=0, metavar="GB", help="What a dense matrix may take.")] = 6.0,
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="This method alone; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Compare our estimators with those of others: the same plays, the same run, the same measures."""
    from training import benchmark
    from training.peers import METHODS

    unknown = sorted(set(only or ()) - METHODS.keys())
    if unknown:
        raise typer.BadParameter(f"There is no method {', '.join(unknown)}; there are {', '.join(METHODS)}.")
    found = benchmark.run(train, test, memory, only or ())
    tables.show(found.to_dict(), tables.benchmark(found), as_json=as_json)


@models.command("list")
def list_models(as_json: Json = False) -> None:
    """List the published versions, the newest first."""
    from app.core.artifact import Manifest
    from app.core.errors import ArtifactError
    from app.core.store import ModelStore

    store = ModelStore(_settings().model_store)
    listed: list[Manifest | tuple[str, str]] = []
    for version in store.versions():
        try:
            listed.append(store.manifest(version))
        except ArtifactError as broken:
            listed.append((version, str(broken)))
    tables.show(tables.versions_as_json(listed), tables.versions(listed, store.current_version()), as_json=as_json)


@models.command("show")
def show_model(version: Annotated[str, typer.Argument(help="A version's name.")]) -> None:
    """Print a version's manifest."""
    from app.core.store import ModelStore

    manifest = ModelStore(_settings().model_store).manifest(version)
    print(json.dumps(manifest.model_dump(mode="json"), indent=2))


@models.command("activate")
def activate_model(version: Annotated[str, typer.Argument(help="A version's name.")]) -> None:
    """Make a published version the current one; a running service takes it over within seconds."""
    from app.core.store import ModelStore

    ModelStore(_settings().model_store).activate(version)
    say(f"{version} is current.")


@models.command("prune")
def prune_models(
    keep: Annotated[int | None, typer.Option(min=1, help="How many of the newest stay; else MODELS_KEPT.")] = None,
) -> None:
    """Remove old versions; the current one always stays."""
    from app.core.store import ModelStore

    settings = _settings()
    removed = ModelStore(settings.model_store).prune(keep or settings.models_kept)
    say(f"Removed {len(removed)} versions.")


def _artifact(version: str | None = None) -> Artifact:
    from app.core.store import ModelStore

    store = ModelStore(_settings().model_store)
    artifact = store.load(version) if version else store.current()
    if artifact is None:
        raise ModelNotLoadedError("There is no model yet: make one with `python -m training run`.")
    return artifact


def _settings() -> Settings:
    settings = Settings.load()
    log.configure(settings)
    return settings


@contextmanager
def _one_run_at_a_time(settings: Settings) -> Iterator[None]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.data_dir / "run.lock", timeout=0):
            yield
    except Timeout:
        raise RunInProgressError(f"Another run is going on in {settings.data_dir}; wait for it to end.") from None


def _source(settings: Settings, *, replay: bool, starter: bool, fresh: bool = False) -> Collection | None:
    """Choose where the catalogue comes from: a collection of pages, or None for the starter catalogue."""
    if starter and replay:
        raise typer.BadParameter("--starter and --replay are two different catalogues.")
    if starter:
        return None
    if replay:
        return _kept(settings)
    if settings.rawg_api_key:
        return _collected(settings, fresh=fresh)
    kept = collection.folder(settings).latest()
    if kept is None:
        say("RAWG_API_KEY is not set: training on the starter catalogue.")
    else:
        say(f"RAWG_API_KEY is not set: using the pages collected on {kept.started_at:%Y-%m-%d}.")
    return kept


def _kept(settings: Settings) -> Collection:
    kept = collection.folder(settings).latest()
    if kept is None:
        raise CollectionError("No collection is finished yet: run `python -m training collect`.")
    return kept


def _collected(settings: Settings, *, fresh: bool) -> Collection:
    if not settings.rawg_api_key:
        raise CollectionError("RAWG_API_KEY is not set; a key is free at https://rawg.io/apidocs.")
    return collection.collect(settings, fresh=fresh)


def main() -> None:
    """Run a command and exit: 0 done, 1 failed, with one line on standard error, 2 wrong usage."""
    try:
        app()
    except (GameRecommenderError, OSError) as error:  # OSError: a full disk, a folder that may not be written
        say(f"error: {one_line(error)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
