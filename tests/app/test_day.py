"""A day of hourly runs, some of which fail, in as many tenths of a second: nothing grows with their number.

`benchmarks/day.py` measures the same of real services with the real trainer.
"""

import gc
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app import child, main, retraining
from app.core.database import Database
from app.core.notices import Notices
from app.core.run import State
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.core.telling import tell
from app.due_runs import DueRuns
from app.live_model import LoadedModel
from app.remembered import RememberedAnswers
from app.retraining import Trainer
from tests import footprint
from tests.fakes import slack
from tests.fakes import trainer as stand_in
from tests.worlds import check, publish, within

pytestmark = pytest.mark.untraced

HOURS = 24
NOON = 1_795_694_400.0
KEPT_MODELS, KEPT_RUNS = 3, 5
MODES = {4: "fail", 9: "killed", 13: "cancelled", 15: "stubborn", 18: "linger", 20: "fail"}
PLAYERS = ("ann", "bob", "cleo")
ALIVE = (LoadedModel, RememberedAnswers)
# The threads of pools, which have as many as they once needed at a time; and of the stand-in for Slack.
POOLS = ("asyncio", "scheduler", "AnyIO", "process_request_thread")
MORE = {"files": 4, "threads": 1}  # of connections, and of work, that are just needed


@dataclass
class Day:
    """A worker that answers, a trainer, and a schedule whose clock leaps from hour to hour."""

    client: TestClient
    settings: Settings
    database: Database
    store: ModelStore
    hour: int = 0

    def __post_init__(self) -> None:
        self.runs = RunStore(self.database, lambda: self.now)
        self.due = DueRuns(self.settings, self.runs, self.store, lambda: self.now)

    @property
    def now(self) -> float:
        return NOON + self.hour * 3600.0

    def live_through(self) -> State:
        """Let the hour's run come and go, and take over what it published."""
        self.hour += 1
        mode = MODES.get(self.hour, "succeed")
        self.due.tick()
        state = self._run(mode)
        if state is State.SUCCEEDED:
            publish(self.store, f"20261126T{self.hour - 1:02}3000-000000", data_kind="observed")
            self.store.prune(KEPT_MODELS)
        tell(self.settings, self.database, self.store)
        for _ in range(2):  # what was live before is freed at the second look
            main._look_at_models(self.client.app.state)  # type: ignore[attr-defined]
        for player in PLAYERS:
            assert self.client.get(f"/recommend/{player}").status_code == 200
            assert self.client.get(f"/recommend/{player}", params={"explain": True}).status_code == 200
        assert self.client.get("/metrics").status_code == 200
        return state

    def _run(self, mode: str) -> State:
        goes_on = {"killed": "go on", "cancelled": "go on"}.get(mode, mode)
        command = (sys.executable, stand_in.__file__, goes_on)
        trainer = Trainer(self.settings, self.database, self.store, lambda: True, command)
        run_id = self.runs.waiting().run_id  # type: ignore[union-attr]

        def is_under_way() -> None:
            trainer.step()
            run = self.runs.get(run_id)
            assert run.log_tail or run.has_ended

        def is_over() -> None:
            trainer.step()
            check(self.runs.get(run_id).has_ended and not trainer.is_busy)

        within(20, is_under_way)
        if mode == "killed":
            os.kill(int(self.runs.get(run_id).log_tail.split(" by ")[1]), 9)
        elif mode in {"cancelled", "stubborn"}:
            self.runs.cancel(run_id)
        within(20, is_over)
        trainer.stop()
        return self.runs.get(run_id).state

    def footprint(self) -> dict[str, int]:
        """What must be no more at a later hour."""
        notices = Notices(self.database)
        within(10, lambda: check(not notices.any_waits()))  # the service may be sending one just now
        gc.collect()
        pid = os.getpid()
        return {
            "files": footprint.files(pid),
            "threads": sum(not any(name in thread for name in POOLS) for thread in footprint.own_threads()),
            "models in memory": len(footprint.mapped(pid, Path("models"))),
            "models alive": sum(type(found) in ALIVE for found in gc.get_objects()),
            "children": len(footprint.children(pid)),
            "in models": len(list(Path("models").iterdir())),
            "logs": len(list(Path("data/runs").iterdir())),
            "in data": len(list(Path("data").iterdir())),
            "runs": self.runs.newest(1)[0],
        }


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Day]:
    monkeypatch.setattr(retraining, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(retraining, "KILL_SECONDS", 0.2)
    monkeypatch.setattr(retraining, "LINGER_SECONDS", 0.2)
    monkeypatch.setattr(child, "_LEAST_NICE", 0)
    database_url = f"sqlite:///{tmp_path}/data/interactions.db"
    monkeypatch.setenv("DATABASE_URL", database_url)  # for the child
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    store = ModelStore(Path("models"))
    publish(store, "20261126T000000-000000", data_kind="observed")
    with slack.serve() as told:
        settings = Settings(
            database_url=SecretStr(database_url),
            models_kept=KEPT_MODELS,
            runs_kept=KEPT_RUNS,
            retrain_cron="0 * * * *",
            wandb_timeout=0.2,
            slack_webhook_url=SecretStr(told.url),
        )
        database = Database(database_url)
        with TestClient(main.create_app(settings)) as client:
            yield Day(client, settings, database, store)
        database.close()


def test_a_day_leaves_everything_as_it_was(day: Day):
    ended = [day.live_through() for _ in range(6)]
    before = day.footprint()
    ended += [day.live_through() for _ in range(HOURS - 6)]
    after = day.footprint()

    assert {hour: state for hour, state in enumerate(ended, 1) if state is not State.SUCCEEDED} == {
        4: State.FAILED,
        9: State.FAILED,
        13: State.CANCELLED,
        15: State.CANCELLED,
        20: State.FAILED,
    }
    assert {name: (before[name], after[name]) for name in after if after[name] > before[name] + MORE.get(name, 0)} == {}
    assert (after["models in memory"], after["logs"], after["runs"]) == (1, KEPT_RUNS, KEPT_RUNS)
