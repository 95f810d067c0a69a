"""The folder through which the workers' metrics come together; the metrics' library looks for it when imported."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_PREFIX = "game-recommender-metrics-"
_LOCK = ".lock"  # is held by whoever made the folder, for as long as that process lives
_BEGINNING = 60.0  # seconds after which whoever made a folder holds its lock


@contextmanager
def metrics_folder() -> Iterator[None]:
    """Give all workers that are started in the block a folder for their metrics, empty at first and gone at the end.

    Where `PROMETHEUS_MULTIPROC_DIR` names one already, it is emptied of metrics, and stays. Raises `OSError` where
    there can be none.
    """
    if named := os.environ.get(VARIABLE):
        folder = Path(named)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("*.db"):  # of workers that were killed
            left.unlink(missing_ok=True)
        yield
        return
    _remove_left_behind()
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as made,
        FileLock(Path(made) / _LOCK),
    ):
        os.environ[VARIABLE] = made
        try:
            yield
        finally:
            del os.environ[VARIABLE]


def _remove_left_behind() -> None:
    """Remove the folders of services that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):  # it is somebody else's, or in use
            if time.time() - folder.stat().st_mtime > _BEGINNING:
                with FileLock(folder / _LOCK, timeout=0):
                    shutil.rmtree(folder)
