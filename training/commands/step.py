"""The command that takes one step of a run, for schedulers that see to the order: `python -m training step NAME`."""

import os
import signal
import threading
from typing import Annotated, Literal

import typer

from app.core.errors import (
    RawgKeyError,
    RunEndedError,
    RunStoppedError,
    SettingsError,
    TrainingError,
    ValidationFailedError,
)
from app.core.run import RUN_ID
from training.commands import opened
from training.progress import say

_STANDARD_INPUT = 0

FINAL = 3  # the exit code where another attempt would fail likewise
_FINAL_ERRORS = (RawgKeyError, RunEndedError, RunStoppedError, SettingsError, TrainingError, ValidationFailedError)

app = typer.Typer()


def _run_id(value: str) -> str:
    if not RUN_ID.fullmatch(value):
        raise typer.BadParameter("A run's id looks like 20261126T040000-3f9a1c.")
    return value


RunId = Annotated[str, typer.Option("--run-id", callback=_run_id, help="The run, as in 20261126T040000-3f9a1c.")]
Name = Literal["collect", "validate", "train", "evaluate", "publish", "recommend", "notify"]
Attached = Annotated[bool, typer.Option("--attached", help="End when standard input ends; nothing is written to it.")]


@app.command()
def step(name: Annotated[Name, typer.Argument(help="The step.")], run_id: RunId, attached: Attached = False) -> None:
    """Take one step of a run, for a scheduler that sees to their order; `notify` ends the run, whatever came before.

    Exit codes: 0 done, 1 failed, 3 failed in a way that another attempt does not mend.
    """
    if attached:
        threading.Thread(target=_end_with_starter, name="starter-watch", daemon=True).start()
    try:
        settings = opened.settings()
        from training import steps

        steps.take(settings, name, run_id)
    except _FINAL_ERRORS as failed:
        say(f"error: {failed}")
        raise typer.Exit(FINAL) from None


def _end_with_starter() -> None:
    os.read(_STANDARD_INPUT, 1)  # unbuffered: a buffer's lock would hold up the end of the process
    os.killpg(os.getpgid(0), signal.SIGTERM)
