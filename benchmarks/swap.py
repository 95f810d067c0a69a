"""What a swap of the model costs those who ask meanwhile: nothing fails, nothing mixes two versions, nobody waits.

    uv run --group dev python benchmarks/swap.py [--plays FILE] [--rate N] [--swaps N] [--roll-backs N] [--seconds N]

The service has two workers and an SQLite file. A process of its own asks at a constant rate, and this one activates one
version after the other, with some roll-backs between. Each answer must be, game by game and score by score, what the
version that it names answers that player, as worked out beforehand; no two versions answer a player alike. A worker is
in the window of a swap from the activation until it answers from the new version, and half a second more. `--plays`
takes a CSV file `user_id,game_id,hours` instead of drawn plays.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import orjson

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from app.core.answer import Query
from app.core.histories import Play, PlayWeights
from app.core.recommender import Recommender
from app.core.store import ModelStore
from app.core.tastes import Slot, Taste
from benchmarks import serving_world
from benchmarks.service import serving
from benchmarks.steady_load import Checked, Load, Plan, Records, Verdict, latencies
from training.estimators.neighbour_ridge import NeighbourRidgeConfig

_GAMES = 10_000
_VERSIONS = 6
_PLAYERS = 1_000  # who ask: each about once a second, so that most answers are remembered ones between two swaps
_WORKERS = 2
_LOADING, _AFTERWARDS = 0.3, 0.5  # seconds before and after a worker's swap in which it costs something
_VERSION = b'"model_version":"'
_ID_ENDS = len(b'{"recommendation_id":"') + 32

Answer = tuple[tuple[int, float], ...]  # games and scores


class Swap(NamedTuple):
    """When a version was made current (on the clock of `time.perf_counter`), and its number."""

    at: float
    version: int
    is_roll_back: bool


@dataclass
class Expected:
    """What each version answers each player, by their positions; a `Check`."""

    versions: Sequence[str]
    answers: Sequence[Sequence[Answer]]
    good: dict[tuple[int, int], int] = field(default_factory=dict)  # the hash of what was compared already

    def __call__(self, player: int, body: bytes, /) -> Checked:
        """Compare an answer, but for its own name, with what the version that it names answers."""
        start = body.find(_VERSION) + len(_VERSION)
        name = body[start : body.find(b'"', start)].decode()
        if name not in self.versions:
            return Checked(-1, Verdict.FAILED)
        version = self.versions.index(name)
        told = hash(body[_ID_ENDS:])
        if self.good.get((version, player)) != told:
            answer = orjson.loads(body)  # what is no JSON ends the benchmark
            found = tuple((game["game_id"], game["score"]) for game in answer["games"])
            if answer["model_version"] != name or found != self.answers[version][player]:
                return Checked(version, Verdict.MIXED)
            self.good[version, player] = told
        return Checked(version, Verdict.GOOD)


def main() -> None:
    """Measure, and print it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--plays", type=Path)
    arguments.add_argument("--rate", type=float, default=1000, help="requests a second")
    arguments.add_argument("--swaps", type=int, default=50)
    arguments.add_argument("--roll-backs", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=5, help="from one swap to the next")
    asked = arguments.parse_args()
    plays = serving_world.steam_plays(asked.plays) if asked.plays else serving_world.synthetic_plays()
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = ModelStore(folder / "models")
        configs = [NeighbourRidgeConfig(l2=20.0 * 1.5**number) for number in range(_VERSIONS)]
        versions = serving_world.publish_versions(store, plays, _GAMES, configs)
        players, expected = _expected(store, versions, plays)
        database = f"sqlite:///{folder}/players.db"
        serving_world.fill(database, plays)
        store.activate(versions[0])
        settings = {"MODEL_STORE": str(folder / "models"), "DATA_DIR": str(folder / "data"), "DATABASE_URL": database}
        order = _order(asked.swaps, asked.roll_backs)
        with serving(settings, _WORKERS) as (process, port):
            seconds = (len(order) + 1) * asked.seconds
            load = Load(Plan(port, process, _WORKERS, players, asked.rate, seconds, check=expected))
            swaps = list(_swaps(store, versions, order, load.starts, asked.seconds))
            records = load.records()
    _report(records, swaps)


def _expected(store: ModelStore, versions: Sequence[str], plays: Sequence[Play]) -> tuple[list[str], Expected]:
    """Work out the answers to some players to whom no two versions answer alike."""
    histories: dict[str, list[Play]] = {}
    for play in plays:
        histories.setdefault(play.user_id, []).append(play)
    models = [Recommender.from_arrays(store.load(version).arrays) for version in versions]
    players: list[str] = []
    found: list[list[Answer]] = []
    for player in np.random.default_rng(7).permutation(sorted(histories)).tolist():
        answers = [_answer(model, histories[player]) for model in models]
        if len(set(answers)) == len(versions):
            players.append(player)
            found.append(answers)
        if len(players) == _PLAYERS:
            break
    return players, Expected(versions, list(zip(*found, strict=True)))


def _answer(model: Recommender, plays: Sequence[Play]) -> Answer:
    rows = [(play.game_id, Slot.PLAY, play.hours, None) for play in plays]
    answer = model.recommend(Taste.of(rows, PlayWeights()), Query())
    return tuple(zip(answer.game_ids, answer.scores, strict=True))


def _order(swaps: int, roll_backs: int) -> list[bool]:
    """Spread the roll-backs (True) among the swaps."""
    back = set(np.linspace(1, swaps + roll_backs - 1, roll_backs).astype(int).tolist())
    return [number in back for number in range(swaps + roll_backs)]


def _swaps(
    store: ModelStore, versions: Sequence[str], order: Sequence[bool], starts: float, seconds: float
) -> Iterator[Swap]:
    """Activate one version after the other, or go back to the one before, each after so many seconds."""
    current, before = 0, 0
    for number, is_roll_back in enumerate(order):
        # Not in step with the workers' looks at the store.
        due = starts + (number + 0.5 + 0.1 * (number % 4)) * seconds
        time.sleep(max(0.0, due - time.perf_counter()))
        at = time.perf_counter()
        if is_roll_back:
            store.roll_back(versions[current], "The benchmark wants it so.")
            current = before
        else:
            before, current = current, (current + 1) % len(versions)
            store.activate(versions[current])
        yield Swap(at, current, is_roll_back)


def _report(records: Records, swaps: Sequence[Swap]) -> None:
    verdicts = np.bincount(records["verdict"], minlength=len(Verdict))
    taken = np.array([[_taken_over(records, swap, worker) for worker in range(_WORKERS)] for swap in swaps])
    waited = taken - np.array([[swap.at] for swap in swaps])
    went_back = sum(swap.is_roll_back for swap in swaps)
    print(f"{len(records):,} requests, {len(swaps) - went_back} swaps, {went_back} roll-backs")
    print(f"{verdicts[Verdict.FAILED]} failed, {verdicts[Verdict.MIXED]} mixed")
    for worker in range(_WORKERS):
        seen = waited[np.isfinite(waited[:, worker]), worker]
        times = f", after {np.median(seen):.2f} s, at most {np.max(seen):.2f} s" if len(seen) else ""
        print(f"worker {worker}: {len(seen)} of {len(swaps)} taken over{times}")

    sent = records["due"]
    inside = np.zeros(len(records), dtype=bool)
    close = np.zeros(len(records), dtype=bool)
    for swap, by in zip(swaps, taken, strict=True):
        inside |= (sent >= swap.at) & (sent < np.max(by[np.isfinite(by)], initial=swap.at) + _AFTERWARDS)
        for worker, at in enumerate(by):
            close |= (records["worker"] == worker) & (sent >= at - _LOADING) & (sent < at + _AFTERWARDS)
    print(f"{'':44}{'requests':>10}{'p50 ms':>9}{'p99 ms':>9}{'p99.9 ms':>10}{'p99 ratio':>11}")
    outside = latencies(records[~inside & ~close])
    for name, some in (
        ("outside", outside),
        ("from the activation to both workers' swap", latencies(records[inside])),
        (f"from {_LOADING:g} s before a worker's swap", latencies(records[close])),
    ):
        p50, p99, p999 = np.percentile(some, (50, 99, 99.9)) * 1e3
        print(f"{name:44}{len(some):10,}{p50:9.2f}{p99:9.2f}{p999:10.2f}{p99 / np.percentile(outside, 99) / 1e3:11.2f}")


def _taken_over(records: Records, swap: Swap, worker: int) -> float:
    """Tell when a worker first answered from a version that has been made current; infinity where it never did."""
    new = (records["worker"] == worker) & (records["version"] == swap.version) & (records["done"] > swap.at)
    return float(records["done"][new].min()) if new.any() else np.inf


if __name__ == "__main__":
    main()
