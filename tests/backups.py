"""A service with something of everything, and backups of it, whole or not."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from pydantic import SecretStr

from app.core.database import Database
from app.core.documents import PAGE_SECRET, Documents
from app.core.hidden_games import HiddenGames
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.keys import KeyStore, Scope
from app.core.notices import Notices
from app.core.outcomes import OutcomeStore
from app.core.run import State, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.tables import metadata
from tests.worlds import publish
from training.backup import back_up
from training.ledger import RequestLedger, utc_now
from training.pages import CollectionFolder
from training.rawg import Page

OLDER, CURRENT, REJECTED = "20260101T000000-000000", "20260102T000000-000000", "20260103T000000-000000"
ANSWER = f"{int(datetime(2026, 1, 5, tzinfo=UTC).timestamp() * 1000):012x}{7:020x}"
PAGE = Page.parse(b'{"count": 1, "next": null, "results": [{"id": 10}]}')

Member = tuple[str, bytes]


class World(NamedTuple):
    """A service's settings, and a key that opens it."""

    settings: Settings
    key: str


def settings_in(folder: str, url: str | None = None) -> Settings:
    """Settings of a service of its own; its database is a file in the folder unless a URL is given."""
    root = Path(folder)
    return Settings(
        data_dir=root, model_store=root / "models", database_url=SecretStr(url) if url else None, retrain_enabled=False
    )


def furnish(settings: Settings) -> World:
    """Fill a service: players, a hidden game, a version, runs, pages, an answer."""
    with closing(Database(settings.database)) as database:
        store = InteractionStore(database)
        store.prepare()
        store.write(
            [
                Interaction("ann", 10, Kind.PLAY, 12.5, 1.7e9, event_id="e1"),
                Interaction("zoë/1", 20, Kind.RATING, 0.1 + 0.2),
                Interaction("new\u200b", 10, Kind.LIKE, recommendation_id=ANSWER),
                Interaction("erased", 10, Kind.PLAY),
            ]
        )
        store.try_out(Interaction("tried", 30, Kind.PLAY))
        store.erase("erased")
        HiddenGames(database).hide(60)
        OutcomeStore(database).log([(ANSWER, CURRENT, 5)])
        Documents(database).put(PAGE_SECRET, "never-to-be-copied")
        Documents(database).put("validation", {"rows": 3})
        runs = RunStore(database)
        runs.end(runs.begin(Trigger.COMMAND).run_id, State.SUCCEEDED)
        told = Notices(database).claim()
        assert told is not None
        Notices(database).done(told)
        runs.begin(Trigger.COMMAND)
        Notices(database).add("run", {"run_id": "still to be told"})
        key = KeyStore(database).make(Scope.WRITE, "shop")
    publish(ModelStore(settings.model_store), CURRENT)
    collect(settings)
    return World(settings, key)


def publish_others(settings: Settings) -> None:
    """Publish an older version, and a newer one, which was taken back."""
    store = ModelStore(settings.model_store)
    publish(store, OLDER)
    store.activate(CURRENT)
    publish(store, REJECTED)
    store.roll_back(REJECTED, "Its answers were worse.")


def collect(settings: Settings) -> None:
    """Keep a collection of two pages, for three requests."""
    folder = CollectionFolder(settings.data_dir / "rawg")
    collection = folder.start("https://rawg.test", {})
    for number in (1, 2):
        collection.write(number, PAGE)
    folder.finish(collection, 1, utc_now())
    for _ in range(3):
        ledger(settings).spend()


def ledger(settings: Settings) -> RequestLedger:
    """How many requests RAWG had."""
    return RequestLedger(settings.data_dir / "rawg" / "requests.json", 1000)


def rows_of(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a service's database."""
    with closing(Database(settings.database)) as database, database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def files_in(folder: Path) -> dict[str, bytes]:
    """All files under a folder, but locks."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def backup_of(settings: Settings) -> bytes:
    """A whole backup."""
    written = io.BytesIO()
    back_up(settings, written)
    return written.getvalue()


def members_of(backup: bytes) -> list[Member]:
    """The files in a backup but the digests."""
    with tarfile.open(fileobj=io.BytesIO(backup)) as tar:
        files = [(member.name, tar.extractfile(member)) for member in tar]
        return [(name, file.read()) for name, file in files if file and name != "SHA256SUMS"]


def packed(members: list[Member], also: Callable[[tarfile.TarFile], None] = lambda _: None) -> bytes:
    """A backup of these files, with the right digests; `also` adds what else is to be in it."""
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in members)
    written = io.BytesIO()
    with gzip.open(written, "wb") as file, tarfile.open(fileobj=file, mode="w|") as tar:
        for name, content in members:
            put(tar, name, content)
        also(tar)
        put(tar, "SHA256SUMS", sums.encode())
    return written.getvalue()


def put(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to a tar."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
