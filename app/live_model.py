"""The model that answers right now."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import structlog

from app.core.artifact import Artifact, Manifest, Rest
from app.core.errors import ArtifactError, ModelNotLoadedError, VersionNotFoundError
from app.core.histories import PlayWeights
from app.core.recommender import Recommender
from app.core.store import ModelStore
from app.pace import Pace, beside
from app.warming import warm

RETRY_SECONDS = 30.0

_NONE_PUBLISHED = "No model is published yet: train one with `python -m training run`."
_NONE_USABLE = "The current model cannot be used, the service's log says why: activate another version, or train anew."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A recommender and the manifest of the version it came from: taken together, so that no answer mixes two."""

    recommender: Recommender
    manifest: Manifest

    @cached_property
    def weights(self) -> PlayWeights:
        """Weigh plays as the model was trained."""
        return PlayWeights(**self.manifest.weights)

    @cached_property
    def rendered(self) -> bytes:
        """Write what every answer tells of the model, as the part of its JSON that stands before the source."""
        version, kind = self.manifest.version, self.manifest.data_kind
        return f',"model_version":"{version}","data_kind":"{kind}","source":"'.encode()

    @cached_property
    def trained_at(self) -> float:
        """Tell when the model was made, in seconds since 1970."""
        return self.manifest.created_at.timestamp()

    @cached_property
    def is_simulated(self) -> bool:
        """Tell whether its players are invented."""
        return self.manifest.data_kind == "simulated"


# Is told what was live before, None at first, and what is now: in the thread that swaps.
SwapListener = Callable[[LoadedModel | None, LoadedModel], None]


class LiveModel:
    """Holds the current model; `refresh` swaps in a newer one by one assignment.

    `swaps` counts how often one took another's place, `refusals` how often one could not be used.
    """

    def __init__(self, store: ModelStore, now: Callable[[], float] = time.monotonic) -> None:
        """Start without a model."""
        self._store = store
        self._now = now
        self._loaded: LoadedModel | None = None
        self._outgoing: LoadedModel | None = None
        self._refused: str | None = None
        self._retry_at = 0.0
        self._listeners: list[SwapListener] = []
        self._one_loads = threading.Lock()
        self.swaps = 0
        self.refusals = 0

    @property
    def loaded(self) -> LoadedModel:
        """Take the current model; `ModelNotLoadedError` before the first."""
        if self._loaded is None:
            raise ModelNotLoadedError(_NONE_PUBLISHED if self._refused is None else _NONE_USABLE)
        return self._loaded

    @property
    def current(self) -> LoadedModel | None:
        """Take the current model; None before the first."""
        return self._loaded

    def tell(self, listener: SwapListener) -> None:
        """Tell somebody of every swap from now on, right after it."""
        self._listeners.append(listener)

    def refresh(self) -> bool:
        """Load the store's current version unless it is the live one, and answer from it; says whether it did.

        A version that cannot be loaded, or cannot answer, is refused with one log line, and tried again after
        `RETRY_SECONDS`: a disk may come back. The live one goes on serving. What was live before is freed at the next
        look, when nobody answers from it any more, and so not by whoever answers.
        """
        with self._one_loads:
            self._outgoing = None
            version = None
            try:
                version = self._store.current_version()
                if version in {None, self._version} or (version == self._refused and self._now() < self._retry_at):
                    return False
                rest = beside(answering=self._loaded is not None)
                loaded = _ready(self._store.load(version, rest), rest)
            except (ArtifactError, VersionNotFoundError, OSError) as broken:
                self._refuse(version or "", broken)
                return False
            self._swap(loaded)
            return True

    def try_out(self, version: str) -> None:
        """Load a version and let it answer, without anybody seeing it.

        Raises `VersionNotFoundError` or `ArtifactError`. One that was refused before need not wait any more.
        """
        rest = Pace()
        _ready(self._store.load(version, rest), rest)
        if version == self._refused:
            self._retry_at = -math.inf

    def _swap(self, loaded: LoadedModel) -> None:
        before, self._loaded = self._loaded, loaded
        self._outgoing, self._refused = before, None
        self.swaps += before is not None
        log.info(
            "model loaded",
            version=loaded.manifest.version,
            data_kind=loaded.manifest.data_kind,
            before=before.manifest.version if before else None,
        )
        for listener in self._listeners:
            listener(before, loaded)

    def _refuse(self, version: str, broken: Exception) -> None:
        if version != self._refused:
            log.error("model refused", version=version, reason=str(broken), still_serving=self._version)
            self.refusals += 1
        self._refused = version
        self._retry_at = self._now() + RETRY_SECONDS

    @property
    def _version(self) -> str | None:
        return self._loaded.manifest.version if self._loaded else None


def _ready(artifact: Artifact, rest: Rest) -> LoadedModel:
    """Build a model over an artifact, and give its first answers."""
    try:
        loaded = LoadedModel(Recommender.from_arrays(artifact.arrays), artifact.manifest)
        _ = loaded.weights, loaded.rendered, loaded.trained_at, loaded.is_simulated
        warm(loaded.recommender, loaded.weights, rest)
    except Exception as bug:
        raise ArtifactError(f"{artifact.manifest.version} is whole, but cannot answer: {bug!r}") from bug
    return loaded
