"""How fast `GET /recommend/{user_id}` is beside a bare FastAPI route that returns a constant body of the same size.

    uv run --group dev python benchmarks/serve.py [--plays FILE] [--seconds N]

Random players, each with their history read from the database at each request. The settings are the default ones: every
answer is logged, and a player whose history is unchanged since the last answer gets that again; "none remembered" is
without this. Each service runs on cores of its own, the load on the last one. Every figure is the median of several
rounds, in which the two take turns, so that what else the machine does falls on both. It needs wrk (`apt-get install
wrk`); PostgreSQL is measured where it is installed. `--plays` takes a CSV file `user_id,game_id,hours` instead of drawn
plays. "MB more" is the memory that another worker has for itself.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import serving_world
from benchmarks.service import free_port, running, serving
from benchmarks.serving_world import World
from tests import postgres

_ROUNDS = 3
_CONNECTIONS = 16  # for each worker
_SMALL, _LARGE = 5_000, 100_000  # games
_COPIES = 10  # of the players, to see that their number costs nothing

# Asks for a random player each time.
_SCRIPT = """
local paths = {}
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
math.randomseed(42)
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
"""


class Load(NamedTuple):
    """What a service stood: requests a second, and seconds by which half and 99 % of them were answered."""

    rate: float
    p50: float
    p99: float


class Case(NamedTuple):
    """One comparison."""

    name: str
    world: World
    database: str
    workers: int
    remembered: bool = True  # whether a player's last answer is given again while the history is unchanged


def main() -> None:
    """Measure every case, and print it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--plays", type=Path)
    arguments.add_argument("--seconds", type=int, default=4, help="for each measurement")
    asked = arguments.parse_args()
    if not shutil.which("wrk"):
        sys.exit("error: wrk makes the load, and is not installed: apt-get install wrk")
    plays = serving_world.steam_plays(asked.plays) if asked.plays else serving_world.synthetic_plays()
    with TemporaryDirectory() as name, _postgres() as database:
        folder = Path(name)
        small, large = (serving_world.publish(folder, plays, games) for games in (_SMALL, _LARGE))
        sqlite, crowded = f"sqlite:///{folder}/players.db", f"sqlite:///{folder}/crowd.db"
        serving_world.fill(sqlite, plays)
        serving_world.fill(crowded, plays, _COPIES)
        cases = [
            Case(f"SQLite, {_SMALL:,} games", small, sqlite, 1),
            Case(f"SQLite, {_SMALL:,} games, none remembered", small, sqlite, 1, remembered=False),
            Case(f"SQLite, {_SMALL:,} games, {_COPIES} x players", small, crowded, 1),
            Case(f"SQLite, {_LARGE:,} games", large, sqlite, 1),
            Case(f"SQLite, {_LARGE:,} games", large, sqlite, 2),
        ]
        if database:
            serving_world.fill(database, plays)
            cases += [
                Case(f"PostgreSQL, {_SMALL:,} games", small, database, 1),
                Case(f"PostgreSQL, {_SMALL:,} games, none remembered", small, database, 1, remembered=False),
                Case(f"PostgreSQL, {_SMALL:,} games", small, database, 2),
            ]
        print(
            f"{'':44}{'workers':>8}{'requests/s':>12}{'ratio':>7}{'p50 ms':>8}{'p99 ms':>8}{'ratio':>7}{'MB more':>9}"
        )
        for case in cases:
            _measure(case, folder, asked.seconds)


def _measure(case: Case, folder: Path, seconds: int) -> None:
    paths = folder / "paths.txt"
    paths.write_text("".join(f"/recommend/{quote(player, safe='')}\n" for player in case.world.players))
    ours, bare, memory = [], [], 0.0
    for _ in range(_ROUNDS):
        with _ours(case, folder) as (process, port):
            size = _mean_size(port, case.world.players)
            _load(port, case.workers, seconds, paths)  # who has just been started knows nobody yet
            ours.append(_load(port, case.workers, seconds, paths))
            memory = _memory_of_another_worker(process)
        with _bare(size, case.workers) as port:
            bare.append(_load(port, case.workers, seconds))
    mine, theirs = (Load(*map(median, zip(*rounds, strict=True))) for rounds in (ours, bare))
    more = f"{memory:9.0f}" if case.workers > 1 else ""
    print(f"{'bare route':44}{case.workers:8}{theirs.rate:12,.0f}{'':7}{theirs.p50 * 1e3:8.2f}{theirs.p99 * 1e3:8.2f}")
    print(
        f"{case.name:44}{case.workers:8}{mine.rate:12,.0f}{mine.rate / theirs.rate:7.2f}{mine.p50 * 1e3:8.2f}"
        f"{mine.p99 * 1e3:8.2f}{mine.p99 / theirs.p99:7.2f}{more}",
        flush=True,
    )


@contextmanager
def _postgres() -> Iterator[str | None]:
    programs = postgres.binaries()
    if programs is None:
        print("PostgreSQL is not installed, and not measured.")
        yield None
        return
    with postgres.serve(programs) as server:
        yield server.create_database()


@contextmanager
def _ours(case: Case, folder: Path) -> Iterator[tuple[int, int]]:
    settings = {
        "MODEL_STORE": str(case.world.model_store),
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": case.database,
        **({} if case.remembered else {"ANSWERS_REMEMBERED": "0"}),
    }
    with serving(settings, case.workers, _cores(case.workers)) as (process, port):
        yield process, port


@contextmanager
def _bare(size: int, workers: int) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.bare:create_app", "--factory", "--no-access-log"]
    command += ["--port", str(port), "--workers", str(workers), "--log-level", "warning", "--no-server-header"]
    with running(command, {"BARE_BYTES": str(size)}, f"http://127.0.0.1:{port}/bare", _cores(workers)):
        yield port


def _cores(workers: int) -> list[int]:
    """Name as many cores as a service has workers, where there are more."""
    return sorted(os.sched_getaffinity(0))[:workers]


def _load(port: int, workers: int, seconds: int, paths: Path | None = None) -> Load:
    """Let wrk ask for random paths, or for the bare route, from the last core."""
    core = str(max(os.sched_getaffinity(0)))
    command = ["taskset", "--cpu-list", core, "wrk", "--latency", "-t1", f"-c{_CONNECTIONS * workers}", f"-d{seconds}s"]
    with TemporaryDirectory() as folder:
        script = Path(folder) / "paths.lua"
        script.write_text(_SCRIPT)
        asked = ["-s", str(script), f"http://127.0.0.1:{port}"] if paths else [f"http://127.0.0.1:{port}/bare"]
        told = subprocess.run(
            [*command, *asked],
            env={**os.environ, "PATHS": str(paths)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    if "Non-2xx" in told:
        sys.exit(f"error: some requests failed\n{told}")
    return Load(float(_found(r"Requests/sec:\s+([\d.]+)", told)), *(_seconds(told, share) for share in ("50", "99")))


def _seconds(told: str, share: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", _found(rf"(?m)^\s+{share}%\s+(\S+)", told)).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        sys.exit(f"error: wrk did not say what was expected\n{text}")
    return found[1]


def _mean_size(port: int, players: Sequence[str]) -> int:
    """Weigh the answers to some players, in bytes."""
    sizes = []
    for player in players[:: max(1, len(players) // 200)]:
        address = f"http://127.0.0.1:{port}/recommend/{quote(player, safe='')}"
        with urllib.request.urlopen(address) as answer:
            body = answer.read()
            json.loads(body)
            sizes.append(len(body))
    return round(sum(sizes) / len(sizes))


def _memory_of_another_worker(process: int) -> float:
    """Tell what the worker with the most memory of its own has, in 10^6 bytes, beside what all share."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    own = []
    for child in children:
        rollup = Path(f"/proc/{child}/smaps_rollup").read_text()
        own.append(sum(int(number) * 1024 for number in re.findall(r"Private_\w+:\s+(\d+) kB", rollup)) / 1e6)
    return max(own, default=0.0)


if __name__ == "__main__":
    main()
