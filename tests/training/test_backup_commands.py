"""The commands `backup` and `restore`: to files, through pipes, not on terminals, and killed midway."""

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from app.core.database import Database
from app.core.store import ModelStore
from tests.backups import CURRENT, files_in, furnish, settings_in
from tests.training.conftest import Command
from tests.training.test_interruptions import child

OTHER = {"DATA_DIR": "other", "MODEL_STORE": "other/models"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = furnish(settings_in("data")).settings
    monkeypatch.setenv("MODEL_STORE", str(settings.model_store))


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OTHER.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("world")
def test_a_file_is_for_its_owner_alone_and_comes_back(command: Command, monkeypatch: pytest.MonkeyPatch):
    Path("backup.tar.gz").write_bytes(b"an older one")

    done = command("backup", "backup.tar.gz")

    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[-1] == "Backed up 4 interactions, 1 keys, 2 runs."
    assert Path("backup.tar.gz").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in Path().iterdir() if "backup" in path.name] == ["backup.tar.gz"]
    elsewhere(monkeypatch)
    done = command("restore", "backup.tar.gz")
    assert done.code == 0
    assert "Restored 4 interactions, 1 keys, 2 runs and 1 version, as they were on 20" in done.err
    assert "error: The database other/interactions.db has interactions" in command("restore", "backup.tar.gz").err
    assert command("restore", "backup.tar.gz", "--replace").code == 0
    assert "error: nowhere: No such file" in command("restore", "nowhere").err
    assert "No such file" in command("backup", "nowhere/backup.tar.gz").err


@pytest.mark.usefixtures("world")
def test_pipes_are_taken_and_terminals_are_not(command: Command, monkeypatch: pytest.MonkeyPatch):
    with Path("backup.tar.gz").open("w") as to, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", to)
        assert command("backup", "-").code == 0
    manifest = settings_in("data").model_store / CURRENT / "manifest.json"
    manifest.write_bytes(b"{}")
    with Path("broken.tar.gz").open("w") as to, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", to)
        command("backup", "-")
    ours, terminal = os.openpty()
    with closing(os.fdopen(terminal, "w")) as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stdin", stream)
        for name in ("backup", "restore"):
            done = command(name, "-")
            assert (done.code, "not for a terminal" in done.err) == (2, True)
    os.close(ours)
    elsewhere(monkeypatch)
    for name, warns in (("backup.tar.gz", False), ("broken.tar.gz", True)):
        with Path(name).open() as source, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", source)
            done = command("restore", "-", "--replace")
            assert (done.code, "warning: the current version cannot be used here" in done.err) == (0, warns)


@pytest.mark.usefixtures("world")
def test_a_reader_that_goes_away_is_one_clear_line(command: Command, monkeypatch: pytest.MonkeyPatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as to, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", to)
        done = command("backup", "-")
    assert (done.code, done.err.splitlines()[-1]) == (1, "error: Whoever read the backup stopped before its end.")


@pytest.mark.untraced
@pytest.mark.usefixtures("world")
def test_kill_9_midway_leaves_an_empty_place_and_once_more_works(command: Command, monkeypatch: pytest.MonkeyPatch):
    command("backup", "backup.tar.gz")
    elsewhere(monkeypatch)
    Path("other/models").mkdir(parents=True)
    with (
        FileLock("other/models/.lock"),
        child("restore", "backup.tar.gz") as process,
    ):  # the rows are in, not the models
        assert process.stderr is not None
        assert any(line.startswith(b"Restoring: 17 of 17") for line in process.stderr)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    store = ModelStore(Path("other/models"))
    assert (store.versions(), store.state()) == ([], {})
    with closing(Database(settings_in("other").database)) as database:
        assert database.revision() is None
    assert not Path("other/rawg").exists()
    assert command("restore", "backup.tar.gz").code == 0
    assert files_in(Path("other/models")) == files_in(Path("data/models"))
    assert not list(Path("other").rglob("*restore-*"))
