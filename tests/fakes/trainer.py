"""A stand-in for `python -m training run`: does what it is told, in a fraction of a second.

python trainer.py MODE --run-id RUN_ID
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

RESULT = '{"version": "20260101T000000-000000"}'
STEPS = ("collect", "validate", "train", "evaluate", "publish")
HELD_STEP = "train"
SECRET = "a-secret-of-the-tests"  # noqa: S105  # nobody's


def _end_with_the_service() -> None:
    while os.read(0, 1024):  # not `sys.stdin`, whose lock a thread must not hold when Python ends
        pass
    os._exit(9)


def _end(run_id: str) -> None:
    """Record the end as the trainer does."""
    _record(run_id, state="succeeded", ended_at=time.time(), expires_at=None, result=RESULT)


def _walk(run_id: str) -> None:
    """Go through the steps, and stay in the middle of one until there is a file `go-on`."""
    taken: list[dict[str, Any]] = []
    for name in STEPS:
        taken.append({"name": name, "started_at": time.time(), "seconds": None, "done": 1, "total": 3})
        print(f"{name}: 1 of 3", flush=True)
        _record(run_id, step=name, steps=json.dumps(taken))
        while name == HELD_STEP and not Path("go-on").exists():
            time.sleep(0.05)
        taken[-1]["seconds"] = time.time() - taken[-1]["started_at"]
    _record(run_id, steps=json.dumps(taken))


def _record(run_id: str, **values: object) -> None:
    """Write to a run's row, without the second that importing SQLAlchemy takes."""
    url, mark = os.environ["DATABASE_URL"], "?"
    connection: Any
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)
    else:
        import psycopg  # noqa: PLC0415  # only where it is needed

        connection, mark = psycopg.connect(url), "%s"
    changes = ", ".join(f"{name} = {mark}" for name in values)
    connection.execute(f"UPDATE runs SET {changes} WHERE run_id = {mark}", (*values.values(), run_id))  # noqa: S608
    connection.commit()
    connection.close()


def main() -> int:
    """Do as the mode says."""
    mode, run_id = sys.argv[1], sys.argv[-1]
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "with a helper":
        Path("helper.pid").write_text(str(subprocess.Popen(["sleep", "600"]).pid))  # noqa: S607  # on every machine
    print(f"run {run_id} by {os.getpid()}", flush=True)
    if mode == "fail":
        print(f"error: RAWG does not know the key {SECRET}, \0 it says.\n", file=sys.stderr)
    if mode == "walk":
        _walk(run_id)
    if mode in {"succeed", "linger", "walk"}:
        _end(run_id)
    if mode in {"go on", "stubborn", "linger"}:
        time.sleep(600)
    return 1 if mode == "fail" else 0


if __name__ == "__main__":
    sys.exit(main())
