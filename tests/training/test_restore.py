"""What is no whole backup, or would overwrite something, is refused, and nothing is changed."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from app.core.database import REVISION, Database
from app.core.errors import DatabaseError, RestoreRefusedError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.keys import KeyStore, Scope
from app.core.settings import Settings
from app.core.store import ModelStore
from tests.backups import (
    Member,
    backup_of,
    collect,
    files_in,
    furnish,
    members_of,
    packed,
    put,
    rows_of,
    settings_in,
)
from tests.worlds import publish
from training.restore import restore


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return backup_of(furnish(settings_in(str(tmp_path_factory.mktemp("backup")))).settings)


@pytest.fixture(scope="module")
def members(backup: bytes) -> list[Member]:
    """The files of a backup without models."""
    return [member for member in members_of(backup) if not member[0].startswith("models/2")]


def refused(given: bytes, settings: Settings | None = None, *, replace: bool = False) -> str:
    """Why a backup is refused; nothing is changed by it."""
    settings = settings or settings_in("other")
    was = kept_in(settings)
    with pytest.raises(RestoreRefusedError) as why:
        restore(settings, io.BytesIO(given), replace=replace)
    assert kept_in(settings) == was
    assert not list(settings.data_dir.rglob(".restore-*"))
    return str(why.value)


def kept_in(settings: Settings) -> tuple[object, ...]:
    """What a service has; a file of SQLite's without a table is nothing."""
    with closing(Database(settings.database)) as database:
        rows = rows_of(settings) if database.revision() == REVISION else None
    files = {name: content for name, content in files_in(settings.data_dir).items() if "interactions.db" not in name}
    return rows, files


def described(members: list[Member], **changes: object) -> list[Member]:
    """The same backup, described otherwise."""
    (name, text), *others = members
    return [(name, json.dumps({**json.loads(text), **changes}).encode()), *others]


def test_what_is_cut_off_is_refused(backup: bytes):
    for length in (0, 1, 9, 10, 500):
        assert refused(backup[:length]) == "This is no backup of this program."
    for share in (0.3, 0.6, 0.9):
        assert "cut off" in refused(backup[: int(share * len(backup))])
    assert "cut off" in refused(backup[:-1])


def test_what_is_altered_is_refused(backup: bytes, members: list[Member]):
    for place in (
        len(backup) // 3,
        len(backup) // 2,
        len(backup) - 8,
    ):  # packed, one bit alone may say the same as before
        altered = backup[:place] + bytes(~byte & 0xFF for byte in backup[place : place + 8]) + backup[place + 8 :]
        assert "cut off or damaged" in refused(altered)
    (name, content), *_ = [member for member in members if "interactions" in member[0]]
    swapped = gzip.decompress(backup).replace(content, content.replace(b"ann", b"eve"))
    assert name
    assert "its digests do not match" in refused(gzip.compress(swapped))


def test_what_is_foreign_is_refused(members: list[Member]):
    assert refused(b"user_id,game_id\n") == "This is no backup of this program."
    for others in ([], [("plays.csv", b"x")], [("backup.json", b"{}")]):
        assert refused(packed(others)) == "This is no backup of this program."

    def without_digests(tar: tarfile.TarFile) -> None:
        tar.addfile(tarfile.TarInfo("SHA256SUMS"))

    assert "digests do not match" in refused(packed(members, without_digests))
    unsealed = io.BytesIO()
    with gzip.open(unsealed, "wb") as file, tarfile.open(fileobj=file, mode="w|") as tar:
        for name, content in members:
            put(tar, name, content)
    assert "it has no end" in refused(unsealed.getvalue())


def test_what_a_newer_program_made_is_refused(members: list[Member]):
    assert "by a newer program, 0.1.0, in format 2" in refused(packed(described(members, format=2)))
    assert "made by a newer program" in refused(packed(described(members, revision="9999")))
    with pytest.raises(DatabaseError, match="newer program"):
        restore(settings_in("other"), io.BytesIO(packed(described(members, revision="0000"))))


def link(name: str) -> Callable[[tarfile.TarFile], None]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return lambda tar: tar.addfile(member)


def huge(tar: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("models/20260101T000000-000000/huge.npy")
    member.size = 2**60
    tar.fileobj.write(member.tobuf())


def test_what_would_leave_its_place_is_refused(members: list[Member]):
    outside = Path("evil").resolve()
    for name in (
        str(outside),
        "../evil",
        "models/../../evil",
        "models/20260101T000000-000000/../../../evil",
        "models/20260101T000000-000000/..",
        "models/20260101T000000-000000/.hidden",
        "models/20260101T000000-000000/deep/er",
        "models/evil/a.npy",
        "database/interactions/../000001.jsonl",
        "rawg/../../000001.json.gz",
        "rawg/requests.json/collection.json/evil",
        "evil",
        "backup.json",
        members[1][0],  # twice
    ):
        assert "does not belong into it" in refused(packed([*members[:2], (name, b"x")])), name
    assert "does not belong into it" in refused(packed(members, link("models/20260101T000000-000000/a.npy")))
    assert "has not enough room" in refused(packed(members, huge))
    assert "backup.json is not what it should be" in refused(packed([], link("backup.json")))
    assert not outside.exists()


def test_rows_that_are_not_as_described_are_refused(members: list[Member]):
    tables = json.loads(members[0][1])["tables"]

    def altered(name: str, **changes: object) -> bytes:
        return packed(described(members, tables={**tables, name: {**tables.get(name, {"rows": 0}), **changes}}))

    assert "has 4 rows of interactions, and says 5" in refused(altered("interactions", rows=5))
    assert "columns of keys that this program does not know" in refused(altered("keys", columns=["key_id", "evil"]))
    assert "a table 'leases', which this program does not know" in refused(altered("leases", columns=["name"]))
    assert "rows of interactions cannot be read" in refused(altered("interactions", columns=["user_id"]))


def test_rows_that_the_database_does_not_take_leave_it_as_it_was(members: list[Member], database_url: str):
    settings = settings_in("other", database_url)
    repeated = [(name, content * 2 if "hidden_games" in name else content) for name, content in members]
    with pytest.raises(DatabaseError, match=r"UNIQUE constraint failed|duplicate key value"):
        restore(settings, io.BytesIO(packed(repeated)))
    assert files_in(settings.model_store) == {}
    with closing(Database(database_url)) as database:
        assert database.revision() is None


def put_interaction(settings: Settings) -> None:
    InteractionStore.open(settings.database).write([Interaction("ann", 10, Kind.PLAY)])


def make_key(settings: Settings) -> None:
    store = KeyStore(Database(settings.database))
    store.prepare()
    store.make(Scope.READ, "shop")


def publish_one(settings: Settings) -> None:
    publish(ModelStore(settings.model_store), data_kind="observed")


def publish_one_that_cannot_be_read(settings: Settings) -> None:
    store = ModelStore(settings.model_store)
    (settings.model_store / publish(store) / "manifest.json").write_text("{")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (put_interaction, "interactions"),
        (make_key, "keys"),
        (publish_one, "versions"),
        (publish_one_that_cannot_be_read, "versions"),
        (collect, "collected pages"),
    ],
)
def test_what_is_there_is_not_overwritten_unless_that_is_said(
    make: Callable[[Settings], None], what: str, backup: bytes, migrated_sqlite: str
):
    settings = settings_in("data", migrated_sqlite)
    make(settings)

    assert f"has {what}: `--replace`" in refused(backup, settings)
    assert restore(settings, io.BytesIO(backup), replace=True).rows["interactions"] == 4


def test_the_model_that_every_first_start_has_makes_room(backup: bytes, migrated_sqlite: str):
    settings = settings_in("data", migrated_sqlite)
    publish(ModelStore(settings.model_store), "20250101T000000-000000")

    restored = restore(settings, io.BytesIO(backup))

    assert ModelStore(settings.model_store).versions() == restored.versions


def test_the_database_of_a_newer_program_is_left_alone(backup: bytes, migrated_sqlite: str):
    settings = settings_in("data", migrated_sqlite)
    with closing(Database(migrated_sqlite)) as database, database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    assert "is a newer program's" in refused(backup, settings, replace=True)


def test_nothing_is_restored_while_pages_are_collected(backup: bytes):
    Path("other").mkdir()
    with FileLock("other/collect.lock"):
        assert "A collection or a restore is going on here" in refused(backup)


def test_what_a_killed_restore_left_is_removed(backup: bytes):
    for left in ("other/.restore-data-x/database", "other/models/.restore-models-x/y"):
        Path(left).mkdir(parents=True)
    publish(ModelStore(Path("elsewhere")))
    Path("elsewhere/20260101T000000-000000").rename("other/models/20260101T000000-000000")
    Path("other/models/20260101T000000-000000/report.md").touch()

    padded = gzip.compress(gzip.decompress(backup) + bytes(30_000), 1)  # as some programs do
    restore(settings_in("other"), io.BytesIO(padded))

    assert not list(Path("other").rglob("*restore-*"))
    assert not Path("other/models/20260101T000000-000000/report.md").exists()
