"""Ask an address again and again, from several threads that keep their connections, until SIGTERM.

    python load.py URL [THREADS]

Prints `begun` after a hundred answers, and in the end JSON: `answered`, `failed` with the reasons, and `refused`, where
nobody was there to take the connection.
"""

import json
import signal
import sys
import threading
import time
from collections import Counter
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

PAUSE = 0.01  # seconds between two requests of a thread
TIMEOUT = 15.0
BEGUN = 100  # answers


class Load:
    """What all threads have seen so far."""

    def __init__(self, url: str) -> None:
        """Ask `url`."""
        self.parts = urlsplit(url)
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.seen: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.slowest = 0.0

    def run(self) -> None:
        """Ask until told to stop."""
        connection = None
        while not self.stop.wait(PAUSE):
            if connection is None:
                connection = HTTPConnection(self.parts.netloc, timeout=TIMEOUT)
                try:
                    connection.connect()
                except OSError:
                    connection = None
                    self.count("refused")
                    self.stop.wait(0.1)
                    continue
            if not self.ask(connection):
                connection.close()
                connection = None

    def ask(self, connection: HTTPConnection) -> bool:
        """Ask once; says whether the connection may be used again."""
        began = time.monotonic()
        try:
            connection.request("GET", f"{self.parts.path}?{self.parts.query}")
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            self.count("failed", reason=f"{type(error).__name__}: {error}"[:200])
            return False
        if answer.status != HTTPStatus.OK:
            self.count("failed", reason=f"{answer.status} {body}"[:200])
        else:
            self.count("answered", version=body["model_version"], took=time.monotonic() - began)
        return not answer.will_close

    def count(self, what: str, *, version: str = "", reason: str = "", took: float = 0.0) -> None:
        """Count one request."""
        with self.lock:
            self.seen[what] += 1
            self.slowest = max(self.slowest, took)
            if what == "answered" and self.seen[what] == BEGUN:
                print("begun", flush=True)
            if version:
                self.versions[version] += 1
            if reason:
                self.reasons[reason] += 1


def main(url: str, threads: int = 8) -> None:
    """Ask until SIGTERM."""
    load = Load(url)
    signal.signal(signal.SIGTERM, lambda *_: load.stop.set())
    asking = [threading.Thread(target=load.run) for _ in range(threads)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    told = {name: load.seen[name] for name in ("answered", "failed", "refused")}
    reasons = load.reasons.most_common(5)
    print(json.dumps({**told, "slowest": round(load.slowest, 3), "versions": load.versions, "reasons": reasons}))


main(sys.argv[1], *map(int, sys.argv[2:]))
