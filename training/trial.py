"""One method of a benchmark, in a process of its own: `python -m training.trial FOLDER METHOD`.

The folder has the arrays of a `Split`; what the method recommends and what it cost are written there.
"""

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from training.hold_out import IndexArray
from training.memory import Rise
from training.metrics import DEEP_CUT
from training.peers import METHODS, Floats, Method, Scorer
from training.splits import Split

_AT_ONCE = 512  # players


class Cost(TypedDict):
    """What a method took: seconds to train and to recommend to all players, and memory in training (10^6 bytes)."""

    train_seconds: float
    recommend_seconds: float
    memory_mb: float | None


class Trial:
    """The folder by which a benchmark and a method's process hand arrays over."""

    def __init__(self, folder: Path, method: str) -> None:
        self._folder = folder
        self._lists = folder / f"{method}.npy"
        self._cost = folder / f"{method}.json"

    @staticmethod
    def prepare(folder: Path, split: Split) -> None:
        """Write down what every method is given."""
        train = split.train
        arrays = {"indptr": train.indptr, "indices": train.indices, "weights": train.data, "players": split.players}
        for name, values in {**arrays, "shape": np.array(train.shape)}.items():
            np.save(folder / f"{name}.npy", values)

    def given(self) -> tuple[sp.csr_array, IndexArray]:
        """Read the user-item matrix, and the rows of the players to recommend to."""
        indptr, indices, weights, players, shape = (
            np.load(self._folder / f"{name}.npy") for name in ("indptr", "indices", "weights", "players", "shape")
        )
        return sp.csr_array((weights, indices, indptr), shape=tuple(shape.tolist())), players

    def finish(self, lists: npt.NDArray[np.int32], cost: Cost) -> None:
        """Write down what came of it."""
        np.save(self._lists, lists)
        self._cost.write_text(json.dumps(cost))

    def outcome(self) -> tuple[npt.NDArray[np.int32], Cost]:
        """Read what came of it."""
        return np.load(self._lists), json.loads(self._cost.read_text())


def run(method: Method, train: sp.csr_array, players: IndexArray) -> tuple[npt.NDArray[np.int32], Cost]:
    """Fit a method and let it recommend to some players; `DEEP_CUT` games each, -1 standing for none.

    What is compiled or imported at the first use is not counted: a tiny matrix comes first.
    """
    tiny = sp.csr_array(np.tri(8, k=4, dtype=np.float32))
    recommend(method.fit(tiny), tiny, np.arange(4, dtype=np.int32))
    rise, started = Rise(), perf_counter()
    scorer = method.fit(train)
    trained, memory = perf_counter(), rise.megabytes()
    lists = recommend(scorer, train, players)
    return lists, Cost(train_seconds=trained - started, recommend_seconds=perf_counter() - trained, memory_mb=memory)


def recommend(scorer: Scorer, train: sp.csr_array, players: IndexArray) -> npt.NDArray[np.int32]:
    """List the best games of each player that the player has not got in `train`."""
    blocks = [players[start : start + _AT_ONCE] for start in range(0, len(players), _AT_ONCE)]
    return np.concatenate([top(scorer(block), train[block]) for block in blocks])


def top(scores: Floats, own: sp.csr_array, n: int = DEEP_CUT) -> npt.NDArray[np.int32]:
    """List the `n` games with the highest scores of each player (a row) without their own; ties by index.

    A score of -inf is none; where games are lacking, -1 stands. Writes into `scores`.
    """
    scores[np.repeat(np.arange(len(scores)), np.diff(own.indptr)), own.indices] = -np.inf
    lists = np.full((len(scores), n), -1, dtype=np.int32)
    for best, values in zip(lists, scores, strict=True):
        games = np.flatnonzero(values > -np.inf)
        least = np.partition(values[games], -n)[-n] if len(games) > n else -np.inf
        games = games[values[games] >= least]
        ordered = games[np.argsort(-values[games], kind="stable")[:n]]
        best[: len(ordered)] = ordered
    return lists


def main(folder: str, method: str) -> None:
    """Try one method."""
    trial = Trial(Path(folder), method)
    train, players = trial.given()
    trial.finish(*run(METHODS[method], train, players))


if __name__ == "__main__":
    main(*sys.argv[1:])
