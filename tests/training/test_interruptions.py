"""Commands as child processes: killed, interrupted, out of disk, and what their output must not hold."""

import os
import resource
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.store import ModelStore
from tests.fakes import rawg
from tests.training.conftest import MakeSettings
from tests.worlds import ids, publish
from training.collection import collect, folder
from training.pages import Collection

ROOT = Path(__file__).parents[2]


def child(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Run a command as a child process in the current folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "training", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def folder_of(collection: Collection) -> Path:
    """Where all collections lie."""
    return collection.folder.parent


def renamed(collection: Collection) -> int:
    """How many games have the name that an update gives them."""
    return sum(record["name"] == "Renamed" for page in collection.pages() for record in page.games)  # type: ignore[index]


@pytest.mark.untraced
@pytest.mark.timeout(180)  # a run that was killed is taken for alive for ten seconds more
def test_kill_9_in_the_middle_of_a_run_leaves_the_model_and_the_next_run_works(fake_rawg: rawg.FakeRawg):
    store = ModelStore(Path("models"))
    version = publish(store)
    env = {"RAWG_BASE_URL": fake_rawg.base_url, "RAWG_API_KEY": rawg.KEY, "RAWG_MAX_GAMES": "100"}
    with child("run", env=env) as process:
        assert process.stderr is not None
        assert any(line.startswith(b"Plays:") for line in process.stderr)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    assert process.returncode == -signal.SIGKILL
    current = store.current() or pytest.fail("nothing is current")
    assert current.manifest.version == version
    with child("run", env=env) as process:
        _, err = process.communicate(timeout=50)
    assert process.returncode == 0, err.decode()
    assert store.current_version() != version
    assert {path.name for path in Path("models").iterdir()} == {"current", ".lock", *store.versions()}


@pytest.mark.untraced
@pytest.mark.parametrize("moment", ["updates/000001.json.gz", "000001.json.gz", "000020.json.gz"])
def test_kill_9_in_the_middle_of_an_update_leaves_the_old_collection_or_the_new_one(
    moment: str, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    fake_rawg.games = [rawg.game(number) for number in range(1, 1001)]
    settings = make_settings(rawg_max_games=1000)
    first = collect(settings)
    for number in range(1, 101):
        fake_rawg.touch(number, today, name="Renamed")
    if moment.startswith("updates"):
        fake_rawg.faults = {3: [rawg.slow(30)]}
    env = {"RAWG_BASE_URL": fake_rawg.base_url, "RAWG_API_KEY": rawg.KEY, "RAWG_MAX_GAMES": "1000"}

    with child("collect", env=env) as process:
        while not any(path != first.folder / moment for path in folder_of(first).glob(f"*/{moment}")):
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    left = folder(settings).latest() or pytest.fail("no collection is left")
    assert renamed(left) == (0 if left == first else 100)
    asked_before = len(fake_rawg.requests)
    fake_rawg.faults = {}
    again = collect(settings)
    assert (renamed(again), len(ids(again))) == (100, 1000)
    assert len(fake_rawg.requests) - asked_before <= 2  # what had come was not asked for again
    folder(settings).keep_only(again)
    assert {path.name for path in folder_of(first).iterdir()} == {"requests.json", again.folder.name}


@pytest.mark.untraced  # whoever counts what the child runs could not write either
def test_a_disk_that_takes_no_more_is_one_clear_line_and_changes_nothing():
    version = publish(ModelStore(Path("models")))
    with child("run") as process:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (200_000, 200_000))
        _, err = process.communicate(timeout=50)

    assert process.returncode == 1
    assert err.decode().splitlines()[-1].endswith(" could not be written to models: File too large.")
    assert {path.name for path in Path("models").iterdir()} == {"current", ".lock", version}


def test_an_interrupted_collection_says_so_in_one_line(fake_rawg: rawg.FakeRawg):
    fake_rawg.faults = {2: [rawg.slow(30)]}
    env = {"RAWG_BASE_URL": fake_rawg.base_url, "RAWG_API_KEY": rawg.KEY, "RAWG_MAX_GAMES": "80"}
    with child("collect", env=env) as process:
        while not fake_rawg.asked_for()[2]:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)

    assert process.returncode == 1
    assert err.decode().splitlines()[-1].startswith("error: Interrupted; the pages collected so far are kept")
    assert b"Traceback" not in err
    with child("collect", env=env) as process:
        process.communicate(timeout=20)
    assert (process.returncode, fake_rawg.asked_for()) == (0, {1: 1, 2: 2})


@pytest.mark.untraced
def test_log_lines_of_http_libraries_never_show_the_key(fake_rawg: rawg.FakeRawg):
    env = {"RAWG_BASE_URL": fake_rawg.base_url, "RAWG_API_KEY": rawg.KEY, "LOG_LEVEL": "DEBUG"}
    with child("collect", env=env) as process:
        out, err = process.communicate(timeout=20)

    assert process.returncode == 0
    assert rawg.KEY.encode() not in out + err
