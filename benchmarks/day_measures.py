"""What is measured after each hour of `day.py`, and what is made of it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.day_world import MODELS_KEPT, DayWorld, Hour, Run
from tests import footprint

_FROM = 6  # the hour from which on everything is to be as it is
_MB = 1e6
_VERSIONS_MORE = 2  # than are kept: the current one, and the one before it
_VERSION_LENGTH = len("20260101T000000-000000")


class Allowed(NamedTuple):
    """By how much something may grow from the sixth hour to the last: a share of what it was, and a number."""

    share: float = 0.0
    number: float = 0.0


@dataclass(frozen=True)
class Measures:
    """Everything that must not grow, and the history that is kept, by name."""

    bounded: dict[str, float]
    kept: dict[str, float]

    @classmethod
    def of(cls, world: DayWorld, service: int) -> "Measures":
        """Measure the service and its folders."""
        processes = [pid for pid in footprint.descendants(service) if not footprint.is_zombie(pid)]
        workers = sorted(pid for pid in processes if "multiprocessing.spawn" in footprint.command(pid))
        family = {service, *footprint.descendants(service)}
        bounded: dict[str, float] = {}
        for name, pid in zip(("master", *(f"worker {k}" for k in range(1, 9))), (service, *workers), strict=False):
            rss, own = footprint.memory(pid)
            bounded |= {
                f"{name} RSS": rss / _MB,
                f"{name} own": own / _MB,
                f"{name} files": footprint.files(pid),
                f"{name} threads": footprint.threads(pid),
                f"{name} models": len(footprint.mapped(pid, world.models)),
            }
        bounded |= {
            "children": len(family),
            "zombies": sum(map(footprint.is_zombie, family)),
            "strays": len(set(footprint.started_with(str(world.tmp))) - family),
            **_disk(world),
        }
        rows = _rows(world.data / "interactions.db")
        bounded |= {name: rows.pop(name) for name in ("runs", "leases", "notices open")}
        return cls(bounded, {**rows, **_history(world)})


def _disk(world: DayWorld) -> dict[str, float]:
    entries = [entry.name for entry in world.models.iterdir()]
    versions = [name for name in entries if len(name) == _VERSION_LENGTH]
    found: dict[str, float] = {"versions": len(versions), "other in models": len(entries) - len(versions)}
    for name, folder in (
        ("models", world.models),
        ("rawg", world.data / "rawg"),
        ("logs", world.data / "runs"),
        ("wandb .working", world.data / "wandb" / ".working"),
        ("tmp", world.tmp),
        ("home", world.home),
    ):
        number, size = footprint.weigh(folder)
        found |= {f"{name} number": number, f"{name} kB": size / 1e3}
    shared = (path.name for path in Path("/dev/shm").iterdir())  # noqa: S108  # to look at
    found["shared memory"] = sum("loky" in name or "joblib" in name for name in shared)
    found["data entries"] = len(list(world.data.iterdir()))
    wal = world.data / "interactions.db-wal"
    found["WAL kB"] = wal.stat().st_size / 1e3 if wal.exists() else 0.0
    return found


def _history(world: DayWorld) -> dict[str, float]:
    number, size = footprint.weigh(world.data / "wandb")
    runs = [path for path in (world.data / "wandb").glob("*run-*") if path.is_dir()]
    database = (world.data / "interactions.db").stat().st_size
    return {"wandb runs": len(runs), "wandb files": number, "wandb kB": size / 1e3, "database kB": database / 1e3}


def _rows(database: Path) -> dict[str, float]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608
        waiting = connection.execute("SELECT count(*) FROM notices WHERE ended_at IS NULL").fetchone()[0]
    finally:
        connection.close()
    return {**counts, "notices open": waiting}


_COLUMNS = (
    ("worker 1 RSS", "w1 MB", ".1f"),
    ("worker 1 own", "own", ".1f"),
    ("worker 2 RSS", "w2 MB", ".1f"),
    ("worker 2 own", "own", ".1f"),
    ("master RSS", "m MB", ".1f"),
    ("worker 1 files", "files", ".0f"),
    ("worker 2 files", "", ".0f"),
    ("worker 1 threads", "thr", ".0f"),
    ("worker 2 threads", "", ".0f"),
    ("children", "proc", ".0f"),
    ("versions", "mod", ".0f"),
    ("rawg kB", "rawg kB", ".0f"),
    ("logs number", "logs", ".0f"),
    ("WAL kB", "WAL kB", ".0f"),
    ("tmp number", "tmp", ".0f"),
    ("wandb runs", "W&B", ".0f"),
    ("database kB", "db kB", ".0f"),
    ("runs", "runs", ".0f"),
    ("notices", "not.", ".0f"),
)
_WIDTHS = {"files": 6, "": 3, "thr": 5, "proc": 5, "mod": 4, "tmp": 4, "logs": 5, "W&B": 4, "runs": 5, "not.": 5}


def print_head() -> None:
    """Print the table's head."""
    names = "".join(f"{head:>{_WIDTHS.get(head, 8)}}" for _, head, _ in _COLUMNS)
    print(f"{'hour':>4} {'what':19}{'ended':11}{'s':>5}{names}", flush=True)


def print_hour(hour: int, planned: Hour, run: Run, seconds: float, measures: Measures) -> None:
    """Print a line of the table; `+` where a model went live, `!` where the run ended otherwise than planned."""
    all_ = {**measures.bounded, **measures.kept}
    values = "".join(f"{all_.get(name, np.nan):{_WIDTHS.get(head, 8)}{form}}" for name, head, form in _COLUMNS)
    state = run["state"] + ("+" * bool(run["result"].get("promoted")) if run["state"] == planned.ends else "!")
    print(f"{hour + 1:4} {planned.name:19}{state:11}{seconds:5.0f}{values}", flush=True)
    if run["state"] != planned.ends:
        print(f"     {run['step']}: {run['error']}")


def print_verdict(measures: Sequence[Measures]) -> bool:
    """Print what grew, beside what may; says whether all is well."""
    late = measures[_FROM - 1 :]
    if len(late) < _FROM:
        print("Too few hours for a verdict.")
        return True
    print(f"\n{'from hour 6 to the last':24}{'at 6':>10}{'last':>10}{'most':>10}{'growth':>10}{'allowed':>10}")
    ok = True
    for name in late[0].bounded:
        ok &= _judge(name, [one.bounded.get(name, np.nan) for one in late], _allowed(name))
    print("kept on purpose:")
    for name in late[0].kept:
        _judge(name, [one.kept.get(name, np.nan) for one in late], None)
    return ok


def _judge(name: str, values: Sequence[float], allowed: Allowed | None) -> bool:
    growth, first = min(_rise(values), 2 * _rise(values[len(values) // 2 :])), values[0]
    limit = np.inf if allowed is None else allowed.share * first + allowed.number
    is_well = bool(growth <= limit)
    shown = ("" if allowed is None else f"{limit:10.1f}") + ("" if is_well else "  GROWS")
    print(f"{name:24}{first:10.1f}{values[-1]:10.1f}{max(values):10.1f}{growth:+10.1f}{shown}")
    return is_well


def _rise(values: Sequence[float]) -> float:
    """Tell by how much a straight line through values rises from the first to the last."""
    return float(np.polyfit(np.arange(len(values)), values, 1)[0]) * (len(values) - 1)


def _allowed(name: str) -> Allowed:
    words = name.split()
    if words[-1] in {"RSS", "own"}:
        return Allowed(share=0.03, number=1.5)
    if words[0] in {"versions", "models"}:
        return Allowed(share=_VERSIONS_MORE / MODELS_KEPT)
    if words[-1] == "kB":
        return Allowed(share=0.05, number=50)
    return Allowed(number={"files": 2.0, "threads": 1.0}.get(words[-1], 0.5))
