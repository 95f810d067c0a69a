"""The command line: `python -m training COMMAND`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.core.errors import GameRecommenderError, one_line
from app.core.run import RunOptions
from training import source, tables
from training.commands import backup, keys, models, opened, step, track, transfer
from training.commands.opened import Json
from training.progress import say

# pandas, pandera and scikit-learn take seconds to import, so a command imports what it needs where it needs it:
# a wrong key is told before anything is loaded that a right one would need.

app = typer.Typer(
    help="Collect the catalogue, train and publish models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(transfer.app)
app.add_typer(backup.app)
app.add_typer(step.app)
app.add_typer(track.app)
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")

Replay = Annotated[bool, typer.Option("--replay", help="Use the pages collected last, asking RAWG for nothing.")]
Starter = Annotated[bool, typer.Option("--starter", help="Use the starter catalogue that comes with the project.")]
Estimator = Annotated[Literal["neighbour_ridge", "cosine"], typer.Option(help="How to learn from the plays.")]
Force = Annotated[bool, typer.Option("--force", help="Make the new model current whatever the gate says.")]
Tune = Annotated[int, typer.Option(min=0, max=10_000, metavar="N", help="Try N configurations, and train the best.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew instead of going on with an interrupted collection.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Train and judge, and publish nothing.")]
RunId = Annotated[str | None, typer.Option("--run-id", help="Carry out a run that waits.", hidden=True)]


@app.command()
def run(
    *,
    replay: Replay = False,
    starter: Starter = False,
    fresh: Fresh = False,
    estimator: Estimator = "neighbour_ridge",
    tune: Tune = 0,
    force: Force = False,
    dry_run: DryRun = False,
    run_id: RunId = None,
    as_json: Json = False,
) -> None:
    """Run the whole pipeline: collect, validate, train, evaluate, publish; go live with the model unless it is worse.

    With RAWG_API_KEY set the live catalogue is collected. Without it the pages collected last are used, and where there
    are none the starter catalogue.
    """
    if starter and replay:
        raise typer.BadParameter("--starter and --replay are two different catalogues.")
    settings = opened.settings()
    from training.run import Choice, Runner

    options = RunOptions(collect=not (replay or starter), tune=tune, force=force, dry_run=dry_run, full=fresh)
    choice = Choice("starter" if starter else "kept" if replay else None, fresh, estimator)
    outcome = Runner(settings).run(options, choice, run_id)
    manifest = outcome.manifest
    tables.show(manifest.model_dump(mode="json"), tables.published(manifest, dry_run=dry_run), as_json=as_json)


@app.command()
def collect(fresh: Fresh = False) -> None:
    """Collect the catalogue from RAWG; an interrupted collection goes on where it stopped."""
    source.collected(opened.settings(), fresh=fresh)


@app.command()
def validate(starter: Starter = False, as_json: Json = False) -> None:
    """Check the pages collected last (or the starter catalogue) and report everything that is wrong at once."""
    settings = opened.settings()
    pages = None if starter else source.kept(settings)
    from training.checking import check

    _, report = check(settings, pages)
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

    artifact = opened.artifact(version)
    evaluation = judge(Recommender.from_arrays(artifact.arrays), HeldOut.from_arrays(artifact.arrays))
    if evaluation is None:
        raise TrainingError(f"{artifact.manifest.version} cannot be judged: no plays were held out of its training.")
    name = artifact.manifest.version
    tables.show({"version": name, **evaluation.to_dict()}, tables.evaluation(name, evaluation), as_json=as_json)


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
    artifact = opened.artifact()
    recommender = Recommender.from_arrays(artifact.arrays)
    manifest = artifact.manifest
    taste = Taste.of(
        InteractionStore.open(opened.settings().database).rows_of(user_id), PlayWeights(**manifest.weights)
    )
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


def main() -> None:
    """Run a command and exit: 0 done, 1 failed, with one line on standard error, 2 wrong usage."""
    try:
        app()
    except (GameRecommenderError, OSError) as error:  # OSError: a full disk, a folder that may not be written
        say(f"error: {one_line(error)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
