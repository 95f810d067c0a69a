"""What a training run costs those who ask meanwhile: `GET /recommend/{user_id}` while one runs, beside idle times.

    uv run --group dev python benchmarks/retrain_impact.py [--plays FILE] [--rate N] [--seconds N] [--workers N]

The service trains on the same machine, as `POST /retrain` has it: on 10,000 games that it has kept, and on the plays in
an SQLite file. A process of its own asks at a constant rate all the time; runs and idle times take turns, so that what
else the machine does falls on both. The first seconds after a run, in which its model is taken over, count as neither:
`swap.py` measures those. `--plays` takes a CSV file `user_id,game_id,hours` instead of drawn plays.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import serving_world
from benchmarks.service import ADMIN_KEY, environment, serving
from benchmarks.steady_load import Load, Plan, Records, Verdict, latencies
from tests.fakes import rawg

_GAMES = 10_000
_IDLE, _SETTLING = 15.0, 4.0  # seconds: before each run; after it, until all workers have its model
_LOOK = 0.5  # seconds between two looks at a run
_TRAIN = (sys.executable, "-m", "training", "run")


Milliseconds = npt.NDArray[np.float64]


class Span(NamedTuple):
    """When a run began and ended, on the clock of `time.perf_counter`."""

    begun: float
    ended: float


def main() -> None:
    """Measure, and print it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--plays", type=Path)
    arguments.add_argument("--rate", type=float, default=500, help="requests a second")
    arguments.add_argument("--seconds", type=float, default=150, help="in all")
    arguments.add_argument("--workers", type=int, default=1)
    asked = arguments.parse_args()
    plays = serving_world.steam_plays(asked.plays) if asked.plays else serving_world.synthetic_plays()
    players = sorted({play.user_id for play in plays})
    with TemporaryDirectory() as name:
        folder = Path(name)
        settings = {"MODEL_STORE": str(folder / "models"), "DATA_DIR": str(folder), "RAWG_MAX_GAMES": str(_GAMES)}
        serving_world.fill(f"sqlite:///{folder}/interactions.db", plays)
        with rawg.serve(serving_world.records(plays, _GAMES)) as source:
            keyed = {"RAWG_API_KEY": rawg.KEY, "RAWG_BASE_URL": source.base_url}
            subprocess.run(_TRAIN, cwd=folder, env=environment({**settings, **keyed}), check=True)
        ours = {**settings, "RETRAIN_ENABLED": "true", "RETRAIN_CRON": "0 0 1 1 *", "RETRAIN_GRACE_HOURS": "0"}
        with serving(ours, asked.workers) as (process, port):
            load = Load(Plan(port, process, asked.workers, players, asked.rate, asked.seconds))
            spans = list(_runs(port, load))
            records = load.records()
    _report(records, spans)


def _runs(port: int, load: Load) -> Iterator[Span]:
    """Run after run, each after an idle time, until the load ends; one that goes on by then is not told of."""
    idle_since = load.starts
    while (begins := idle_since + _IDLE) < load.ends:
        time.sleep(max(0.0, begins - time.perf_counter()))
        begun = time.perf_counter()
        run = _call(port, "/retrain", b'{"collect": false}')
        while run["state"] in {"queued", "running"}:
            time.sleep(_LOOK)
            if time.perf_counter() > load.ends:
                return
            run = _call(port, f"/retrain/{run['run_id']}")
        if run["state"] != "succeeded":
            sys.exit(f"error: a run {run['state']}: {run['error']}")
        yield Span(begun, time.perf_counter())
        idle_since = time.perf_counter() + _SETTLING


def _call(port: int, path: str, body: bytes | None = None) -> Mapping[str, Any]:
    """Ask the service, with a body to do something."""
    headers = {"X-API-Key": ADMIN_KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # our own address
        told: Mapping[str, Any] = json.load(answer)
        return told


def _report(records: Records, spans: Sequence[Span]) -> None:
    if not spans:
        sys.exit("error: no run came to its end: give it more --seconds")
    due, took = records["due"], latencies(records) * 1e3
    print(f"{len(records):,} requests, {np.count_nonzero(records['verdict'] == Verdict.FAILED)} failed")
    columns = "".join(f"{f'{when} p50':>10}{'p99 ms':>9}{'p99.9':>9}" for when in ("idle", "busy"))
    print(f"{'':12}{'seconds':>9}{columns}{'p99 ratio':>11}")
    idle_since, all_idle, all_busy = due[0], [], []
    for number, span in enumerate(spans, 1):
        all_idle.append(took[(due >= idle_since) & (due < span.begun)])
        all_busy.append(took[(due >= span.begun) & (due < span.ended)])
        _line(f"run {number}", span.ended - span.begun, all_idle[-1], all_busy[-1])
        idle_since = span.ended + _SETTLING
    _line("all", sum(span.ended - span.begun for span in spans), np.concatenate(all_idle), np.concatenate(all_busy))


def _line(name: str, seconds: float, idle: Milliseconds, busy: Milliseconds) -> None:
    of_idle, of_busy = (np.percentile(some, (50, 99, 99.9)) for some in (idle, busy))
    columns = "".join(f"{p50:10.2f}{p99:9.2f}{p999:9.2f}" for p50, p99, p999 in (of_idle, of_busy))
    print(f"{name:12}{seconds:9.1f}{columns}{of_busy[1] / of_idle[1]:11.2f}")


if __name__ == "__main__":
    main()
