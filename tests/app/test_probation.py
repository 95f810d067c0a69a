"""A new model is watched, and the one before it comes back by itself."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.answers import new_id
from app.core.answer import Source
from app.core.artifact import Artifact
from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.notices import Notices
from app.core.outcomes import OutcomeStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.tables import notices
from app.live_model import LiveModel
from app.probation import Probation
from app.tally import Outcome, Tally
from tests.app.conftest import administered
from tests.app.test_start import started
from tests.worlds import artifact, neighbours, publish, six_games

FIRST, SECOND, THIRD = (f"2026010{day}T000000-000000" for day in (1, 2, 3))
WINDOW = 1800.0
GOOD, POPULAR, EMPTY = [Source.COLLABORATIVE], [Source.POPULARITY], list[Source]()


class Worker:
    """One process that answers from a store's current model, with a clock of its own."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.clock = 0.0
        self.tally = Tally()
        self.store = ModelStore(Path("models"))
        self.live = LiveModel(self.store)
        self.outcomes = OutcomeStore(database)
        self.probation = Probation(
            Settings(**settings),
            self.live,
            self.store,
            self.tally,
            self.outcomes,
            Notices(database),
            lambda: self.clock,
        )
        self.live.refresh()

    @property
    def version(self) -> str:
        return self.live.loaded.manifest.version

    def answer(self, sources: list[Source], times: int) -> None:
        for _ in range(times):
            self.tally.record(sources, ())

    def look(self, seconds: float = 2.0) -> None:
        self.clock += seconds
        self.live.refresh()
        self.probation.check()


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Database]:
    base = Database(f"sqlite:///{tmp_path}/data/interactions.db")
    base.migrate()
    yield base
    base.close()


@pytest.fixture
def store() -> ModelStore:
    store = ModelStore(Path("models"))
    publish(store, FIRST)
    return store


@pytest.fixture
def worker(store: ModelStore, base: Database) -> Worker:
    assert store.current_version() == FIRST
    return Worker(base)


def told(database: Database) -> list[Any]:
    with database.read() as connection:
        rows = connection.execute(sa.select(notices.c.kind, notices.c.body)).all()
    return [(kind, orjson.loads(body)) for kind, body in rows]


def test_a_worse_model_is_taken_back_and_people_are_told(
    worker: Worker, store: ModelStore, base: Database, caplog: pytest.LogCaptureFixture
):
    worker.answer(GOOD, 300)
    worker.look(10)
    publish(store, SECOND)
    worker.look()
    worker.answer(POPULAR, 199)
    worker.look()
    assert (worker.version, store.rejections()) == (SECOND, {})

    worker.answer(POPULAR, 1)
    worker.look()

    reason = "The share of answers filled with popular games rose from 0.0 % to 100.0 %."
    assert (worker.version, worker.probation.rollbacks) == (FIRST, 1)
    rejected = store.rejection(SECOND)
    assert rejected is not None
    assert rejected.reason == reason
    [(kind, body)] = told(base)
    assert kind == "rollback"
    assert (body["version"], body["back_to"], body["reason"]) == (SECOND, FIRST, reason)
    assert body["watched"] | {"p99_seconds": 0, "p99_seconds_before": 0} == {
        "answers": 200,
        "fallbacks": 1.0,
        "empty": 0.0,
        "errors": 0.0,
        "p99_seconds": 0,
        "answers_before": 300,
        "fallbacks_before": 0.0,
        "empty_before": 0.0,
        "errors_before": 0.0,
        "p99_seconds_before": 0,
    }
    assert caplog.text.count("the model was taken back") == 1
    worker.answer(POPULAR, 1000)
    worker.look()
    assert worker.version == FIRST


def test_a_model_that_is_as_good_stays(worker: Worker, store: ModelStore, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    worker.answer(GOOD, 300)
    worker.look()
    publish(store, SECOND)
    worker.look()
    assert worker.probation.progress(FIRST) is None
    progress = worker.probation.progress(SECOND)
    assert progress is not None
    assert (progress.answers, progress.answers_before) == (0, 300)
    assert abs(progress.until - WINDOW - time.time()) < 60

    for _ in range(180):
        worker.answer(GOOD, 10)
        worker.look(10)

    assert "the new model stays" in caplog.text
    assert worker.probation.progress(SECOND) is None
    worker.answer(EMPTY, 5000)
    worker.look()
    assert (worker.version, store.predecessor()) == (SECOND, FIRST)


def test_only_as_much_counts_of_the_time_before(worker: Worker, store: ModelStore):
    """What was answered long ago was worse than the new model is."""
    worker.answer(POPULAR, 10_000)
    for _ in range(200):
        worker.look(10)
        worker.answer(GOOD, 2)
    publish(store, SECOND)
    worker.look()
    worker.answer(POPULAR, 300)

    worker.look()

    assert worker.version == FIRST


def test_what_the_model_before_that_answered_does_not_count(worker: Worker, store: ModelStore):
    worker.answer(GOOD, 10_000)
    worker.look()
    publish(store, SECOND)
    worker.look()
    publish(store, THIRD)
    worker.look()
    worker.answer(EMPTY, 1000)

    worker.look()

    assert worker.version == THIRD


def test_errors_tell_though_nothing_was_answered_before(worker: Worker, store: ModelStore):
    publish(store, SECOND)
    worker.look()
    worker.answer(GOOD, 150)
    worker.tally.problems["internal-error"] += 50

    worker.look()

    assert worker.version == FIRST


def test_what_an_operator_goes_back_to_stays(worker: Worker, store: ModelStore):
    publish(store, SECOND)
    worker.look()
    worker.answer(GOOD, 300)
    store.activate(FIRST)
    worker.look()
    assert worker.probation.progress(FIRST) is None
    worker.answer(EMPTY, 1000)
    worker.look()
    assert worker.version == FIRST

    worker.answer(GOOD, 10_000)
    store.activate(SECOND)
    worker.look()
    assert worker.probation.progress(SECOND) is None
    worker.answer(EMPTY, 1000)
    worker.look()
    assert (worker.version, store.rejections()) == (SECOND, {})


def test_a_version_that_was_there_at_the_start_is_never_watched(worker: Worker, store: ModelStore, base: Database):
    publish(store, SECOND)
    later = Worker(base)
    store.activate(FIRST)
    later.look()
    store.activate(SECOND)
    later.look()

    assert (later.version, later.probation.progress(SECOND)) == (SECOND, None)
    assert worker.probation.progress(SECOND) is None


def test_without_minutes_there_is_no_probation(store: ModelStore, base: Database):
    worker = Worker(base, probation_minutes=0)
    worker.answer(GOOD, 300)
    worker.look()
    publish(store, SECOND)
    worker.look()
    worker.answer(EMPTY, 300)

    worker.look()

    assert (worker.version, worker.probation.progress(SECOND)) == (SECOND, None)


def fail(worker: Worker) -> None:
    """Let the new model be worse than the one before it."""
    worker.answer(GOOD, 300)
    worker.look()
    publish(worker.store, SECOND)
    worker.look()
    worker.answer(EMPTY, 300)


def test_with_nothing_to_go_back_to_it_stays_and_says_so_once(worker: Worker, caplog: pytest.LogCaptureFixture):
    fail(worker)
    Path("models/current").write_text(f"{SECOND}\n")

    for _ in range(3):
        worker.look()

    assert (worker.version, worker.probation.rollbacks) == (SECOND, 0)
    assert caplog.text.count("a model that is worse stays") == 1
    assert f"There is no version before {SECOND} to go back to." in caplog.text


def test_to_a_broken_version_nobody_goes_back(worker: Worker, caplog: pytest.LogCaptureFixture):
    fail(worker)
    (Path("models") / FIRST / "popular.npy").write_bytes(b"broken")

    worker.look()

    assert (worker.version, worker.store.current_version()) == (SECOND, SECOND)
    assert caplog.text.count("a model that is worse stays") == 1


def test_a_store_that_takes_no_change_is_tried_again(worker: Worker, caplog: pytest.LogCaptureFixture):
    fail(worker)
    lock = Path("models/.lock")
    lock.unlink()
    lock.mkdir()
    worker.look()
    worker.look()
    assert worker.version == SECOND
    assert caplog.text.count("a model that is worse stays") == 1

    lock.rmdir()
    worker.look()

    assert worker.version == FIRST


def test_of_two_workers_that_see_it_one_tells(store: ModelStore, base: Database):
    workers = [Worker(base), Worker(base)]
    for worker in workers:
        worker.answer(GOOD, 300)
        worker.look()
    publish(store, SECOND)
    for worker in workers:
        worker.look()
        worker.answer(EMPTY, 300)
    threads = [threading.Thread(target=worker.probation.check) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.look()

    assert [worker.version for worker in workers] == [FIRST, FIRST]
    assert sum(worker.probation.rollbacks for worker in workers) == 1
    assert len(told(base)) == 1


def test_a_model_that_comes_in_between_is_watched_all_the_same(worker: Worker, monkeypatch: pytest.MonkeyPatch):
    fail(worker)
    roll_back = worker.store.roll_back

    def late(version: str, reason: str) -> str | None:
        publish(worker.store, THIRD)
        worker.live.refresh()
        return roll_back(version, reason)

    monkeypatch.setattr(worker.store, "roll_back", late)
    worker.look()

    assert (worker.version, worker.probation.rollbacks) == (THIRD, 0)
    assert worker.probation.progress(THIRD) is not None


def test_what_was_taken_back_while_the_database_was_away_is_told_when_it_is_back(
    store: ModelStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = tmp_path / "data"
    folder.write_text("in the way")
    base = Database(f"sqlite:///{folder}/interactions.db")
    worker = Worker(base)
    fail(worker)
    worker.look()
    worker.look()
    assert (worker.version, store.current_version()) == (FIRST, FIRST)
    assert "what players did cannot be compared" in caplog.text

    folder.unlink()
    base.migrate()
    worker.look()
    worker.look()

    assert [body["version"] for _, body in told(base)] == [SECOND]
    base.close()


def log_answers(outcomes: OutcomeStore, version: str, ages: list[float], played: int, now: float) -> None:
    """Keep answers that were given so many seconds ago; the first games of some were played."""
    names = [f"{int((now - age) * 1000):012x}{new_id()[12:]}" for age in ages]
    outcomes.log([(name, version, 3) for name in names])
    InteractionStore(outcomes._database).write(
        [Interaction(f"u{name}", 10, Kind.PLAY, 1.0, recommendation_id=name) for name in names[:played]]
    )


def test_what_led_to_play_is_counted_in_a_span_of_time(database: Database):
    store = InteractionStore(database)
    store.prepare()
    outcomes, now = OutcomeStore(database), time.time()
    log_answers(outcomes, FIRST, [100.0, 50.0, 20.0], 2, now)
    log_answers(outcomes, SECOND, [60.0], 1, now)
    name = f"{int((now - 40) * 1000):012x}{new_id()[12:]}"
    outcomes.log([(name, FIRST, 3)])
    store.write([Interaction("zoe", 10, Kind.LIKE, recommendation_id=name)])

    assert outcomes.led_to_play(FIRST, now - 101, now) == (2, 4)
    assert outcomes.led_to_play(FIRST, now - 60, now) == (1, 3)
    assert outcomes.led_to_play(FIRST, now - 101, now - 60) == (1, 1)
    assert outcomes.led_to_play(SECOND, now - 101, now) == (1, 1)
    assert outcomes.led_to_play(THIRD, now - 101, now) == (0, 0)


@pytest.mark.parametrize(("played", "version"), [(5, FIRST), (80, SECOND)])
def test_a_model_whose_games_nobody_plays_is_taken_back_at_the_end(
    worker: Worker, base: Database, monkeypatch: pytest.MonkeyPatch, played: int, version: str
):
    swapped_at = time.time() - 2000
    log_answers(worker.outcomes, FIRST, [2500.0] * 300, 100, time.time())
    publish(worker.store, SECOND)
    with monkeypatch.context() as then:
        then.setattr("app.probation.time.time", lambda: swapped_at)
        worker.look()
    log_answers(worker.outcomes, SECOND, [1500.0] * 300, played, time.time())
    worker.look(WINDOW - 1)
    assert worker.version == SECOND

    worker.look()

    assert worker.version == version
    assert len(told(base)) == (version == FIRST)


def test_a_database_that_goes_away_before_the_end_takes_nothing_back(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    log_answers(worker.outcomes, FIRST, [100.0] * 300, 100, time.time())
    publish(worker.store, SECOND)
    worker.look()

    def away(*_: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(OutcomeStore, "led_to_play", away)
    worker.look(WINDOW)

    assert (worker.version, worker.probation.progress(SECOND)) == (SECOND, None)
    assert "what players did cannot be compared" in caplog.text


def publish_one_that_knows_nothing(store: ModelStore, version: str) -> None:
    """All that it can answer with is what is popular."""
    nothing = neighbours({}, {}, {}, {}, {}, {})
    world = replace(six_games(), collaborative=nothing, cold=nothing)
    whole = artifact(version)
    store.publish(Artifact(whole.manifest, {**whole.arrays, **world.to_arrays()}))
    store.activate(version)


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_probation_is_told_of_the_model(store: ModelStore):
    with administered() as admin:
        publish(store, SECOND)
        admin.post(f"/models/{SECOND}/activate")

        probation = admin.get(f"/models/{SECOND}").json()["probation"]

    assert probation.keys() == {"until", "answers", "answers_before"}
    assert (probation["answers"], probation["answers_before"]) == (0, 0)


def test_every_way_to_be_answered_is_counted():
    publish(ModelStore(Path("models")), FIRST, data_kind="observed")
    with administered() as client:
        client.get("/recommend/ann?n=1")
        client.get("/recommend/ann?n=1&explain=true")
        client.post("/recommend", json={"played": [{"game_id": 10}], "n": 1})
        client.post("/recommend/batch", json={"user_ids": ["ann", "bob"], "n": 1})
        client.post("/recommend/group", json={"user_ids": ["ann", "bob"], "n": 1})
        client.get("/recommend/ann?offset=10")
        counts = _tally(client).now()

    assert counts.answers == 7
    assert (counts.of(Outcome.UNKNOWN_PLAYER), counts.of(Outcome.PAST_THE_END)) == (5, 1)
    assert sum(counts.latencies) == 4


def _tally(client: TestClient) -> Tally:
    tally: Tally = client.app.state.tally  # type: ignore[attr-defined]
    return tally


def test_a_challenger_that_answers_with_popular_games_alone_is_taken_back_unaided(store: ModelStore):
    """Two workers, as real processes: both see it, one goes back and tells."""
    settings = {"PROBATION_MINUTES": "1", "PROBATION_MIN_ANSWERS": "20", "ADMIN_API_KEY": "admin-key-of-the-tests"}
    with started(WORKERS="2", **settings) as service:
        service.wait_for("(?s)startup complete.*startup complete")
        for _ in range(120):
            assert service.get("/recommend/ann?n=1")["model_version"] == FIRST

        publish_one_that_knows_nothing(store, SECOND)
        until(lambda: service.get("/recommend/ann?n=1")["model_version"] == SECOND)
        until(lambda: service.get("/recommend/ann?n=1") and store.rejections())
        service.wait_for(f"(?s)(model loaded .*version={FIRST}.*){{4}}")
        assert {service.get("/recommend/ann?n=1")["model_version"] for _ in range(30)} == {FIRST}

        assert "rose from 0.0 % to 100.0 %" in store.rejections()[SECOND].reason
        assert len(re.findall("the model was taken back", service.log)) == 1
        database = Database(Settings().database)
        assert [kind for kind, _ in told(database)] == ["rollback"]
        database.close()
