"""A failed run changes nothing: real services, real runs, and what can happen to them."""

import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from app.core.histories import Play
from app.core.interactions import InteractionStore
from app.core.leases import LEASE_SECONDS
from app.core.notices import Notices
from app.core.run import State
from app.core.tables import interactions, notices
from tests.app.faulty import OLD, World
from tests.app.test_loop import is_gone
from tests.fakes import rawg, slack
from tests.postgres import Postgres
from tests.training.conftest import MakeSettings
from tests.worlds import check, put, within
from training.collection import collect, folder

pytestmark = pytest.mark.untraced

KILLED = "It was killed by signal 9 (SIGKILL)."


@pytest.fixture
def fake_slack() -> Iterator[slack.FakeSlack]:
    with slack.serve() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, fake_rawg: rawg.FakeRawg, fake_slack: slack.FakeSlack) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path}/database/interactions.db", fake_rawg, fake_slack)
    yield made
    made.database.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.timeout(240)
def test_kill_9_in_any_step_leaves_what_serves_and_the_next_run_works(world: World):
    """Each run is the next of the one that was killed, and comes further."""
    places = {"advance 40": "collect", "validate": "validate", "train": "train", "evaluate": "evaluate"}
    places["aside"] = "publish"
    with world.serving() as service:
        for number, (place, step) in enumerate(places.items(), start=1):
            world.holding(place)
            run_id = service.ask()
            pid = world.held()
            assert world.left_in_store() == set() or place == "aside"
            os.kill(pid, signal.SIGKILL)

            run = service.ended(run_id)
            assert (run["state"], run["step"], run["error"], run["result"]) == (State.FAILED, step, KILLED, {})
            assert (service.version(), world.models.versions()) == (OLD, [OLD])
            within(5, lambda: check(world.left_in_store() == set()))
            message = world.told(number)[-1]
            for words in (f"It failed in the step *{step}*.", f"> {KILLED}", f"Serving now: {OLD}"):
                assert words in message

        world.holding("track")
        run_id = service.ask()
        os.kill(world.held(), signal.SIGKILL)
        run = service.ended(run_id)
        new = run["result"]["version"]
        within(5, lambda: check(service.version() == new == world.models.current_version()))
        assert (run["state"], run["step"]) == (State.SUCCEEDED, "track")
        assert run["result"]["warnings"] == [f"The run broke off once its result was there: {KILLED}"]
        assert "went live in place of" in world.told(number + 1)[-1]
    assert world.left_in_store() == set()
    whole = [int(request["page"]) for request in world.rawg.requests if "updated" not in request]
    assert sorted(whole) == [1, 2, 3]  # what had come before the first kill was kept


@pytest.mark.timeout(120)
@pytest.mark.parametrize("missing", ["disk", "permission"])
def test_what_cannot_be_written_fails_in_its_step(
    missing: str,
    postgres_url: str,
    fake_rawg: rawg.FakeRawg,
    fake_slack: slack.FakeSlack,
):
    """A disk that is full for the run, but for its database; folders that are read-only for everybody."""
    world = World(postgres_url, fake_rawg, fake_slack)
    Path("no_root").touch()
    Path("data").mkdir()

    def restrict(pid: int, folder: str, size: int) -> None:
        if missing == "permission":
            Path(folder).chmod(0o555)
        else:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))

    why = "File too large" if missing == "disk" else "Permission denied"
    with world.serving(RAWG_FULL_DAYS="1000") as service:
        steps = {"collect": "data", "publish": "models"}
        for number, (step, written) in enumerate(steps.items(), start=1):
            world.holding(step)
            run_id = service.ask()
            restrict(world.held(), written, 1000 if step == "collect" else 20_000)
            world.let_go()
            run = service.ended(run_id)
            Path(written).chmod(0o755)

            assert (run["state"], run["step"]) == (State.FAILED, step)
            assert why in run["error"]
            assert (service.version(), world.models.versions()) == (OLD, [OLD])
            within(5, lambda: check(world.left_in_store() == set()))
            message = world.told(number)[-1]
            assert f"It failed in the step *{step}*." in message
            assert why in message
            assert f"Serving now: {OLD}" in message
    world.database.close()


@pytest.mark.timeout(200)
def test_a_run_outlives_its_database(own_postgres: Postgres, fake_rawg: rawg.FakeRawg, fake_slack: slack.FakeSlack):
    """Away for longer than any lease when the plays are wanted, and again when the model is to go live."""
    world = World(own_postgres.create_database(), fake_rawg, fake_slack)
    with world.serving() as service, world.serving(DATA_DIR="other"):
        world.holding("advance 40")
        run_id = service.ask()
        pid = world.held()
        for then, seconds in (("aside", LEASE_SECONDS + 2), ("nowhere", 3.0)):
            own_postgres.stop()
            world.holding(then)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                assert service.version() == OLD
                time.sleep(0.2)
            own_postgres.start()
            assert then == "nowhere" or world.held() == pid

        run = within(60, lambda: service.ended(run_id))
        assert (run["state"], run["error"]) == (State.SUCCEEDED, None)
        within(5, lambda: check(service.version() == run["result"]["version"]))
        assert "A new model is live" in world.told(1)[0]
        within(5, lambda: check(is_gone(pid)))
        time.sleep(2.5)
        assert world.runs.newest(10)[0] == len(world.slack.messages) == 1
    world.database.close()


@pytest.mark.timeout(120)
def test_rawg_that_gives_nothing_fails_the_run_and_harms_no_page(
    world: World, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
):
    settings = make_settings(rawg_max_games=100)
    kept = collect(settings)
    closed = f"http://127.0.0.1:{closed_port()}/api"
    with world.serving(RAWG_BASE_URL=closed) as service:
        refused = service.ended(service.ask())
    with world.serving() as service:
        world.rawg.faults = {1: [rawg.status(502)] * 8}
        broken = service.ended(service.ask())
        monkeypatch.setattr(rawg, "KEY", "f" * 32)
        unknown = service.ended(service.ask())
        assert world.models.versions() == [OLD]
        assert folder(settings).latest() == kept
        monkeypatch.undo()
        assert service.ended(service.ask())["state"] == State.SUCCEEDED
        messages = world.told(4)
    for run, reason in ((refused, "in 8 tries"), (broken, "HTTP 502"), (unknown, "does not know the key")):
        assert (run["state"], run["step"]) == (State.FAILED, "collect")
        assert reason in run["error"]
    assert sum("It failed in the step *collect*." in message for message in messages) == 3


@pytest.mark.timeout(120)
def test_slack_and_weights_and_biases_are_not_on_the_path(world: World):
    """Slack says nothing for ever, nobody listens at the other's port: the run succeeds, and nobody waits."""
    world.slack.faults = [slack.never] * 9
    wandb = {"WANDB_MODE": "online", "WANDB_API_KEY": "k" * 40, "WANDB_TIMEOUT": "3"}
    with world.serving(WANDB_BASE_URL=f"http://127.0.0.1:{closed_port()}", **wandb) as service:
        run = service.ended(service.ask())
        assert (run["state"], run["error"]) == (State.SUCCEEDED, None)
        [warning] = run["result"]["warnings"]
        assert warning.startswith(f"Weights & Biases has no full record of {run['result']['version']}: ")
        assert run["steps"][-1]["name"] == "track"
        assert run["steps"][-1]["seconds"] < 3 + 2
        within(10, lambda: check(world.slack.requests))
        slowest = 0.0
        for _ in range(50):
            asked_at = time.monotonic()
            service.version()
            slowest = max(slowest, time.monotonic() - asked_at)
        assert slowest < 1
        stopped_at = time.monotonic()
        service.process.terminate()
        service.process.wait(10)
        assert time.monotonic() - stopped_at < 5
    assert world.slack.messages == []


def test_a_message_arrives_once_when_slack_is_back(world: World):
    world.slack.faults = [slack.status(429, "ratelimited", Retry_After="300")]
    world.rawg.faults = {1: [rawg.status(403)]}
    with world.serving() as service:
        run_id = service.ask()
        assert service.ended(run_id)["state"] == State.FAILED
        within(10, lambda: check(world.slack.requests and not world.slack.faults))
        service.service.wait_for("a notice was not sent")
        assert world.slack.messages == []
        with world.database.write() as connection:  # as when the time has come
            connection.execute(sa.update(notices).values(next_try_at=0))
        assert run_id in world.told(1)[0]
        within(5, lambda: check(not Notices(world.database).any_waits()))  # so no other message will come


def tastes(*, shuffled: bool) -> list[Play]:
    """Eighty players of two tastes, or of none."""
    rng = np.random.default_rng(0)
    games = np.array(
        [number * 2 + player % 2 for player in range(80) for number in rng.choice(44, 10, replace=False) + 1]
    )
    games = rng.permutation(games) if shuffled else games
    return [Play(f"{place // 10:03}", int(game_id)) for place, game_id in enumerate(games)]


@pytest.mark.timeout(120)
def test_a_worse_model_is_kept_aside(world: World):
    plays = InteractionStore(world.database)
    put(plays, tastes(shuffled=False))
    with world.serving() as service:
        good = service.ended(service.ask())["result"]
        assert good["promoted"]
        with world.database.write() as connection:
            connection.execute(sa.delete(interactions))
        put(plays, tastes(shuffled=True))

        worse = service.ended(service.ask(collect=False))

        assert worse["state"] == State.SUCCEEDED
        assert (worse["result"]["promoted"], worse["result"]["before"]["version"]) == (False, good["version"])
        message = world.told(2)[-1]
        assert f"*{worse['result']['version']}* was published but does not serve." in message
        assert f"Serving now: {good['version']}" in message
        assert service.version() == world.models.current_version() == good["version"]
    assert set(world.models.versions()) == {OLD, good["version"], worse["result"]["version"]}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_service_that_goes_takes_its_run_along(number: signal.Signals, world: World):
    """In the moment before the version is one."""
    with world.serving() as service:
        world.holding("aside")
        run_id = service.ask()
        pid = world.held()
        begun = time.monotonic()
        service.process.send_signal(number)
        service.process.wait(10)
        assert time.monotonic() - begun < 5
        within(5, lambda: check(is_gone(pid)))
    world.let_go()
    time.sleep(1)
    run = world.runs.get(run_id)
    assert (run.state, run.step) == (State.FAILED, "publish")
    assert run.error == (
        "The service was stopped while it ran."
        if number == signal.SIGTERM
        else "The service that had started it is gone."
    )
    assert (world.models.current_version(), world.models.versions()) == (OLD, [OLD])
