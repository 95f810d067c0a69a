"""Reads a backup back, all of it or nothing: on the same machine or another, on SQLite or PostgreSQL."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import sqlalchemy as sa
from filelock import FileLock, Timeout

from app.core.database import REVISION, Database
from app.core.errors import ArtifactError, RestoreRefusedError
from app.core.files import flush
from app.core.run import State
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.tables import interactions, keys, metadata, runs
from training import archive, table_rows
from training.archive import DATABASE, MODELS, PAGES, Description
from training.ledger import RequestLedger
from training.progress import bar, say
from training.withdrawals import Withdrawals

_CUT_OFF = "It was going on, or waited, when the backup was made."
_ASIDE = ".restore-"  # before the names of folders that a backup is unpacked into


@dataclass(frozen=True)
class Restored:
    """What was restored: the backup's description, how many rows of each table, and the versions.

    `problem` says why the current version cannot be used here, where that is so.
    """

    description: Description
    rows: dict[str, int]
    versions: list[str]
    current: str | None
    problem: str | None


def restore(settings: Settings, source: BinaryIO, *, replace: bool = False) -> Restored:
    """Read a backup into the database, the model store and the folder of pages that the settings name.

    What is there goes, if `replace` is set; but a player erased, or a key revoked, since the backup was made stays so.
    Raises `RestoreRefusedError` where something is there otherwise, or the backup is not whole or of a newer program:
    then nothing is changed. Whatever else stops it leaves the database as it was.
    """
    with closing(Database(settings.database)) as database, _alone(settings), ExitStack() as folders:
        target = _Target(database, ModelStore(settings.model_store), settings, replace=replace)
        target.refuse_what_is_there()
        data = folders.enter_context(_aside(settings.data_dir, "data"))
        models = folders.enter_context(_aside(settings.model_store, "models"))
        places = {DATABASE: data / DATABASE, PAGES: data / PAGES, MODELS: models}
        say("Unpacking the backup.")
        description = archive.unpack(source, places)
        if description.revision > REVISION:
            raise RestoreRefusedError(
                f"The backup was made by a newer program, {description.program}: restore it with that one."
            )
        return target.take(description, places)


class _Target:
    """What a backup is restored into."""

    def __init__(self, database: Database, store: ModelStore, settings: Settings, *, replace: bool) -> None:
        self._database = database
        self._store = store
        self._pages = settings.data_dir / PAGES
        self._replace = replace

    def refuse_what_is_there(self) -> None:
        """Refuse before anything is read that could take long; what counts is asked again in the end."""
        revision = self._database.revision()
        if revision is not None and revision > REVISION:
            raise RestoreRefusedError(f"The database {self._database.name} is a newer program's; use another one.")
        if revision is not None:
            with self._database.read() as connection:
                self._refuse_rows(connection)
        self._refuse_models()
        if not self._replace and any(self._pages.glob(f"*/{archive.RECORD}")):
            raise _not_empty("The data folder has collected pages")

    def take(self, description: Description, places: dict[str, Path]) -> Restored:
        """Take over what was unpacked: the rows in one transaction, the models within it, the pointer last."""
        state, versions = _contents(places[MODELS])
        self._prepare_pages(places[PAGES])
        for file in (path for name in (MODELS, PAGES) for path in places[name].rglob("*")):
            flush(file)
        with ExitStack() as writing:
            with self._database.reshaping() as connection:
                rows = self._fill(connection, description, places[DATABASE])
                writing.enter_context(self._store.one_writer())
                self._refuse_models()
                self._store.place(places[MODELS])
            self._swap_pages(places[PAGES])
            self._store.take_over(state, versions)
        return Restored(description, rows, versions, *_current(self._store))

    def _fill(self, connection: sa.Connection, description: Description, folder: Path) -> dict[str, int]:
        """Make the tables anew as the backup's program had them, fill them, and bring them up to date."""
        since = Withdrawals()
        if sa.inspect(connection).has_table(interactions.name):
            self._refuse_rows(connection)
            since = Withdrawals.since(connection, description.created_at)
        _drop_all(connection)
        self._database.upgrade(connection, description.revision)
        with bar("Restoring", "rows") as advance:
            rows = table_rows.fill(connection, description.tables, folder, since.leave, advance)
        self._database.upgrade(connection)
        since.repeat(self._database, connection)
        _end_runs(connection, description.created_at)
        return rows

    def _prepare_pages(self, folder: Path) -> None:
        """Leave whole collections; and no request that RAWG had is forgotten, whichever side knows of it."""
        folder.mkdir(exist_ok=True)
        for cut_off in [path for path in folder.iterdir() if path.is_dir() and not (path / archive.RECORD).exists()]:
            shutil.rmtree(cut_off)
        _ledger(folder).learn(_ledger(self._pages))

    def _swap_pages(self, folder: Path) -> None:
        if self._pages.exists():
            self._pages.rename(folder.with_name("before"))
        folder.rename(self._pages)

    def _refuse_rows(self, connection: sa.Connection) -> None:
        for table, what in ((interactions, "interactions"), (keys, "keys")):
            if not self._replace and connection.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)):
                raise _not_empty(f"The database {self._database.name} has {what}")

    def _refuse_models(self) -> None:
        # Without a pointer there is only what a killed process left: of a first publication, or of another restore.
        if not self._replace and self._store.state() and not all(map(self._is_a_first_model, self._store.versions())):
            raise _not_empty("The model store has versions")

    def _is_a_first_model(self, version: str) -> bool:
        """Say whether it is what every first start has, an image too: nobody loses it."""
        try:
            manifest = self._store.manifest(version)
        except ArtifactError:
            return False
        return manifest.catalogue_source == "starter" and manifest.data_kind == "simulated"


def _not_empty(what: str) -> RestoreRefusedError:
    return RestoreRefusedError(f"{what}: `--replace` puts the backup in their place; nothing was changed.")


def _contents(models: Path) -> tuple[dict[str, bytes], list[str]]:
    """Read the store's own files, and the names of the versions."""
    state = {file.name: file.read_bytes() for file in models.iterdir() if file.is_file()}
    return state, sorted(folder.name for folder in models.iterdir() if folder.is_dir())


def _current(store: ModelStore) -> tuple[str | None, str | None]:
    """Name the current version, and why it cannot be used here."""
    version = None
    try:
        version = store.current_version()
        store.current()
    except ArtifactError as unusable:
        return version, str(unusable)
    return version, None


def _drop_all(connection: sa.Connection) -> None:
    metadata.drop_all(connection)
    sa.Table("alembic_version", sa.MetaData()).drop(connection, checkfirst=True)


def _end_runs(connection: sa.Connection, at: float) -> None:
    """End the runs that had not ended: nobody is alarmed, and none is started again."""
    going_on = runs.c.state.in_((State.QUEUED, State.RUNNING))
    ended = {"state": State.CANCELLED, "ended_at": at, "expires_at": None, "error": _CUT_OFF}
    connection.execute(sa.update(runs).where(going_on).values(ended))


def _ledger(pages: Path) -> RequestLedger:
    return RequestLedger(pages / "requests.json", 0)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Keep out other restores, and collections."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.data_dir / "collect.lock", timeout=0):
            yield
    except Timeout:
        raise RestoreRefusedError(
            "A collection or a restore is going on here: wait for it to end, or stop the service."
        ) from None


@contextmanager
def _aside(root: Path, of: str) -> Iterator[Path]:
    """Give a folder on the disk of another, which goes at the end, as does what a killed process left."""
    root.mkdir(parents=True, exist_ok=True)
    for left in root.glob(f"{_ASIDE}{of}-*"):
        shutil.rmtree(left)
    with TemporaryDirectory(prefix=f"{_ASIDE}{of}-", dir=root) as folder:
        yield Path(folder)
