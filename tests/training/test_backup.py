"""A backup brought back: the same answers, keys and rows, on the other kind of database."""

import io
import json
import re
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.core.database import REVISION, Database
from app.core.errors import BackupFailedError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.keys import KeyStore, Scope, id_of
from app.core.run import State
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.main import create_app
from tests.backups import (
    CURRENT,
    OLDER,
    REJECTED,
    backup_of,
    files_in,
    furnish,
    ledger,
    members_of,
    publish_others,
    rows_of,
    settings_in,
)
from tests.worlds import publish
from training.backup import back_up
from training.pages import CollectionFolder
from training.restore import restore

ASKED = (
    "/recommend/ann?explain=true",
    "/recommend/zoë%2F1?n=3",
    "/recommend/new\u200b",
    "/recommend/erased",
    "/recommend/nobody?genre=Puzzle",
    "/recommend/ann/why/60",
    "/games/trending",
)


def answers(settings: Settings, key: str) -> list[bytes]:
    """What a service answers, without what is new in every answer; the key opens it."""
    with TestClient(create_app(settings)) as client:
        found = [client.get(path).content for path in ASKED]
        assert client.post("/interactions", json=[], headers={"X-API-Key": key}).status_code == 422  # not 401
        assert client.post("/interactions", json=[], headers={"X-API-Key": f"{key}x"}).status_code == 401
    return [re.sub(rb'"recommendation_id":"\w+"', b"", answer) for answer in found]


@pytest.fixture(params=["sqlite to postgres", "postgres to sqlite"])
def there_and_back(request: pytest.FixtureRequest) -> tuple[str | None, str | None]:
    """The URLs of two databases, the second one empty; None stands for a file of the service's own."""
    if request.param == "sqlite to postgres":
        return None, request.getfixturevalue("postgres_url")
    return request.getfixturevalue("migrated_postgres"), None


def test_a_copy_gives_the_same_answers_to_the_same_keys(there_and_back: tuple[str | None, str | None]):
    world = furnish(settings_in("one", there_and_back[0]))
    publish_others(world.settings)
    copy = settings_in("other", there_and_back[1])
    was = rows_of(world.settings)

    restored = restore(copy, io.BytesIO(backup_of(world.settings)))

    assert (restored.current, restored.problem, restored.versions) == (CURRENT, None, [OLDER, CURRENT, REJECTED])
    assert restored.rows["interactions"] == 4
    found = rows_of(copy)
    for name in was.keys() - {"runs", "notices", "documents"}:
        assert found[name] == was[name], name
    assert len(found["notices"]) == len(was["notices"]) - 1  # what is still to be told is told once
    assert [name for name, _, _ in found["documents"]] == ["run_counts", "validation"]
    assert b"never-to-be-copied" not in b"".join(content for _, content in members_of(backup_of(world.settings)))
    assert files_in(copy.model_store) == files_in(world.settings.model_store)
    assert files_in(copy.data_dir / "rawg") == files_in(world.settings.data_dir / "rawg")
    assert not [path for path in (*copy.data_dir.iterdir(), *copy.model_store.iterdir()) if "restore" in path.name]
    assert answers(copy, world.key) == answers(world.settings, world.key)


def test_runs_that_had_not_ended_are_not_taken_up_by_the_copy():
    world = furnish(settings_in("one"))
    restore(settings_in("other"), io.BytesIO(backup_of(world.settings)))
    with closing(Database(settings_in("other").database)) as database:
        runs = RunStore(database)
        assert runs.going_on() is None
        found = {run.state: run for run in runs.newest(2)[1]}
    assert found.keys() == {State.SUCCEEDED, State.CANCELLED}
    cut_off = found[State.CANCELLED]
    assert cut_off.error == "It was going on, or waited, when the backup was made."
    assert cut_off.ended_at


def test_what_was_withdrawn_since_stays_so(migrated_url: str):
    settings = settings_in("one", migrated_url)
    with closing(Database(migrated_url)) as database:
        players, keys = InteractionStore(database), KeyStore(database)
        players.write([Interaction("stays", 10, Kind.PLAY), Interaction("goes", 10, Kind.PLAY, event_id="e")])
        players.try_out(Interaction("tried", 10, Kind.PLAY))
        shop, lost = (keys.make(Scope.WRITE, name) for name in ("shop", "lost"))
        backup = backup_of(settings)
        players.erase("goes")
        players.erase("tried")
        keys.revoke(id_of(lost))
        players.write([Interaction("later", 10, Kind.PLAY)])
        publish(ModelStore(settings.model_store), CURRENT)
        erased = players.erased()

        restore(settings, io.BytesIO(backup), replace=True)

        assert [row[0] for row in players.rows()] == ["stays"]
        assert players.erased() == erased
        assert keys.grants().keys() == {id_of(shop)}
    assert (rows_of(settings)["events"], rows_of(settings)["tried_out"]) == ([], [])
    assert ModelStore(settings.model_store).versions() == []
    assert ModelStore(settings.model_store).state() == {}


def test_a_service_goes_on_over_what_is_put_in_place_of_its_own(migrated_url: str):
    world = furnish(settings_in("one", migrated_url))
    asked = "/recommend/ann?n=2&explain=true"
    with TestClient(create_app(world.settings)) as client:
        was = client.get(asked).json()
        backup = backup_of(world.settings)
        client.post(
            "/interactions",
            json={"user_id": "ann", "game_id": was["games"][0]["game_id"], "kind": "hide"},
            headers={"X-API-Key": world.key},
        )
        assert client.get(asked).json()["games"] != was["games"]

        restore(world.settings, io.BytesIO(backup), replace=True)
        client.get(asked)  # a connection to PostgreSQL may still have the old tables in mind

        assert client.get(asked).json() | {"recommendation_id": ""} == was | {"recommendation_id": ""}


def test_a_backup_of_an_older_revision_is_brought_up_to_date(database_url: str):
    old = settings_in("one")
    with closing(Database(old.database)) as database, database.reshaping() as connection:
        database.upgrade(connection, "0001")
        connection.execute(sa.text("INSERT INTO interactions VALUES ('ann', 10, 1, 2.5, NULL)"))

    restore(settings_in("other", database_url), io.BytesIO(backup_of(old)))

    with closing(Database(database_url)) as database:
        assert database.revision() == REVISION
        assert list(InteractionStore(database).rows()) == [("ann", 10, 1, 2.5, None)]


def test_no_request_to_rawg_is_forgotten():
    world = furnish(settings_in("one"))
    copy = settings_in("other")
    collect_folder = CollectionFolder(copy.data_dir / "rawg")
    collect_folder.start("https://rawg.test", {})
    for _ in range(5):
        ledger(copy).spend()

    restore(copy, io.BytesIO(backup_of(world.settings)), replace=True)

    assert ledger(copy).spent == 5
    assert collect_folder.latest() == CollectionFolder(copy.data_dir / "rawg").latest()
    latest = collect_folder.latest() or pytest.fail("nothing was collected")
    assert latest.numbers() == [1, 2]
    assert len(list((copy.data_dir / "rawg").iterdir())) == 2


def test_what_changes_meanwhile_is_left_out():
    world = furnish(settings_in("one"))
    publish_others(world.settings)
    folder = CollectionFolder(world.settings.data_dir / "rawg")
    started = folder.start("https://rawg.test", {"tags": "1"})
    (started.folder / "000001.json.gz").symlink_to("gone")  # as one that goes between two looks
    (whole,) = world.settings.data_dir.glob("rawg/*/000002.json.gz")
    whole.with_name("what else.json.gz").touch()
    (world.settings.model_store / OLDER / "report.md").symlink_to("gone")

    names = [name for name, _ in members_of(backup_of(world.settings))]

    assert not [name for name in names if name.startswith((f"rawg/{started.folder.name}/", f"models/{OLDER}/"))]
    assert f"rawg/{whole.parent.name}/collection.json" in names
    assert not [name for name in names if "what else" in name]
    assert f"models/{REJECTED}/manifest.json" in names
    (world.settings.model_store / CURRENT / "report.md").symlink_to("gone")
    with pytest.raises(BackupFailedError, match=f"{CURRENT} was removed while it was read"):
        backup_of(world.settings)


def test_a_collection_without_its_record_does_not_come_back():
    world = furnish(settings_in("one"))
    (page,) = (world.settings.data_dir / "rawg").glob("*/000002.json.gz")
    page.unlink()
    page.symlink_to("gone")

    restore(settings_in("other"), io.BytesIO(backup_of(world.settings)))

    assert [path.name for path in Path("other/rawg").iterdir()] == ["requests.json"]


def test_without_a_database_of_this_program_there_is_nothing_to_back_up():
    with pytest.raises(BackupFailedError, match=r"no database of this program at one/interactions\.db"):
        back_up(settings_in("one"), io.BytesIO())
    settings = settings_in("two")
    with closing(Database(settings.database)) as database, database.reshaping() as connection:
        database.upgrade(connection)
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BackupFailedError, match="written by a newer program"):
        back_up(settings, io.BytesIO())


def test_an_empty_service_has_a_backup_too(migrated_sqlite: str):
    restored = restore(settings_in("other"), io.BytesIO(backup_of(settings_in("one", migrated_sqlite))))

    assert (restored.current, restored.problem, restored.versions) == (None, None, [])


def test_a_current_version_that_cannot_be_used_is_told():
    world = furnish(settings_in("one"))
    manifest = world.settings.model_store / CURRENT / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_bytes()), "format_version": 1}))

    restored = restore(settings_in("other"), io.BytesIO(backup_of(world.settings)))

    assert restored.current == CURRENT
    assert "has format 1" in (restored.problem or "")
