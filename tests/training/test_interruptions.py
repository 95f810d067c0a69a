"""Commands as child processes: killed, interrupted, out of disk, and what their output must not hold."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.core.store import ModelStore
from tests.fakes import rawg
from tests.worlds import publish

ROOT = Path(__file__).parents[2]


def child(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Run a command as a child process in the current folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "training", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("step", ["Collecting: 40", "Plays:"])
def test_kill_9_in_the_middle_of_a_run_leaves_the_model_and_the_next_run_works(step: str, fake_rawg: rawg.FakeRawg):
    store = ModelStore(Path("models"))
    version = publish(store)
    env = {"RAWG_BASE_URL": fake_rawg.base_url, "RAWG_API_KEY": rawg.KEY, "RAWG_MAX_GAMES": "100"}
    with child("run", env=env) as process:
        assert process.stderr is not None
        assert any(line.startswith(step.encode()) for line in process.stderr)
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


def test_a_disk_that_takes_no_more_is_one_clear_line_and_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if "COV" in name]:
        monkeypatch.delenv(name)  # whoever measures the child could not write either
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


def test_log_lines_of_http_libraries_never_show_the_key(fake_rawg: rawg.FakeRawg):
    env = {"RAWG_BASE_URL": fake_rawg.base_url, "RAWG_API_KEY": rawg.KEY, "LOG_LEVEL": "DEBUG"}
    with child("collect", env=env) as process:
        out, err = process.communicate(timeout=20)

    assert process.returncode == 0
    assert rawg.KEY.encode() not in out + err
