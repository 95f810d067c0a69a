"""A stand-in for the project's `training step`, which does at each attempt what it is told: see `main`.

It is copied to a folder of its own, as `training/__main__.py`, and run by the DAG from there.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Note what it was called with, then exit with the next code that `PLAN` has for this step; 0 where it has none.

    A code of "hang" stands for a step that starts a process, and like it takes no notice of SIGTERM.
    """
    command, name, option, run_id, attached = sys.argv[1:]
    assert (command, option, attached) == ("step", "--run-id", "--attached")
    folder = Path(os.environ["DATA_DIR"]) / "runs" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    calls = Path(os.environ["DATA_DIR"]) / "calls.jsonl"
    earlier = [json.loads(line)["step"] for line in calls.read_text().splitlines()] if calls.exists() else []
    call = {"step": name, "run_id": run_id, "cwd": str(Path.cwd()), "environment": sorted(os.environ)}
    with calls.open("a") as file:
        file.write(json.dumps(call) + "\n")
    codes = json.loads(os.environ["PLAN"]).get(name, [])
    attempt = earlier.count(name)
    code = codes[attempt] if attempt < len(codes) else 0
    if code == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        (folder / "pids").write_text(f"{os.getpid()} {child.pid}")
        time.sleep(300)
    sys.stderr.write(f"error: {name} cannot be done.\n" if code else f"{name} is done.\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
