"""Weights & Biases: a training is a run there, and whatever fails or hangs there costs one warning."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from app.core.errors import one_line
from app.core.settings import Settings

Mode: TypeAlias = Literal["online", "offline", "disabled"]

# A process of its own: what Weights & Biases starts and waits for can hang, whatever limits it is given.
_COMMAND = (sys.executable, "-m", "training", "track")


class Tracker(Protocol):
    """Tells of published versions."""

    def track(self, version: str) -> str | None:
        """Tell of a published version; where that fails, return the warning, one sentence, instead of raising."""


class NullTracker:
    """Tells nobody."""

    def track(self, version: str) -> str | None:  # noqa: ARG002  what the protocol names
        """Do nothing."""
        return None


@dataclass(frozen=True)
class WandbTracker:
    """Tells Weights & Biases, in a child process that is killed after `WANDB_TIMEOUT` seconds."""

    settings: Settings

    def track(self, version: str) -> str | None:
        """Run `python -m training track VERSION`; the key travels in its environment."""
        failure = self._failure(version)
        return failure and f"Weights & Biases has no full record of {version}: {failure}"

    def _failure(self, version: str) -> str | None:
        limit = self.settings.wandb_timeout
        try:
            with subprocess.Popen(
                (*_COMMAND, version),
                env={**os.environ, **_environment(self.settings)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                process_group=0,  # not a session, which would compete with the service as an equal
            ) as child:
                try:
                    _, told = child.communicate(timeout=limit)
                except subprocess.TimeoutExpired:
                    return f"it was not done within {limit:g} seconds."
                finally:
                    _kill(child)
        except OSError as failed:
            return one_line(failed)
        return _reason(child.returncode, without_key(told.decode(errors="replace"), self.settings))


def tracker(settings: Settings) -> Tracker:
    """Make the tracker that the settings ask for: none where they hold neither a key nor a mode."""
    return NullTracker() if mode(settings) == "disabled" else WandbTracker(settings)


def mode(settings: Settings) -> Mode:
    """Say how to track: as `WANDB_MODE` says, else online with a key and not at all without."""
    return settings.wandb_mode or ("online" if settings.wandb_api_key else "disabled")


def without_key(text: str, settings: Settings) -> str:
    """Take the key out of a text that is not our own."""
    return text.replace(settings.wandb_api_key.get_secret_value(), "***") if settings.wandb_api_key else text


def _environment(settings: Settings) -> dict[str, str]:
    """Write the settings that the child reads; they may be others than those of this process's environment."""
    key = settings.wandb_api_key
    values = {
        "DATA_DIR": settings.data_dir,
        "MODEL_STORE": settings.model_store,
        "WANDB_API_KEY": key.get_secret_value() if key else None,
        "WANDB_MODE": mode(settings),
        "WANDB_PROJECT": settings.wandb_project,
        "WANDB_ENTITY": settings.wandb_entity,
        "WANDB_BASE_URL": settings.wandb_base_url,
        "WANDB_TIMEOUT": settings.wandb_timeout,
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a child that runs on, with its group; the service that wandb started ends itself when its parent is gone."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _reason(code: int, told: str) -> str | None:
    if code == 0:
        return None
    lines = told.strip().splitlines() or [f"it ended with code {code}."]
    return lines[-1].removeprefix("error: ")
