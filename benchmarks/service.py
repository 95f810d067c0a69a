"""The service, and other servers to measure beside it, as processes of their own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
ADMIN_KEY = "the-key-of-the-benchmark"
_TELLING = ("RAWG_API_KEY", "SLACK_WEBHOOK_URL", "WANDB_API_KEY")


@contextmanager
def serving(
    settings: Mapping[str, str], workers: int, cores: Sequence[int] = (), folder: Path | None = None
) -> Iterator[tuple[int, int]]:
    """Run the service with some settings until it is no longer needed; gives its process id and its port."""
    port = free_port()
    ours = {
        "ADMIN_API_KEY": ADMIN_KEY,
        "WORKERS": str(workers),
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "PROBATION_MINUTES": "0",
        "RETRAIN_ENABLED": "false",
        **settings,
    }
    address = f"http://127.0.0.1:{port}/health/ready"
    with running([sys.executable, "-m", "app"], ours, address, cores, folder) as process:
        yield process, port


@contextmanager
def running(
    command: Sequence[str],
    settings: Mapping[str, str],
    address: str,
    cores: Sequence[int] = (),
    folder: Path | None = None,
) -> Iterator[int]:
    """Run a server, on some cores alone if any are named, until it is no longer needed; gives its process id.

    It runs in a new folder unless one is named.
    """
    pinned = ["taskset", "--cpu-list", ",".join(map(str, cores))] if cores else []
    with TemporaryDirectory() as new:
        process = subprocess.Popen([*pinned, *command], cwd=folder or new, env=environment(settings))
        try:
            _wait_for(address)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Give a process its settings; it is to run in a folder without `.env`, so that nobody is told of a benchmark."""
    others = {name: value for name, value in os.environ.items() if name not in _TELLING}
    return {**others, "PYTHONPATH": str(ROOT), **settings}


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310  # our own address
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"error: {address} does not answer")
