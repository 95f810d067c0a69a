"""A constant load on the service from a process of its own: requests at a fixed rate, come what may.

An answer's latency counts from the moment that its request was due, so that what waits behind a slow answer is slow as
well. Each worker gets the same share, over connections that are known to be its own. Linux alone tells which those are.
"""

import gc
import re
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

_CONNECTIONS = 16  # to each worker
_MOST_TRIED = 1000  # connections, until each worker has its own
_PATIENCE = 10.0  # seconds, after which an answer has failed
_READ = 2**17  # bytes
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")
_OK = b"HTTP/1.1 200 "

RECORD = np.dtype(
    [("due", "f8"), ("sent", "f8"), ("done", "f8"), ("worker", "i4"), ("version", "i4"), ("verdict", "i4")]
)
Records = npt.NDArray[np.void]


class Verdict(IntEnum):
    """What an answer was like."""

    GOOD = 0
    FAILED = 1  # none came, it was cut short, or its status is not 200
    MIXED = 2  # it is not what the version that it names answers


class Checked(NamedTuple):
    """Which version an answer names, as a number, -1 for none; and whether it answers so."""

    version: int
    verdict: Verdict


class Check(Protocol):
    """Looks at the body of an answer to a player, given as a position in the list of players."""

    def __call__(self, player: int, body: bytes, /) -> Checked:
        """Judge an answer."""
        ...


def latencies(records: Records) -> npt.NDArray[np.float64]:
    """List how long each answer took (seconds) from when its request was due; one that failed took forever."""
    return np.where(records["verdict"] == Verdict.FAILED, np.inf, records["done"] - records["due"])


def unchecked(_player: int, _body: bytes, /) -> Checked:
    """Take every body for good."""
    return Checked(-1, Verdict.GOOD)


@dataclass(frozen=True)
class Plan:
    """What is asked of whom: `rate` requests a second for random players, for `seconds` after some to warm up."""

    port: int
    service: int  # process id
    workers: int
    players: Sequence[str]
    rate: float
    seconds: float
    warm_up: float = 5.0
    check: Check = field(default=unchecked)


class Load:
    """A load that runs in a process of its own; begins at once."""

    def __init__(self, plan: Plan) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(plan, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.starts: float = self._pipe.recv()  # when the warm-up is over, on the clock of `time.perf_counter`
        self.ends = self.starts + plan.seconds

    def records(self) -> Records:
        """Wait for the end; a record for each request after the warm-up, in the order in which they were due."""
        found: Records = self._pipe.recv()
        self._process.join()
        return found


def _run(plan: Plan, pipe: Any) -> None:
    connections = _connect(plan)
    client = _Client(plan, connections)
    gc.collect()
    gc.freeze()
    gc.disable()  # a pause here would count as one of the service
    client.run(pipe)


class _Connection:
    """A connection to a known worker, with at most one request under way."""

    def __init__(self, connected: socket.socket, worker: int) -> None:
        self.socket = connected
        self.worker = worker
        self.request = self.player = -1
        self.received = b""


class _Client:
    def __init__(self, plan: Plan, connections: Sequence[_Connection]) -> None:
        self._plan = plan
        self._count = int(plan.rate * (plan.warm_up + plan.seconds))
        # The one that was idle longest comes first, so that none is idle for so long that the service closes it.
        self._free = [deque(one for one in connections if one.worker == worker) for worker in range(plan.workers)]
        self._busy: dict[int, _Connection] = {}
        self._waiting: list[deque[int]] = [deque() for _ in range(plan.workers)]
        self._requests = [
            f"GET /recommend/{quote(player, safe='')} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
            for player in plan.players
        ]
        self._players = np.random.default_rng(42).integers(0, len(plan.players), self._count).tolist()
        self._records = np.zeros(self._count, dtype=RECORD)
        self._records["verdict"] = Verdict.FAILED
        self._sent, self._done = self._records["sent"], self._records["done"]

    def run(self, pipe: Any) -> None:
        """Send everything when it is due, and take what comes."""
        first = time.perf_counter() + 0.1
        starts = first + self._plan.warm_up
        pipe.send(starts)
        self._records["due"] = first + np.arange(self._count) / self._plan.rate
        due = self._records["due"].tolist()
        turns = cycle(range(self._plan.workers))
        position, last = 0, due[-1] + _PATIENCE
        while position < self._count or ((self._busy or any(self._waiting)) and time.perf_counter() < last):
            while position < self._count and due[position] <= time.perf_counter():
                self._ask(position, next(turns))
                position += 1
            until = due[position] if position < self._count else last
            # Unlike epoll, it takes microseconds.
            ready, _, _ = select.select(list(self._busy), [], [], max(0.0, until - time.perf_counter()))
            for number in ready:
                self._take(self._busy[number])
        pipe.send(self._records[self._records["due"] >= starts])

    def _ask(self, request: int, worker: int) -> None:
        self._records["worker"][request] = worker
        if not self._free[worker]:
            self._waiting[worker].append(request)
            return
        connection = self._free[worker].popleft()
        connection.request, connection.player = request, self._players[request]
        self._sent[request] = time.perf_counter()
        connection.socket.sendall(self._requests[connection.player])
        self._busy[connection.socket.fileno()] = connection

    def _take(self, connection: _Connection) -> None:
        try:
            came = connection.socket.recv(_READ)
        except OSError:
            came = b""
        connection.received += came
        head, found, body = connection.received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        is_whole = bool(found) and length is not None and len(body) >= int(length[1])
        if came and not is_whole:
            return
        done = time.perf_counter()
        del self._busy[connection.socket.fileno()]
        if not is_whole:  # the answer has failed; where no connection is left, so does what waits
            return
        request, player = connection.request, connection.player
        connection.received = b""
        self._free[connection.worker].append(connection)
        if self._waiting[connection.worker]:
            self._ask(self._waiting[connection.worker].popleft(), connection.worker)
        self._done[request] = done
        if head.startswith(_OK):
            self._records["version"][request], self._records["verdict"][request] = self._plan.check(player, body)


def _connect(plan: Plan) -> list[_Connection]:
    """Open as many connections to each worker; the system gives them to workers as it likes, and some are closed."""
    lots: dict[int, list[socket.socket]] = {}
    for _ in range(_MOST_TRIED):
        connected = socket.create_connection(("127.0.0.1", plan.port))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connected.recv(_READ)
        lot = lots.setdefault(_worker_of(connected, plan), [])
        if len(lot) < _CONNECTIONS:
            lot.append(connected)
        else:
            connected.close()
        if len(lots) == plan.workers and all(len(lot) == _CONNECTIONS for lot in lots.values()):
            return [_Connection(one, number) for number, pid in enumerate(sorted(lots)) for one in lots[pid]]
    raise SystemExit("error: not every worker takes connections")


def _worker_of(connected: socket.socket, plan: Plan) -> int:
    """Find the process at the other end of a connection to the service on this machine."""
    ours, theirs = f"{connected.getsockname()[1]:04X}", f"{plan.port:04X}"
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    node = next(line[9] for line in lines if line[1].endswith(f":{theirs}") and line[2].endswith(f":{ours}"))
    children = Path(f"/proc/{plan.service}/task/{plan.service}/children").read_text().split()
    for process in (str(plan.service), *children):
        for opened in Path(f"/proc/{process}/fd").iterdir():
            if opened.is_symlink() and str(opened.readlink()) == f"socket:[{node}]":
                return int(process)
    raise SystemExit("error: a connection is to none of the service's processes")
