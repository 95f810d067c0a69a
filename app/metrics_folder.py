"""The folder through which the workers' metrics come together; the metrics' library looks for it when imported."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


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
    with tempfile.TemporaryDirectory(prefix="game-recommender-metrics-", ignore_cleanup_errors=True) as made:
        os.environ[VARIABLE] = made
        try:
            yield
        finally:
            del os.environ[VARIABLE]
