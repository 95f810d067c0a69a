"""Writes a backup: the database, the published models, the pages kept of RAWG's list; the service goes on meanwhile."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
import structlog

from app.core import __version__
from app.core.database import REVISION, Database
from app.core.errors import BackupFailedError, VersionNotFoundError
from app.core.settings import Settings
from app.core.store import POINTER, ModelStore
from training import archive, table_rows
from training.archive import DATABASE, MODELS, PAGES, Description, Writer
from training.progress import bar

log = structlog.get_logger(__name__)


def back_up(settings: Settings, to: BinaryIO) -> Description:
    """Write a backup of what a service has, its database as it is at one moment.

    Raises `BackupFailedError` where there is no database, it is a newer program's, or the store loses its current
    version meanwhile.
    """
    with closing(Database(settings.database)) as database, ExitStack() as reading:
        if database.revision() is None:
            raise BackupFailedError(f"There is nothing to back up: no database of this program at {database.name}.")
        at = time.time()
        connection = reading.enter_context(database.snapshot())
        description = _described(connection, at)
        with archive.writing(to, description) as writer:
            _add_rows(connection, description, writer)
            reading.close()  # nothing in the database need wait for the rest
            _add_models(ModelStore(settings.model_store), writer)
            _add_pages(settings.data_dir / PAGES, writer)
    return description


def _described(connection: sa.Connection, at: float) -> Description:
    revision = str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))
    if revision > REVISION:
        raise BackupFailedError("The database was written by a newer program than this one; back it up with that.")
    tables = table_rows.described(connection)
    return Description(program=__version__, revision=revision, created_at=at, tables=tables)


def _add_rows(connection: sa.Connection, description: Description, writer: Writer) -> None:
    done, total = 0, sum(table.rows for table in description.tables.values())
    with bar("Backing up", "rows") as advance:
        for name in description.tables:
            for number, (rows, text) in enumerate(table_rows.chunks(connection, name), 1):
                writer.add(f"{DATABASE}/{name}/{number:06d}.jsonl", text)
                done += rows
                advance(done, total)


def _add_models(store: ModelStore, writer: Writer) -> None:
    """Add the versions, those that the pointer names first: no run removes these but after several others."""
    state = store.state()
    pointed_at = state.get(POINTER, b"").decode(errors="replace").split()
    for version in sorted(store.versions(), key=lambda version: version not in pointed_at):
        try:
            with store.opened(version) as files:
                for name, file in files.items():
                    writer.copy(f"{MODELS}/{version}/{name}", file, os.fstat(file.fileno()).st_size)
        except VersionNotFoundError:
            if version in pointed_at:
                raise BackupFailedError(f"{version} was removed while it was read; back up once more.") from None
            log.info("a version that has just been removed is left out", version=version)
    for name, content in state.items():
        writer.add(f"{MODELS}/{name}", content)


def _add_pages(root: Path, writer: Writer) -> None:
    """Add the collections. One that a run changes or removes meanwhile has no record in the backup, and is none."""
    tried: set[Path] = set()
    while untried := sorted(set(_collections(root)) - tried):
        tried.add(untried[0])
        try:
            _add_collection(untried[0], writer)
        except FileNotFoundError:
            log.info("a collection that has just changed is left out", folder=untried[0].name)
    if (root / "requests.json").exists():
        writer.add(f"{PAGES}/requests.json", (root / "requests.json").read_bytes())


def _collections(root: Path) -> Iterator[Path]:
    return (record.parent for record in root.glob(f"[0-9]*/{archive.RECORD}"))


def _add_collection(folder: Path, writer: Writer) -> None:
    record = (folder / archive.RECORD).read_bytes()
    for file in sorted(folder.rglob("*.json.gz")):
        name = file.relative_to(folder.parent).as_posix()
        if archive.PAGE_FILES.fullmatch(name):
            writer.add(f"{PAGES}/{name}", file.read_bytes())
    writer.add(f"{PAGES}/{folder.name}/{archive.RECORD}", record)
