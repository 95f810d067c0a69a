"""`/metrics`, of one process and of several."""

import os
import re
import signal
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.core.store import ModelStore
from app.metrics_folder import VARIABLE, metrics_folder
from tests.app.conftest import administered
from tests.app.test_start import Service, started
from tests.app.test_workers import workers
from tests.worlds import artifact, publish

FIRST, SECOND = "20260101T000000-000000", "20260102T000000-000000"
CREATED = "game_recommender_model_created_timestamp_seconds"
KEY = "admin-key-of-the-tests"


def parsed(text: str) -> dict[tuple[str, str], float]:
    """Read metrics: name and label values -> value."""
    return {
        (sample.name, ",".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def read(client: TestClient) -> dict[tuple[str, str], float]:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return parsed(answer.text)


def value(metrics: dict[tuple[str, str], float], name: str, labels: str = "") -> float | None:
    return metrics.get((f"game_recommender_{name}", labels))


def test_what_is_answered_is_counted_once(client: TestClient):
    before = read(client)
    assert value(before, "answers_total", "collaborative") == 0
    client.get("/recommend/ann?n=1")
    client.get("/recommend/ann?n=1")
    client.get("/recommend/ann?offset=50")
    client.get("/recommend/nobody")

    for _ in range(2):
        metrics = read(client)

    assert value(metrics, "answers_total", "collaborative") == 2
    assert value(metrics, "answers_total", "past_the_end") == 1
    assert value(metrics, "answers_total", "unknown_player") == 1
    assert value(metrics, "recommend_seconds_count") == 4
    assert value(metrics, "recommend_seconds_bucket", "+Inf") == 4
    assert 0 < (value(metrics, "recommend_seconds_sum") or 0) < 10


def test_the_model_that_is_live_is_told_and_no_other(admin: TestClient, store: ModelStore):
    store.publish(artifact(SECOND))
    trained_at = read(admin)[CREATED, f"{os.getpid()},{FIRST}"]
    assert trained_at == 1767225600  # 2026-01-01

    admin.post(f"/models/{SECOND}/activate")

    metrics = read(admin)
    assert [labels for name, labels in metrics if name == CREATED] == [f"{os.getpid()},{SECOND}"]
    assert (value(metrics, "model_swaps_total"), value(metrics, "model_refusals_total")) == (1, 0)
    assert value(metrics, "rollbacks_total") == 0


def test_a_refused_model_is_counted(admin: TestClient, store: ModelStore):
    store.publish(artifact(SECOND))
    (Path("models") / SECOND / "popular.npy").unlink()
    (Path("models") / "current").write_text(SECOND)
    admin.app.state.live_model.refresh()  # type: ignore[attr-defined]

    assert value(read(admin), "model_refusals_total") == 1


def test_problems_of_ours_are_counted_by_type(admin: TestClient, monkeypatch: pytest.MonkeyPatch):
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.core.recommender.Recommender.recommend", bug)
    for _ in range(2):
        assert admin.get("/recommend/ann").status_code == 500
    assert admin.get("/recommend/ann?n=0").status_code == 422

    assert value(read(admin), "errors_total", "internal-error") == 2
    metrics = read(admin)
    assert [(name, labels) for name, labels in metrics if name.endswith("_errors_total")] == [
        ("game_recommender_errors_total", "internal-error")
    ]
    assert value(metrics, "errors_total", "internal-error") == 2


def test_metrics_need_no_key_and_no_model():
    with administered() as client:
        del client.headers["X-API-Key"]
        metrics = read(client)

    assert not [name for name, _ in metrics if name == CREATED]


def test_a_folder_of_its_own_is_there_for_as_long_as_it_is_needed():
    with metrics_folder():
        folder = Path(os.environ[VARIABLE])
        (folder / "counter_1.db").touch()
    assert not folder.exists()
    assert VARIABLE not in os.environ


def test_folders_of_services_that_were_killed_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, new, busy = (tmp_path / f"game-recommender-metrics-{name}" for name in ("left", "new", "busy"))
    for folder in (left, new, busy):
        folder.mkdir()
        (folder / "counter_1.db").touch()
    with FileLock(busy / ".lock"):
        for folder in (left, busy):
            os.utime(folder, (0, 0))
        with metrics_folder():
            assert {new, busy, Path(os.environ[VARIABLE])} == set(tmp_path.iterdir())


def test_a_folder_that_is_named_is_emptied_of_metrics_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "metrics" / "here"
    monkeypatch.setenv(VARIABLE, str(folder))
    with metrics_folder():
        (folder / "counter_1.db").touch()
        (folder / "notes.txt").touch()
    with metrics_folder():
        assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert folder.exists()


def text(service: Service) -> str:
    with urllib.request.urlopen(f"{service.address}/metrics", timeout=5) as answer:  # noqa: S310  # our own address
        read: bytes = answer.read()
    return read.decode()


def until(service: Service, holds: Callable[[dict[tuple[str, str], float]], bool]) -> None:
    end = time.monotonic() + 45
    while not holds(metrics := parsed(text(service))):
        assert time.monotonic() < end, metrics
        time.sleep(0.1)


def live(metrics: dict[tuple[str, str], float]) -> set[str]:
    return {labels for name, labels in metrics if name == CREATED}


@pytest.mark.timeout(180)
def test_the_metrics_of_all_workers_come_together(tmp_path: Path):
    store = ModelStore(Path("models"))
    publish(store, FIRST)
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / f"gauge_liveall_{os.getpid()}.db").touch()
    with started(WORKERS="2", ADMIN_API_KEY=KEY, **{VARIABLE: str(folder)}) as service:
        service.wait_for("(?s)startup complete.*startup complete")
        both = workers(service)
        for _ in range(40):
            service.get("/recommend/ann?n=1")
        until(service, lambda metrics: value(metrics, "answers_total", "collaborative") == 40)
        until(service, lambda metrics: live(metrics) == {f"{pid},{FIRST}" for pid in both})

        publish(store, SECOND)
        until(service, lambda metrics: live(metrics) == {f"{pid},{SECOND}" for pid in both})
        until(service, lambda metrics: value(metrics, "model_swaps_total") == 2)

        os.kill(both[0], signal.SIGKILL)
        until(service, lambda metrics: len(live(metrics)) == 2 and f"{both[0]},{SECOND}" not in live(metrics))
        metrics = parsed(text(service))
        assert value(metrics, "answers_total", "collaborative") == 40
        assert value(metrics, "recommend_seconds_count") == 40
        assert not re.search("Traceback", service.log)
