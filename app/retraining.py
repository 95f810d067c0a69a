"""Starts the trainer: a child process, so that training costs the service nothing but the cores it uses."""

import subprocess
import sys
from importlib.util import find_spec

import structlog

from app.core.artifact import Manifest
from app.core.errors import ArtifactError, TrainingError, VersionNotFoundError
from app.core.settings import Settings
from app.core.store import ModelStore

log = structlog.get_logger(__name__)

_COMMAND = (sys.executable, "-m", "training", "run")


def train_if_needed(settings: Settings) -> None:
    """Train before serving where no model is there yet, or only the starter's while a RAWG key is at hand.

    Raises `TrainingError` where that fails and there is no model to serve instead.
    """
    current = _current_manifest(settings)
    if current and not (settings.rawg_api_key and current.catalogue_source == "starter"):
        return
    if find_spec("sklearn") is None:
        log.warning("the training packages are not installed: waiting for another process to publish a model")
        return
    log.info("training a first model" if current is None else "training on the live catalogue")
    try:
        subprocess.run(_COMMAND, check=True)
    except subprocess.CalledProcessError as failed:
        if current is None:
            raise TrainingError("There is no model to serve, and training one failed (see above).") from failed
        log.warning("training failed", still_serving=current.version)


def _current_manifest(settings: Settings) -> Manifest | None:
    store = ModelStore(settings.model_store)
    try:
        version = store.current_version()
        return None if version is None else store.manifest(version)
    except (ArtifactError, VersionNotFoundError) as broken:
        log.warning("the current model cannot be used", reason=str(broken))
        return None
