"""Our estimators beside those of others: the same plays, the same run, the same measures."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import JsonValue

from training import bootstrap, progress, splits
from training.bootstrap import Estimate
from training.metrics import DEEP_CUT, NDCG, RECALL, Ranked
from training.peers import METHODS
from training.splits import Split
from training.trial import Cost, Trial

MEASURES = (NDCG, RECALL, f"ndcg@{DEEP_CUT}")

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """One method: its measures and its cost, or why it has none."""

    method: str
    settings: str
    measures: Mapping[str, Estimate]
    cost: Cost | None = None
    trouble: str | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        """Write the row for machines."""
        cost: Mapping[str, Any] = self.cost or {}
        found: dict[str, JsonValue] = {name: estimate._asdict() for name, estimate in self.measures.items()}
        return {
            "method": self.method,
            "settings": self.settings,
            **found,
            **cost,
            **({"trouble": self.trouble} if self.trouble else {}),
        }


@dataclass(frozen=True)
class Benchmark:
    """The table, and in sentences what it is of."""

    notes: Sequence[str]
    rows: Sequence[Row]

    def to_dict(self) -> dict[str, JsonValue]:
        """Write the table for machines."""
        return {"notes": [*self.notes], "methods": [row.to_dict() for row in self.rows]}


def run(train: Path, test: Path | None, memory: float, only: Sequence[str]) -> Benchmark:
    """Compare methods (all, or `only` the named ones) on a split; a dense one may take `memory` (10^9 bytes).

    Each runs in a process of its own, one after the other. Raises as `splits.read`.
    """
    split = splits.read(train, test)
    names = [name for name in METHODS if name in only or not only]
    with TemporaryDirectory() as folder, progress.bar("Benchmark", "methods") as advance:
        Trial.prepare(Path(folder), split)
        return Benchmark(split.notes, list(_rows(names, split, Path(folder), memory, advance)))


def _rows(names: Sequence[str], split: Split, folder: Path, memory: float, advance: progress.Advance) -> Iterator[Row]:
    for done, name in enumerate(names, start=1):
        trouble = _obstacle(name, split.train.shape[1], memory) or _try(name, folder)
        settings = METHODS[name].settings
        if trouble:
            yield Row(name, settings, {}, trouble=trouble)
        else:
            lists, cost = Trial(folder, name).outcome()
            per_player = Ranked(lists, split.wanted).per_player()
            yield Row(name, settings, {name: bootstrap.of_mean(per_player[name]) for name in MEASURES}, cost)
        advance(done, len(names))


def _obstacle(name: str, games: int, memory: float) -> str | None:
    """Tell why a method cannot be tried here."""
    method = METHODS[name]
    if method.package and find_spec(method.package) is None:
        return "not installed: uv sync --group benchmark"
    need = method.need(games) / 1e9
    if need > memory:
        takes = f"its dense matrix of {games:,} x {games:,} games takes {need:.1f} GB"
        return f"left out: {takes}, --memory allows {memory:g} GB"
    return None


def _try(name: str, folder: Path) -> str | None:
    """Run a method to its end; tells what went wrong, if anything."""
    command = [sys.executable, "-m", "training.trial", str(folder), name]
    ended = subprocess.run(
        command, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    if ended.returncode < 0:
        killed = signal.Signals(-ended.returncode)
        why = "; memory may have run out" if killed == signal.SIGKILL else ""
        return f"failed: killed by {killed.name}{why}"
    said = ended.stderr.strip().splitlines()
    return f"failed: {said[-1] if said else f'exit code {ended.returncode}'}" if ended.returncode else None
