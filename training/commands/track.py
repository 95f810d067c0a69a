"""The command that tells Weights & Biases of a version: `python -m training track`."""

from typing import Annotated

import typer

from app.core.errors import ModelNotLoadedError, TrackingError
from training import tracking
from training.commands import opened
from training.progress import say

app = typer.Typer()


@app.command()
def track(
    version: Annotated[str | None, typer.Argument(help="A version's name; else the current one.")] = None,
) -> None:
    """Tell Weights & Biases of a version: its configuration, metrics, trials, plots, manifest and files.

    Every `run` does so by itself. With WANDB_MODE=offline the record stays in DATA_DIR, and `wandb sync` sends it.
    """
    from app.core.store import ModelStore
    from training.wandb_place import enclose

    settings = opened.settings()
    if tracking.mode(settings) == "disabled":
        raise TrackingError("Weights & Biases is switched off: set WANDB_API_KEY, or WANDB_MODE=offline.")
    store = ModelStore(settings.model_store)
    version = version or store.current_version()
    if version is None:
        raise ModelNotLoadedError("There is no model yet: make one with `python -m training run`.")
    manifest = store.manifest(version)
    enclose(settings)
    from training.wandb_run import write

    write(settings, manifest, settings.model_store / version)
    say(f"Weights & Biases has a record of {version}.")
