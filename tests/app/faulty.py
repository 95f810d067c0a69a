"""A world where things go wrong: a service whose runs are real and stop where a test says, RAWG and Slack."""

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.core.database import Database
from app.core.run import State
from app.core.runs import RunStore
from app.core.store import ModelStore
from tests.app.test_start import ROOT, Service, unmeasured
from tests.fakes import rawg, slack
from tests.worlds import publish, within

KEY = "admin-key-of-the-tests"
OLD = "20260101T000000-000000"


class World:
    """A published version of the live catalogue, and services on a database."""

    def __init__(self, url: str, fake_rawg: rawg.FakeRawg, fake_slack: slack.FakeSlack) -> None:
        self.rawg, self.slack = fake_rawg, fake_slack
        self.database = Database(url)
        self.database.migrate()
        self.runs = RunStore(self.database)
        self.models = ModelStore(Path("models"))
        publish(self.models, OLD, catalogue_source="rawg")
        Path("sitecustomize.py").write_text("from tests.fakes import hooks\nhooks.install()\n")
        self.environment = {
            "PYTHONPATH": f"{Path.cwd()}{os.pathsep}{ROOT}",
            "DATABASE_URL": url,
            "ADMIN_API_KEY": KEY,
            "RAWG_BASE_URL": fake_rawg.base_url,
            "RAWG_API_KEY": rawg.KEY,
            "RAWG_MAX_GAMES": "100",
            "RAWG_TIMEOUT": "2",
            "RAWG_CONCURRENCY": "1",
            "SLACK_WEBHOOK_URL": fake_slack.url,
        }

    @contextmanager
    def serving(self, **environment: str) -> Iterator["Serving"]:
        """Run a service."""
        with unmeasured(**{**self.environment, **environment}) as service:
            service.wait_for("startup complete")
            yield Serving(service)

    def holding(self, place: str) -> None:
        """Let the next run wait at a place."""
        Path("held").unlink(missing_ok=True)
        Path("hold.new").write_text(place)
        Path("hold.new").replace("hold")

    def held(self) -> int:
        """The process that waits there."""

        def look() -> int:
            assert Path("held").exists()
            return int(Path("held").read_text())

        return within(50, look)

    def let_go(self) -> None:
        """Let nothing wait any more."""
        Path("hold").unlink()

    def left_in_store(self) -> set[str]:
        """What lies in the model store and has no business there."""
        return {path.name for path in Path("models").iterdir()} - {"current", ".lock", *self.models.versions()}

    def told(self, number: int) -> list[str]:
        """What people read in Slack, once there is as much as that; and no more comes."""

        def look() -> list[str]:
            assert len(self.slack.messages) == number
            return [slack.as_text(message) for message in self.slack.messages]

        return within(15, look)


class Serving:
    """A running service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.process = service.process

    def ask(self, **options: object) -> str:
        """Ask for a run."""
        answer = within(10, lambda: self._taken(options))
        return str(answer["run_id"])

    def ended(self, run_id: str, seconds: float = 60) -> Any:
        """Wait until a run has ended."""

        def look() -> Any:
            run = self.run(run_id)
            assert run["state"] in {State.SUCCEEDED, State.FAILED, State.CANCELLED}
            return run

        return within(seconds, look)

    def run(self, run_id: str) -> Any:
        address = f"{self.service.address}/retrain/{run_id}"
        request = urllib.request.Request(address, headers={"X-API-Key": KEY})  # noqa: S310  # our own address
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # likewise
            return json.load(answer)

    def version(self) -> str:
        """The version that answers."""
        return str(self.service.get("/recommend/ann?n=1")["model_version"])

    def _taken(self, options: object) -> Any:
        answer = self.service.post("/retrain", options, **{"X-API-Key": KEY})
        assert "run_id" in answer, answer
        return answer
