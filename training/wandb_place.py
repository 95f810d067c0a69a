"""The place where wandb works: a folder of its own, its old runs, and an environment without secrets."""

import os
import re
import shutil
import signal
from pathlib import Path

from app.core.settings import Settings

_FOLDER = "wandb"  # in the data folder; wandb itself names it so
_WORKING = ".working"
_RUN = re.compile(r"(offline-)?run-(\d{8}_\d{6})-.+")
_KEPT = 50  # runs, some hundred kilobytes each
_GRACE = 5.0  # seconds after which a process ends itself that should long have been ended
_FOLDERS = ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR", "TMPDIR")


def enclose(settings: Settings) -> None:
    """Make this process fit for wandb, before that is imported.

    Its files stay in the data folder, those of earlier runs make room, no setting is in the environment, and the
    process ends by itself soon after the time limit, should nobody be left to end it.
    """
    signal.setitimer(signal.ITIMER_REAL, settings.wandb_timeout + _GRACE)
    folder = settings.data_dir.resolve() / _FOLDER
    prune(folder, _KEPT - 1)
    working = folder / _WORKING
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir(parents=True)
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    os.environ.update(dict.fromkeys(_FOLDERS, str(working)), WANDB_ERROR_REPORTING="false", WANDB_SILENT="true")


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest runs, sent or not."""
    found = {path: _RUN.fullmatch(path.name) for path in (folder.iterdir() if folder.is_dir() else ())}
    runs = sorted((match[2], path) for path, match in found.items() if match)
    for _, path in runs[: max(len(runs) - keep, 0)]:
        shutil.rmtree(path, ignore_errors=True)
