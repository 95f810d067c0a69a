"""Weights & Biases: what it is told, and that its failures cost a warning. The wandb is the real one."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.core.settings import Settings
from app.core.store import ModelStore
from tests.fakes import wandb
from tests.training.conftest import Command
from tests.worlds import artifact, publish
from training.tracking import NullTracker, WandbTracker, tracker
from training.wandb_place import prune

VERSION = "20260101T000000-000000"
SECRETS = {"RAWG_API_KEY": "secret-rawg", "SLACK_WEBHOOK_URL": "https://hooks.example/secret-webhook"}
METRICS = {"players": 40, "model": {"ndcg@10": {"value": 0.3, "low": 0.2, "high": 0.4}}, "cold": {"games": 2}}
GATE = {"promoted": True, "forced": False, "reason": "It is better.", "against_champion": None}
REPORT = {
    "tuning": {
        "metric": "ndcg@10",
        "trials": [
            {"numbers": {"collaborative.l2": 10.0, "weights.half_life_days": None}, "score": 0.25},
            {"numbers": {"collaborative.l2": 20.0, "weights.half_life_days": 90}, "score": 0.125},
        ],
    },
    "changes": {
        "games": {"new": {"count": 3, "examples": []}, "gone": {"count": 1, "examples": []}},
        "drift": [{"name": "rating", "psi": 0.5, "drifted": True}],
        "players": [{"user_id": "ann", "before": [], "after": []}],
    },
}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def settings(**values: Any) -> Settings:
    return Settings(wandb_api_key=wandb.KEY, **{"wandb_timeout": 50, **values})


def left_behind(folder: Path) -> list[str]:
    """The processes that work in a folder, all but this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int(process.name) != os.getpid() and (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return found


def wait_until_nothing_is_left(folder: Path) -> None:
    until = time.monotonic() + 10
    while left_behind(folder) and time.monotonic() < until:
        time.sleep(0.1)
    assert left_behind(folder) == []


def records(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Read an offline run back with wandb's own reader: kind -> records."""
    read = subprocess.run(
        [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)], check=True, capture_output=True
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for record in map(json.loads, read.stdout.splitlines()):
        found.setdefault(record["type"], []).append(record[record["type"]])
    return found


@pytest.fixture(autouse=True)
def a_child_finds_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.fixture
def fake_wandb() -> Iterator[wandb.FakeWandb]:
    with wandb.serve() as server:
        yield server


@pytest.fixture
def other_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("other_secrets")
def test_an_offline_run_read_back_holds_all_that_was_published(empty_folder: Path):
    model = artifact(VERSION, metrics=METRICS, gate=GATE, config={"weights": {"emphasis": 0.5}})
    files = {"report.json": orjson.dumps(REPORT), "metrics.png": PICTURE}
    ModelStore(Path("models")).publish(model, files)
    before = {path: (path.stat().st_mode, path.read_bytes()) for path in Path("models", VERSION).iterdir()}

    assert tracker(settings(wandb_mode="offline")).track(VERSION) is None

    [folder] = Path("data/wandb").glob("offline-run-*")
    found = records(folder)
    [run] = found["run"]
    assert run["run_id"] == run["display_name"] == VERSION
    assert run["job_type"] == "train"
    assert run["tags"] == ["simulated", "starter"]
    assert run["host"] == "trainer"
    told = run["config"]["update"]
    assert told["weights"] == {"emphasis": 0.5}
    assert told["data_kind"] == "simulated"
    assert told["counts"]["games"] == 6
    assert {"git_commit", "data_fingerprint", "created_at"} <= told.keys()
    summary = {name: value for record in found["summary"] for name, value in record["update"].items()}
    assert (
        summary.items()
        >= {
            "players": 40,
            "model/ndcg@10": 0.3,
            "model/ndcg@10/low": 0.2,
            "model/ndcg@10/high": 0.4,
            "cold/games": 2,
            "gate/promoted": True,
            "gate/reason": "It is better.",
            "changes/games/new": 3,
            "changes/games/gone": 1,
            "drift/rating": 0.5,
            "tuning/trials": 2,
            "tuning/best/ndcg@10": 0.25,
        }.items()
    )
    assert "gate/against_champion" not in summary
    steps = [record["item"] for record in found["history"]]
    assert steps[0].items() >= {"trial/ndcg@10": 0.25, "trial/collaborative/l2": 10}.items()
    assert steps[1].items() >= {"trial/ndcg@10": 0.125, "trial/weights/half_life_days": 90}.items()
    assert steps[2]["plots/metrics.format"] == "png"
    [logged] = found["artifact"]
    assert logged["type"] == "model"
    assert set(logged["aliases"]) == {"latest", VERSION}
    contents = {entry["path"]: entry["local_path"] for entry in logged["manifest"]["contents"]}
    assert contents == {path.name: str(path.resolve()) for path in before}

    assert {path: (path.stat().st_mode, path.read_bytes()) for path in Path("models", VERSION).iterdir()} == before
    kept = [path for path in empty_folder.rglob("*") if path.is_file() and "models" not in path.parts]
    assert sum(path.stat().st_size for path in kept) < 100_000  # the model is not copied
    secrets = [wandb.KEY.encode(), b"secret-"]
    assert [path for path in kept if any(secret in path.read_bytes() for secret in secrets)] == []
    wait_until_nothing_is_left(empty_folder)


def test_a_run_is_sent_with_its_files_but_not_with_what_real_players_played(fake_wandb: wandb.FakeWandb):
    version = publish(ModelStore(Path("models")), data_kind="observed")

    ours = settings(wandb_base_url=fake_wandb.base_url, wandb_entity="me", wandb_project="games")
    assert tracker(ours).track(version) is None

    first = fake_wandb.told["UpsertBucket"][0]
    assert (first["entity"], first["project"], first["name"]) == ("me", "games", version)
    assert fake_wandb.keys == {wandb.KEY}
    sent = {path.removeprefix("artifact/") for path in fake_wandb.files if path.startswith("artifact/")}
    assert {"manifest.json", "collaborative_weights.npy", "records_blob.npy"} <= sent
    there = {path.name for path in Path("models", version).iterdir()}
    assert {name.split("_")[0] for name in there - sent} == {"users", "histories", "held"}
    everything = b"".join(fake_wandb.files.values())
    assert b"kkkk" not in everything
    assert first["host"] in {None, "trainer"}
    assert first["program"] == "training"


@pytest.mark.parametrize("server", ["closed", "silent"])
def test_a_server_that_is_not_there_or_says_nothing_costs_a_warning_and_leaves_nothing(server: str, empty_folder: Path):
    version = publish(ModelStore(Path("models")))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        if server == "closed":
            silent.close()
        begun = time.monotonic()
        warning = tracker(settings(wandb_base_url=url, wandb_timeout=10)).track(version)
        took = time.monotonic() - begun

    assert warning is not None
    assert warning.startswith(f"Weights & Biases has no full record of {version}: ")
    assert "says: Timed out" in warning or "not done within 10 seconds" in warning  # as fast as the machine is
    assert "\n" not in warning
    assert wandb.KEY not in warning
    assert took < 12
    wait_until_nothing_is_left(empty_folder)


def test_what_takes_too_long_is_killed(empty_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.tracking._COMMAND", ("sh", "-c", "sleep 60 & sleep 60"))

    warning = tracker(settings(wandb_timeout=0.5)).track(VERSION)

    assert warning == f"Weights & Biases has no full record of {VERSION}: it was not done within 0.5 seconds."
    wait_until_nothing_is_left(empty_folder)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("sh", "-c", "exit 3"), "it ended with code 3."),
        (("sh", "-c", "echo error: one; echo error: $WANDB_API_KEY is wrong >&2; exit 1"), "*** is wrong"),
        (("/nowhere",), "/nowhere: No such file or directory"),
    ],
)
def test_what_fails_is_told_without_the_key(command: tuple[str, ...], reason: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.tracking._COMMAND", command)

    assert tracker(settings()).track(VERSION) == f"Weights & Biases has no full record of {VERSION}: {reason}"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, NullTracker),
        ({"wandb_api_key": wandb.KEY}, WandbTracker),
        ({"wandb_api_key": wandb.KEY, "wandb_mode": "disabled"}, NullTracker),
        ({"wandb_mode": "offline"}, WandbTracker),
    ],
)
def test_without_a_key_nothing_is_told_unless_a_mode_asks_for_it(values: dict[str, Any], kind: type):
    assert type(tracker(Settings(**values))) is kind


def test_the_null_tracker_tells_nobody(empty_folder: Path):
    assert NullTracker().track(VERSION) is None
    assert list(empty_folder.iterdir()) == []


def test_the_command_says_what_is_missing(command: Command, monkeypatch: pytest.MonkeyPatch):
    code, _, err = command("track")
    assert code == 1
    assert err == "error: Weights & Biases is switched off: set WANDB_API_KEY, or WANDB_MODE=offline.\n"

    monkeypatch.setenv("WANDB_MODE", "offline")
    assert command("track").err == "error: There is no model yet: make one with `python -m training run`.\n"
    assert command("track", VERSION).err == f"error: There is no version '{VERSION}' in models.\n"


@pytest.mark.parametrize(
    ("mode", "report", "says"),
    [
        ("online", b"{}", "Weights & Biases says: "),  # which asks for a key
        ("offline", b"{", f"The report of {VERSION} cannot be read."),
    ],
)
def test_the_current_version_cannot_be_told(mode: str, report: bytes, says: str):
    store = ModelStore(Path("models"))
    store.publish(artifact(VERSION), {"report.json": report})
    store.activate(VERSION)

    warning = tracker(Settings(wandb_mode=mode, wandb_timeout=50)).track(VERSION)

    assert warning is not None
    assert says in warning


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[], list[str]]:
    """Three runs, and what else is in the folder."""
    for name in ("run-20260102_000000-b", "offline-run-20260101_000000-a", "offline-run-20260103_000000-c", "other"):
        (tmp_path / "wandb" / name / "files").mkdir(parents=True)
    return lambda: sorted(path.name for path in (tmp_path / "wandb").iterdir())


def test_old_runs_make_room(runs: Callable[[], list[str]], tmp_path: Path):
    prune(tmp_path / "wandb", 3)
    assert len(runs()) == 4

    prune(tmp_path / "wandb", 1)
    assert runs() == ["offline-run-20260103_000000-c", "other"]

    prune(tmp_path / "nowhere", 1)
