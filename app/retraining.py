"""Starts the trainer: a child process, so that training costs the service nothing but the cores it uses."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import structlog
from filelock import FileLock

from app.core.errors import ArtifactError, TrainingError, VersionNotFoundError
from app.core.settings import Settings
from app.core.store import ModelStore

log = structlog.get_logger(__name__)

_COMMAND = (sys.executable, "-m", "training", "run")


@contextmanager
def training_as_needed(settings: Settings) -> Iterator[None]:
    """Train before serving where no model was ever published; train beside it where a RAWG key has come to the starter.

    The trainer does not outlive the block. Raises `TrainingError` where the first model cannot be trained. A current
    version that cannot be used is left alone: a person published it, and may want it back.
    """
    store = ModelStore(settings.model_store)
    try:
        if store.current_version() is None:
            _train_first(settings, store)
        live_is_wanted = settings.rawg_api_key is not None and _can_train() and _is_of_the_starter(store)
    except (ArtifactError, VersionNotFoundError) as broken:
        log.warning("the current model cannot be used; activate another, or train anew", reason=str(broken))
        live_is_wanted = False
    if not live_is_wanted:
        yield
        return
    log.info("training on the live catalogue; the starter's model serves until that is done")
    with subprocess.Popen(_COMMAND) as trainer:
        try:
            yield
        finally:
            trainer.terminate()


def _train_first(settings: Settings, store: ModelStore) -> None:
    if not _can_train():
        log.warning("the training packages are not installed: waiting for another process to publish a model")
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.data_dir / "first-run.lock"):  # services that start together train once
        if store.current_version() is not None:
            return
        log.info("training a first model")
        try:
            subprocess.run(_COMMAND, check=True)
        except subprocess.CalledProcessError as failed:
            raise TrainingError("There is no model to serve, and training one failed (see above).") from failed


def _can_train() -> bool:
    return find_spec("sklearn") is not None


def _is_of_the_starter(store: ModelStore) -> bool:
    version = store.current_version()
    return version is not None and store.manifest(version).catalogue_source == "starter"
