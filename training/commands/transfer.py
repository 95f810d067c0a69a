"""The commands that bring interactions in and out: `import` and `export`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.core.errors import ExportFailedError, ImportFailedError
from app.core.files import write_atomically
from app.core.importing.formats import Format
from training import tables
from training.commands import opened
from training.progress import bar, say

if TYPE_CHECKING:
    from app.core.importing.summary import ImportSummary
    from app.core.interactions import InteractionStore
    from app.core.settings import Settings
    from app.core.titles import Titles

app = typer.Typer()

_FILE_HELP = "CSV, JSONL or Parquet with user_id,game_id[,kind][,hours][,rating][,at][,event_id], or steam-200k."


@app.command("import")
def import_(
    file: Annotated[Path | None, typer.Argument(help=_FILE_HELP)] = None,
    written_as: Annotated[Format | None, typer.Option("--format", help="Else it is seen from the file.")] = None,
    steam: Annotated[str | None, typer.Option(metavar="STEAMID", help="Import a player's own Steam library.")] = None,
    user_id: Annotated[str | None, typer.Option(help="The player whose library it is; else the Steam id.")] = None,
    as_json: opened.Json = False,
) -> None:
    """Import what players did; the next run trains on them instead of on simulated players.

    A file that is imported twice counts once, and an import that was interrupted goes on where it stopped.
    """
    if (file is None) == (steam is None):
        raise typer.BadParameter("Name either a file, or a player of Steam's with --steam.")
    if steam is None and user_id is not None:
        raise typer.BadParameter("--user-id belongs to --steam: a file has a column for it.")
    if steam is not None:
        player, steam = _player(steam, user_id)
        summary = _library(opened.settings(), steam, player)
    else:
        summary = _file(opened.settings(), file or Path(), written_as)
    if as_json or summary.set_aside or summary.unmatched:
        tables.show(summary.to_dict(), tables.imported(summary), as_json=as_json)
    say(tables.import_in_one_line(summary))


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Ends with .csv, .jsonl or .parquet; or - for CSV on standard output.")],
) -> None:
    """Export what players did, in the columns that `import` takes."""
    from app.core import exporting

    store = _store(opened.settings())
    if str(file) != "-":
        exporting.export_file(store, file)
        return
    try:
        sys.stdout.buffer.writelines(exporting.csv_chunks(store))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains again at its end
        raise ExportFailedError("Whoever read the export stopped before its end.") from None


def _file(settings: Settings, path: Path, written_as: Format | None) -> ImportSummary:
    from app.core.importing.importer import Source, import_file

    try:
        with path.open("rb") as file, bar("Importing", "%") as advance:
            source = Source(file, str(path), written_as)
            summary = import_file(
                source, _store(settings), _titles, lambda done, total: advance(100 * done // total, 100)
            )
    except OSError as unreadable:
        raise ImportFailedError(f"{path} cannot be read: {unreadable.strerror or unreadable}.") from unreadable
    return _reported(settings, summary)


def _library(settings: Settings, steam_id: str, user_id: str) -> ImportSummary:
    from training.steam import import_library, library_of

    titles = _titles()
    library = library_of(steam_id, settings)
    return _reported(settings, import_library(library, user_id, _store(settings), titles))


def _player(steam_id: str, user_id: str | None) -> tuple[str, str]:
    from app.core import rows

    if not (steam_id.isascii() and steam_id.isdigit() and len(steam_id) <= 20):  # noqa: PLR2004  # as 64 bits have
        raise typer.BadParameter("A Steam id is a number, as in 76561197960287930.")
    try:
        return rows.user_id(steam_id if user_id is None else user_id), steam_id
    except ValueError as wrong:
        raise typer.BadParameter(f"{wrong}.") from None


def _store(settings: Settings) -> InteractionStore:
    from app.core.interactions import InteractionStore

    return InteractionStore.open(settings.database)


def _titles() -> Titles:
    from app.core.recommender import Recommender
    from app.core.titles import Titles

    return Titles(Recommender.from_arrays(opened.artifact().arrays).catalogue)


def _reported(settings: Settings, summary: ImportSummary) -> ImportSummary:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    write_atomically(settings.data_dir / "import.json", json.dumps(summary.to_dict(), indent=2).encode())
    return summary
