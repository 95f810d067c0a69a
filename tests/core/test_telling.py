"""People are told once, whatever Slack does, on both databases."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core.database import Database
from app.core.notices import NoticeCounts, Notices
from app.core.run import Run, State, Trigger
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.tables import notices
from app.core.telling import tell
from tests.fakes import slack
from tests.fakes.slack import FakeSlack, as_text
from tests.runs import BEFORE, RESULT
from tests.worlds import publish

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def one_database(tmp_path: Path) -> Iterator[Database]:
    """For what has nothing to do with the kind of database."""
    database = Database(f"sqlite:///{tmp_path}/data/interactions.db")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def fake_slack() -> Iterator[FakeSlack]:
    with slack.serve() as server:
        yield server


@pytest.fixture
def configured(fake_slack: FakeSlack) -> Settings:
    return Settings(slack_webhook_url=fake_slack.url)


def failed_run(database: Database) -> Run:
    runs = RunStore(database)
    run = runs.begin(Trigger.SCHEDULE)
    runs.end(run.run_id, State.FAILED, "RAWG did not answer.")
    return runs.get(run.run_id)


def make_due(database: Database, seconds_ago: float = 0.0) -> None:
    """As when the time has come."""
    with database.write() as connection:
        at = notices.c.at - seconds_ago
        connection.execute(sa.update(notices).values(at=at, next_try_at=time.time() - 1))


def test_a_run_is_told_once(database: Database, models: ModelStore, configured: Settings, fake_slack: FakeSlack):
    run = RunStore(database).begin(Trigger.SCHEDULE)
    assert tell(configured, database, models) == 0
    RunStore(database).end(run.run_id, State.SUCCEEDED, result=RESULT)

    assert (tell(configured, database, models), tell(configured, database, models)) == (1, 0)
    assert "A new model is live" in as_text(fake_slack.messages[0])
    assert Notices(database).counts() == NoticeCounts(waiting=0, done=1, given_up=0, failures=0)


def test_all_that_is_due_is_told_in_its_order_and_in_the_language_asked_for(
    one_database: Database, models: ModelStore, fake_slack: FakeSlack
):
    failed_run(one_database)
    time.sleep(0.01)
    Notices(one_database).add("rollback", {"version": "B", "back_to": "A"})
    time.sleep(0.01)
    Notices(one_database).add("quota", {"month": "2026-11", "spent": 9, "limit": 10})
    settings = Settings(slack_webhook_url=fake_slack.url, notify_language="ko")

    assert tell(settings, one_database, models) == 3
    assert [as_text(message).splitlines()[0] for message in fake_slack.messages] == [
        ":x: 재학습에 실패했습니다",
        ":rewind: 이전 모델로 되돌렸습니다",
        ":hourglass_flowing_sand: RAWG 요청 한도가 얼마 남지 않았습니다",
    ]


def test_a_failure_says_what_serves(
    one_database: Database, models: ModelStore, configured: Settings, fake_slack: FakeSlack, tmp_path: Path
):
    """Nothing, a version, a pointer that names none, and a pointer that cannot be read."""
    pointer = tmp_path / "models" / "current"
    failed_run(one_database)
    tell(configured, one_database, models)
    publish(models, BEFORE)
    failed_run(one_database)
    tell(configured, one_database, models)
    pointer.write_text("nonsense")
    failed_run(one_database)
    tell(configured, one_database, models)
    pointer.unlink()
    pointer.mkdir()
    failed_run(one_database)
    tell(configured, one_database, models)

    assert [as_text(message).splitlines()[3] for message in fake_slack.messages] == [
        "There is no model to serve yet.",
        f"Serving now: {BEFORE}",
        "Which model serves cannot be told: The pointer to the current version does not name one.",
        "Which model serves cannot be told: Is a directory",
    ]


def test_nobody_is_told_of_what_never_began_is_forgotten_or_unknown(
    one_database: Database, models: ModelStore, configured: Settings, fake_slack: FakeSlack
):
    runs = RunStore(one_database)
    runs.cancel(runs.queue(Trigger.REQUEST).run_id)
    Notices(one_database).add("run", {"run_id": "forgotten"})
    Notices(one_database).add("party", {})

    assert tell(configured, one_database, models) == 0
    assert fake_slack.requests == []
    assert not Notices(one_database).any_waits()


def test_a_run_that_was_stopped_is_told(
    one_database: Database, models: ModelStore, configured: Settings, fake_slack: FakeSlack
):
    runs = RunStore(one_database)
    runs.end(runs.begin(Trigger.REQUEST).run_id, State.CANCELLED)

    assert tell(configured, one_database, models) == 1
    assert "Retraining was cancelled" in as_text(fake_slack.messages[0])


def test_what_slack_refuses_is_logged_counted_and_sent_later(
    database: Database,
    models: ModelStore,
    configured: Settings,
    fake_slack: FakeSlack,
    caplog: pytest.LogCaptureFixture,
):
    failed_run(database)
    fake_slack.faults = [slack.status(404, "no_service")]
    with caplog.at_level(logging.DEBUG):
        assert (tell(configured, database, models), tell(configured, database, models)) == (0, 0)

    assert Notices(database).counts() == NoticeCounts(waiting=1, done=0, given_up=0, failures=1)
    assert caplog.text.count("a notice was not sent") == 1
    assert "no_service" in caplog.text
    assert "SECRET" not in caplog.text

    make_due(database)
    assert tell(configured, database, models) == 1
    assert Notices(database).counts() == NoticeCounts(waiting=0, done=1, given_up=0, failures=1)


def test_after_a_failure_the_others_wait_so_that_a_call_is_short(
    one_database: Database, models: ModelStore, configured: Settings, fake_slack: FakeSlack
):
    for _ in range(3):
        Notices(one_database).add("quota", {})
    fake_slack.faults = [slack.status(404, "no_service")]

    assert tell(configured, one_database, models) == 0
    assert len(fake_slack.requests) == 1
    assert tell(configured, one_database, models) == 2


def test_a_message_that_slack_cannot_read_holds_up_no_other(
    one_database: Database, models: ModelStore, configured: Settings, fake_slack: FakeSlack
):
    for _ in range(2):
        Notices(one_database).add("quota", {})
    fake_slack.faults = [slack.status(400, "invalid_payload")] * 2

    assert tell(configured, one_database, models) == 1
    assert Notices(one_database).counts().failures == 1


def test_what_could_not_be_sent_for_a_day_is_given_up_aloud(
    one_database: Database,
    models: ModelStore,
    configured: Settings,
    fake_slack: FakeSlack,
    caplog: pytest.LogCaptureFixture,
):
    failed_run(one_database)
    make_due(one_database, seconds_ago=90_000)

    assert tell(configured, one_database, models) == 0
    assert fake_slack.requests == []
    assert "notices were given up" in caplog.text
    assert Notices(one_database).counts().given_up == 1


def test_without_a_webhook_a_notice_waits_a_day_for_somebody_to_be_told(
    one_database: Database, models: ModelStore, configured: Settings
):
    failed_run(one_database)

    assert tell(Settings(), one_database, models) == 0
    assert tell(configured, one_database, models) == 1


def test_of_two_threads_one_tells(
    database: Database, models: ModelStore, configured: Settings, fake_slack: FakeSlack, database_url: str
):
    for _ in range(5):
        Notices(database).add("quota", {})
    begin = threading.Barrier(2)
    sent = []

    def run() -> None:
        mine = Database(database_url)
        begin.wait()
        sent.append(tell(configured, mine, models))
        mine.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sum(sent), len(fake_slack.requests)) == (5, 5)


PROGRAM = """
import sys
from pathlib import Path
from app.core.database import Database
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.telling import tell
database = Database(sys.argv[2])
database.migrate()
sys.stdin.readline()
print(tell(Settings(slack_webhook_url=sys.argv[1]), database, ModelStore(Path("models"))))
"""


def test_of_two_processes_one_tells(database: Database, fake_slack: FakeSlack, database_url: str):
    for _ in range(5):
        Notices(database).add("quota", {})
    command = [sys.executable, "-c", PROGRAM, fake_slack.url, database_url]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    sent = [int(child.communicate(timeout=50)[0]) for child in children]

    assert (sum(sent), len(fake_slack.requests)) == (5, 5)
