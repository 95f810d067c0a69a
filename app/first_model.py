"""Trains the first model, before the service has anything to serve."""

import subprocess
from contextlib import closing

import structlog
from filelock import FileLock

from app.core.database import Database
from app.core.errors import ArtifactError, DatabaseError, TrainingError
from app.core.runs import RunStore
from app.core.settings import Settings
from app.core.store import ModelStore
from app.retraining import COMMAND, can_train

log = structlog.get_logger(__name__)


def train_first(settings: Settings) -> None:
    """Train before serving where no model was ever published; where another process does so, wait for it in service.

    Raises `TrainingError` where the model cannot be trained.
    """
    store = ModelStore(settings.model_store)
    if not _is_empty(store):
        return
    if not can_train(settings):
        log.warning("this service does not train: waiting for another process to publish a model")
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.data_dir / "first-run.lock"):  # services that start together train once
        if not _is_empty(store):
            return
        log.info("training a first model")
        done = subprocess.run(COMMAND, check=False)
        if done.returncode and _is_empty(store):
            if not _goes_on_elsewhere(settings):
                raise TrainingError("There is no model to serve, and training one failed (see above).")
            log.warning("a training run goes on elsewhere: waiting for its model")


def _is_empty(store: ModelStore) -> bool:
    try:
        return store.current_version() is None
    except ArtifactError:  # it is for a person to say which version is to serve
        return False


def _goes_on_elsewhere(settings: Settings) -> bool:
    with closing(Database(settings.database)) as database:
        try:
            return RunStore(database).going_on() is not None
        except DatabaseError:
            return False
