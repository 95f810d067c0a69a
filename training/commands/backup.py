"""The commands that save what a service has, and bring it back: `backup` and `restore`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from app.core.errors import BackupFailedError
from app.core.files import replacing
from training.commands import opened
from training.progress import say

if TYPE_CHECKING:
    from app.core.settings import Settings
    from training.archive import Description
    from training.restore import Restored

app = typer.Typer()

_OWNER_ONLY = 0o600


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="A .tar.gz file, which is replaced; or - for standard output.")],
) -> None:
    """Save the database, the models and RAWG's pages in one file, while the service goes on.

    It holds what players did and the digests of the keys: keep it as private as the database.
    """
    if is_stream := str(file) == "-":
        _not_a_terminal(sys.stdout)
    settings = opened.settings()
    description = _streamed(settings) if is_stream else _written(settings, file)
    say(f"Backed up {_counted({name: table.rows for name, table in description.tables.items()})}.")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` wrote; or - for standard input.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
) -> None:
    """Bring a backup back, all of it or nothing, on this machine or another, on SQLite or PostgreSQL."""
    from training.restore import restore as bring_back

    if str(file) == "-":
        _not_a_terminal(sys.stdin)
        _tell(bring_back(opened.settings(), sys.stdin.buffer, replace=replace))
        return
    with file.open("rb") as source:
        _tell(bring_back(opened.settings(), source, replace=replace))


def _written(settings: Settings, file: Path) -> Description:
    from training.backup import back_up

    with (
        replacing(file) as aside,
        os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY), "wb") as to,
    ):
        return back_up(settings, to)


def _streamed(settings: Settings) -> Description:
    from training.backup import back_up

    try:
        description = back_up(settings, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains again at its end
        raise BackupFailedError("Whoever read the backup stopped before its end.") from None
    return description


def _tell(restored: Restored) -> None:
    made = datetime.fromtimestamp(restored.description.created_at, UTC)
    versions = f"{len(restored.versions)} versions" if len(restored.versions) != 1 else "1 version"
    say(f"Restored {_counted(restored.rows)} and {versions}, as they were on {made:%Y-%m-%d at %H:%M:%S} UTC.")
    if restored.problem:
        say(f"warning: the current version cannot be used here, so train one: {restored.problem}")


def _counted(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{rows[name]} {name}" for name in ("interactions", "keys", "runs") if name in rows)


def _not_a_terminal(stream: TextIO) -> None:
    if stream.isatty():
        raise typer.BadParameter("A backup is not for a terminal: name a file, or use < and >.", param_hint="FILE")
