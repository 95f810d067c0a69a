"""What happens in the hours of `day.py`: a clock that leaps, sources that change and fail, and somebody who asks."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.service import ADMIN_KEY, ROOT, environment
from tests import footprint
from tests.fakes import rawg, slack

MODELS_KEPT = 3

_SOURCE = Path(__file__).with_name("leaping_clock.c")
_CALM = 1.0  # seconds after the last answer, until its connection is closed
_LEADS_BY = 3.0  # seconds before the hour to which the clock leaps
_LOOK = 0.1  # seconds between two looks at a run
_LONGEST = 180.0  # seconds for a run to end
_SETTLING = 5.0  # seconds after a run: by then both workers have the new model, and freed the old one
_TOUCHED, _SPOILT = 25, 80  # games an hour; and once
_PLAYS_AN_HOUR = 20
_ENDS = ("succeeded", "failed", "cancelled")
_TRAINER = "training run"

Run = Mapping[str, Any]


@dataclass(frozen=True)
class Hour:
    """What is to happen in an hour, and how its run is to end."""

    name: str = ""
    ends: str = "succeeded"
    stops_in: str | None = None  # the step in which the run is killed or cancelled
    is_tracked: bool = False


_USUAL, _TRACKED, _EVERY = Hour(), Hour("tracked", is_tracked=True), 4
_PLAN = {
    2: Hour("RAWG down", "failed"),
    4: Hour("killed in train", "failed", "train"),
    6: Hour("bad records", "failed"),
    8: Hour("cancelled", "cancelled", "train"),
    10: Hour("killed in collect", "failed", "collect"),
    13: Hour("Slack down"),
    14: Hour("W&B away", is_tracked=True),
    16: Hour("killed in track", "failed", "track", is_tracked=True),
    18: Hour("RAWG down", "failed"),
    20: Hour("killed in evaluate", "failed", "evaluate"),
    22: Hour("cancelled", "cancelled", "collect"),
}


def _planned(hour: int) -> Hour:
    return _PLAN.get(hour, _TRACKED if hour % _EVERY == _EVERY - 1 else _USUAL)


class Clock:
    """The clock on the wall of all who have its environment; it goes at the usual speed, and leaps."""

    def __init__(self, folder: Path, begins_at: float) -> None:
        """Make it in a folder; it takes a C compiler."""
        compiler = shutil.which("cc")
        if compiler is None:
            sys.exit("error: the clock is written in C, and there is no compiler: apt-get install gcc")
        self._file, library = folder / "ahead", folder / "leaping_clock.so"
        self._file.write_bytes(bytes(8))
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, _SOURCE], check=True)
        self.leap(begins_at)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(self._file)}

    def now(self) -> float:
        """Tell the time, in seconds since 1970."""
        return time.time() + self._ahead

    def leap(self, to: float) -> None:
        """Be at another time, for everybody at once."""
        self._ahead = round(to - time.time())
        with self._file.open("r+b") as file:
            file.write(self._ahead.to_bytes(8, sys.byteorder, signed=True))


class DayWorld:
    """A service's surroundings, in a folder of their own: `tmp` and `home` hold what somebody leaves there."""

    def __init__(
        self, folder: Path, source: rawg.FakeRawg, told: slack.FakeSlack, players: Sequence[str], *, busy: bool
    ) -> None:
        self.folder, self.data, self.models = folder, folder / "data", folder / "models"
        self.tmp, self.home = folder / "tmp", folder / "home"
        for made in (self.data, self.tmp, self.home):
            made.mkdir()
        self.database = f"sqlite:///{self.data}/interactions.db"
        self.rawg, self.slack = source, told
        self._players = players
        now = time.time()
        self._noon = (now // 86_400 + 1.5) * 86_400
        self._clock = Clock(folder, self._noon - 300)
        self._names = count()
        self._port = 0
        path = str(ROOT)
        if busy:
            (folder / "sitecustomize.py").write_text("from app import child\nchild._LEAST_NICE = 0\n")
            path = f"{folder}{os.pathsep}{ROOT}"
        self.settings = {
            **self._clock.environment,
            "PYTHONPATH": path,
            "TMPDIR": str(self.tmp),
            "HOME": str(self.home),
            "DATA_DIR": str(self.data),
            "MODEL_STORE": str(self.models),
            "MODELS_KEPT": str(MODELS_KEPT),
            "RAWG_API_KEY": rawg.KEY,
            "RAWG_BASE_URL": source.base_url,
            "RAWG_MAX_GAMES": str(len(source.games)),
            "RAWG_FULL_DAYS": "0.5",
            "RETRAIN_ENABLED": "true",
            "RETRAIN_CRON": "0 * * * *",
            "RUNS_KEPT": "5",
            "PROBATION_MINUTES": "0.1",
            "SLACK_WEBHOOK_URL": told.url,
            "LOG_LEVEL": "ERROR",
        }

    def serves_at(self, port: int) -> None:
        """Learn where the service is."""
        self._port = port

    def live_through(self, hour: int) -> tuple[Hour, Run]:
        """Let an hour's run come, go and be taken over; returns what was planned, and the run."""
        planned = _planned(hour)
        begins = self._noon + hour * 3600
        self._prepare(planned, hour)
        self._clock.leap(begins - _LEADS_BY)
        run = self._ended(self._begun(begins), planned)
        self.rawg.faults.clear()
        time.sleep(_SETTLING)
        return planned, run

    @contextmanager
    def asking(self, rate: float) -> Iterator["Asking"]:
        """Ask all the time."""
        load = Asking(self._port, self._players, rate)
        load.start()
        try:
            yield load
        finally:
            load.stop()

    def _prepare(self, planned: Hour, hour: int) -> None:
        self._touch(hour, spoil=planned.name == "bad records")
        if planned.name == "RAWG down":
            self.rawg.faults = {1: [rawg.status(503, Retry_After="3600")]}
        if planned.stops_in == "collect":
            self.rawg.faults = {1: [rawg.slow(3)]}
        if planned.name == "Slack down":
            self.slack.faults = [slack.status(503)] * 2
        self._play(hour)
        tracking = {"WANDB_MODE": "offline"} if planned.is_tracked else {"WANDB_MODE": "disabled"}
        if planned.name == "W&B away":
            away = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "k" * 40, "WANDB_TIMEOUT": "10"}
            tracking = {"WANDB_MODE": "online", **away}
        # The trainer reads the settings anew at each run.
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in tracking.items()))

    def _touch(self, hour: int, *, spoil: bool) -> None:
        """Rename some games, as somebody does on that day; or spoil many, which are mended in the next hour."""
        day = f"{datetime.fromtimestamp(self._clock.now(), UTC):%Y-%m-%d}"
        if spoil:
            for game in self._games()[:_SPOILT]:
                self.rawg.touch(game, day, name="")
            return
        spoilt = {game["id"] for game in self.rawg.games if isinstance(game, dict) and not game["name"]}
        games = self._games()
        for game in spoilt | {games[(hour * 7 + k) % len(games)] for k in range(_TOUCHED)}:
            self.rawg.touch(game, day, name=f"Game {game} of {next(self._names)}")

    def _games(self) -> list[int]:
        return [game["id"] for game in self.rawg.games if isinstance(game, dict)]

    def _play(self, hour: int) -> None:
        games = self._games()
        written = [
            {
                "user_id": self._players[(hour * 31 + k) % len(self._players)],
                "game_id": games[(hour * 13 + k * 5) % len(games)],
                "kind": "play",
                "hours": 1.0 + k,
            }
            for k in range(_PLAYS_AN_HOUR)
        ]
        self._call("POST", "/interactions", written)

    def _begun(self, at: float) -> Run:
        """Wait for the run of the schedule."""
        until = time.monotonic() + _LONGEST
        while time.monotonic() < until:
            newest = self._call("GET", "/retrain?n=1")["runs"]
            if newest and datetime.fromisoformat(newest[0]["queued_at"]).timestamp() >= at - 1:
                found: Run = newest[0]
                return found
            time.sleep(_LOOK)
        return sys.exit("error: the schedule queued no run")

    def _ended(self, run: Run, planned: Hour) -> Run:
        until, is_stopped = time.monotonic() + _LONGEST, planned.stops_in is None
        while run["state"] not in _ENDS and time.monotonic() < until:
            if not is_stopped and run["step"] == planned.stops_in:
                is_stopped = self._stop(run, planned)
            time.sleep(_LOOK)
            run = self._call("GET", f"/retrain/{run['run_id']}")
        return run

    def _stop(self, run: Run, planned: Hour) -> bool:
        if planned.ends == "cancelled":
            self._call("POST", f"/retrain/{run['run_id']}/cancel", {})
            return True
        for pid in footprint.started_with(str(self.tmp)):
            with suppress(OSError):
                if f"{_TRAINER} --run-id {run['run_id']}" in footprint.command(pid):
                    os.kill(pid, signal.SIGKILL)
                    return True
        return False

    def _call(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            headers = {"X-API-Key": ADMIN_KEY, "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return json.load(connection.getresponse())
        finally:
            connection.close()


class Asking(threading.Thread):
    """Asks at a constant rate, each time over a connection of its own, so that all workers are asked."""

    def __init__(self, port: int, players: Sequence[str], rate: float) -> None:
        super().__init__(daemon=True)
        self._port, self._players, self._rate = port, players, rate
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.answered = self.failed = 0

    def run(self) -> None:
        """Ask."""
        for number in count():
            if self._over.wait(1 / self._rate):
                return
            player = quote(self._players[number * 7 % len(self._players)])
            paths = {3: f"/recommend/{player}?explain=true&diversity=0.3", 11: "/games?search=star", 17: "/metrics"}
            with self._lock:
                self._ask(paths.get(number % 20, f"/recommend/{player}"))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Ask nothing in the block."""
        with self._lock:
            time.sleep(_CALM)
            yield

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()
        self.join()

    def _ask(self, path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            self.failed += answer.status != http.client.OK
        except (OSError, http.client.HTTPException):
            self.failed += 1
        finally:
            connection.close()
        self.answered += 1


def trained(world: DayWorld) -> None:
    """Train the first model, before the service is there."""
    command = [sys.executable, "-m", "training", "run"]
    subprocess.run(command, cwd=world.folder, env=environment(world.settings), check=True, stdout=subprocess.DEVNULL)
