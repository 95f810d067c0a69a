"""`python -m app`, as a real process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError

import pytest

from app import __main__
from app.core.database import Database
from app.core.keys import KeyRing, KeyStore
from app.core.settings import Settings
from app.core.store import ModelStore
from tests.fakes import rawg
from tests.worlds import publish

ROOT = Path(__file__).parents[2]
# Nothing is due on whatever day the tests run, but in ten years.
DEFAULTS = {"PYTHONPATH": str(ROOT), "PORT": "0", "RETRAIN_ENABLED": "true", "RETRAIN_CRON": "0 0 29 2 fri"}


class Service:
    """A running service and what it logged so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log = ""
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line

    def wait_for(self, pattern: str, seconds: int = 90) -> str:
        for _ in range(20 * seconds):
            if found := re.search(pattern, self.log):
                return found[0]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        return pytest.fail(f"{pattern!r} is not in the log:\n{self.log}")

    @property
    def address(self) -> str:
        return self.wait_for(r"http://127\.0\.0\.1:\d+")

    def get(self, path: str) -> Any:
        return self._answer(urllib.request.Request(self.address + path))  # noqa: S310  # our own address

    def post(self, path: str, body: object, **headers: str) -> Any:
        content = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(), content)  # noqa: S310  # likewise
        return self._answer(request)

    def _answer(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # likewise
                return json.load(answer)
        except HTTPError as error:
            with error:
                return json.load(error)

    def end(self) -> int:
        code = self.process.wait(timeout=50)  # the machine may be busy
        self._reader.join()
        return code


def at_full_speed() -> dict[str, str]:
    """Environment of a service whose trainer does not wait until nobody else computes: the tests always do."""
    Path("sitecustomize.py").write_text("from app import child\nchild._LEAST_NICE = 0\n")
    return {"PYTHONPATH": f"{Path.cwd()}{os.pathsep}{ROOT}"}


def started(**environment: str) -> AbstractContextManager[Service]:
    """Start `python -m app`."""
    return _started({**os.environ, **DEFAULTS, **environment})


def unmeasured(folder: Path | None = None, /, **environment: str) -> AbstractContextManager[Service]:
    """Start `python -m app` without counting what it and its children run as covered, which takes its time."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return _started({**own, **DEFAULTS, **environment}, folder)


@contextmanager
def _started(environment: dict[str, str], folder: Path | None = None) -> Iterator[Service]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app"],
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    service = Service(process)
    try:
        yield service
    finally:
        process.terminate()
        service.end()
        assert process.stderr is not None
        process.stderr.close()


def test_services_that_start_together_train_once_on_the_starter_and_serve_real_games():
    with unmeasured() as one, unmeasured() as other:
        for service in (one, other):
            answer = service.get("/recommend/12")
            assert len(answer["games"]) == 10
            assert all(game["name"] and game["background_image"] for game in answer["games"])
            assert (answer["data_kind"], service.get("/health/ready")["games"]) == ("simulated", 500)
            assert answer["source"] in {"collaborative", "mixed"}
        assert (one.log + other.log).count("Catalogue: 500 games") == 1
        one.process.send_signal(signal.SIGTERM)
        assert one.end() == 143
    assert len(ModelStore(Path("models")).versions()) == 1


def test_workers_that_start_together_print_one_admin_key():
    publish(ModelStore(Path("models")))
    with unmeasured(WORKERS="2") as one, unmeasured() as other:
        one.wait_for("(?s)startup complete.*startup complete")
        other.wait_for("startup complete")
    [key] = re.findall(r"^The admin key, shown this once: (grk_\S+)$", one.log + other.log, re.MULTILINE)
    assert (one.log + other.log).count("grk_") == 1
    assert KeyRing(KeyStore(Database(Settings().database)).grants()).find(key)


def test_a_service_without_its_database_serves_all_the_same():
    publish(ModelStore(Path("models")))
    with unmeasured(DATABASE_URL="postgresql://me:secret@127.0.0.1:1/games") as service:
        assert service.get("/recommend/ann?n=1")["games"][0]["game_id"] == 30
        service.wait_for("the keys cannot be read")
        assert "secret" not in service.log


def test_with_a_model_the_service_starts_at_once_and_does_not_train():
    publish(ModelStore(Path("models")))
    with unmeasured(LOG_FORMAT="json") as service:
        assert service.get("/recommend/ann?n=1")["games"][0]["game_id"] == 30
        assert "Catalogue:" not in service.log
        first = json.loads(service.log.splitlines()[0])
        assert first["level"] == "info"
        assert "color_message" not in service.log


@pytest.mark.timeout(120)
def test_a_key_turns_the_starter_into_the_live_catalogue_while_it_serves(fake_rawg: rawg.FakeRawg):
    publish(ModelStore(Path("models")))
    fake_rawg.faults = {1: [rawg.slow(1)]}
    environment = {"RAWG_API_KEY": rawg.KEY, "RAWG_BASE_URL": fake_rawg.base_url, **at_full_speed()}
    with unmeasured(**environment) as service:
        assert service.get("/health/ready")["games"] == 6
        service.wait_for("(?s)model loaded.*model loaded", seconds=90)
        assert service.get("/health/ready")["games"] == 100
    asked = len(fake_rawg.requests)
    with unmeasured(**environment) as service:
        assert service.get("/health/ready")["games"] == 100
    assert len(fake_rawg.requests) == asked


def test_a_wrong_key_does_not_take_the_model_away(fake_rawg: rawg.FakeRawg):
    publish(ModelStore(Path("models")))
    with unmeasured(RAWG_API_KEY="wrong", RAWG_BASE_URL=fake_rawg.base_url, **at_full_speed()) as service:
        service.wait_for("training run ended.*RAWG does not know the key")
        assert service.get("/health/ready")["games"] == 6


def test_a_wrong_key_and_no_model_is_an_error(fake_rawg: rawg.FakeRawg):
    with started(RAWG_API_KEY="wrong", RAWG_BASE_URL=fake_rawg.base_url) as service:
        assert service.end() == 1
    lines = service.log.splitlines()
    assert lines[-2].startswith("error: RAWG does not know the key")
    assert lines[-1] == "error: There is no model to serve, and training one failed (see above)."


@pytest.mark.parametrize(
    ("serving", "stop", "code"),
    [
        ("serving", signal.SIGTERM, 143),
        ("serving", signal.SIGINT, 0),
        ("", signal.SIGTERM, 143),
        ("", signal.SIGINT, 130),
    ],
)
def test_the_trainer_does_not_outlive_the_service(
    serving: str, stop: signal.Signals, code: int, fake_rawg: rawg.FakeRawg
):
    if serving:
        publish(ModelStore(Path("models")))
    fake_rawg.faults = {1: [rawg.slow(20)]}
    with started(
        RAWG_API_KEY=rawg.KEY, RAWG_BASE_URL=fake_rawg.base_url, RAWG_TIMEOUT="25", **at_full_speed()
    ) as service:
        if serving:
            service.wait_for("Uvicorn running")
        while not fake_rawg.requests:
            time.sleep(0.02)
        threads = Path(f"/proc/{service.process.pid}/task").iterdir()
        [trainer] = [child for thread in threads for child in (thread / "children").read_text().split()]
        service.process.send_signal(stop)

        assert service.end() == code
        assert "Traceback" not in service.log
        for _ in range(100):
            if not Path(f"/proc/{trainer}").exists():
                break
            time.sleep(0.05)
        else:
            pytest.fail("the trainer lives on")


@pytest.mark.parametrize(
    ("damage", "key"), [("manifest.json", ""), ("popular.npy", ""), ("pointer", rawg.KEY), ("folder", rawg.KEY)]
)
def test_a_broken_model_is_left_to_a_person(damage: str, key: str, fake_rawg: rawg.FakeRawg):
    store = ModelStore(Path("models"))
    version = publish(store)
    if "." in damage:
        (Path("models") / version / damage).write_text("{}")
    elif damage == "pointer":
        (Path("models") / "current").write_text("garbage")
    else:
        (Path("models") / version).rename("away")
    with unmeasured(RAWG_API_KEY=key, RAWG_BASE_URL=fake_rawg.base_url) as service:
        problem = service.get("/health/ready")
        assert problem["type"] == "urn:problem:model-not-loaded"
        assert problem["detail"].startswith("The current model cannot be used")
        service.wait_for("model refused" if "." in damage else "activate another, or train anew|model refused")
    assert not fake_rawg.requests
    assert store.versions() == ([] if damage == "folder" else [version])


def test_a_wrong_setting_stops_the_start_with_one_line():
    with started(PORT="far too high") as service:
        assert service.end() == 1
    assert service.log.count("\n") == 1
    assert service.log.startswith("error: Wrong setting: PORT: Input should be a valid integer")


def test_a_model_folder_that_cannot_be_read_stops_the_start_with_one_line():
    Path("models").write_text("in the way")
    with started() as service:
        assert service.end() == 1
    assert service.log.count("\n") == 1
    assert service.log == "error: models/current: Not a directory\n"


def test_main_serves_with_the_settings(monkeypatch: pytest.MonkeyPatch):
    served: dict[str, object] = {}
    monkeypatch.setenv("PORT", "9001")
    monkeypatch.setenv("WORKERS", "2")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.0/8")
    monkeypatch.setattr("uvicorn.run", lambda app, **options: served.update(options, app=app))
    monkeypatch.setattr("signal.signal", lambda *_args: None)
    publish(ModelStore(Path("models")))

    assert __main__.main() == 0
    assert (served["port"], served["workers"], served["host"]) == (9001, 2, "127.0.0.1")
    assert served["forwarded_allow_ips"] == "10.0.0.0/8"


def test_the_service_imports_no_training_library():
    heavy = {"pandas", "sklearn", "scipy", "pandera", "joblib", "httpx", "training"}
    code = "import sys, app.__main__, app.main; print(*sys.modules)"
    # Coverage would import what it measures.
    plain = {name: value for name, value in os.environ.items() if "COV" not in name}
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True, check=True)

    assert not heavy & set(loaded.stdout.split())
