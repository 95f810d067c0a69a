"""The model that answers right now."""

from dataclasses import dataclass

import structlog

from app.core.artifact import Manifest
from app.core.errors import ArtifactError, ModelNotLoadedError, VersionNotFoundError
from app.core.recommender import Recommender
from app.core.store import ModelStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A recommender and the manifest of the version it came from: taken together, so that no answer mixes two."""

    recommender: Recommender
    manifest: Manifest


class LiveModel:
    """Holds the current model; `refresh` swaps in a newer one by one assignment."""

    def __init__(self, store: ModelStore) -> None:
        """Start without a model."""
        self._store = store
        self._loaded: LoadedModel | None = None
        self._refused: str | None = None

    @property
    def loaded(self) -> LoadedModel:
        """Take the current model; `ModelNotLoadedError` before the first."""
        if self._loaded is None:
            raise ModelNotLoadedError("No model is loaded yet: train one with `python -m training run`.")
        return self._loaded

    def refresh(self) -> bool:
        """Load the store's current version unless it is the live one; says whether it did.

        A version that cannot be loaded is refused, once and with a log line, and the live one goes on serving.
        """
        version = None
        try:
            version = self._store.current_version()
            if version is None or version in {self._version, self._refused}:
                return False
            artifact = self._store.load(version)
        except (ArtifactError, VersionNotFoundError, OSError) as broken:
            if self._refused != (version or str(broken)):
                log.exception("model refused", version=version, still_serving=self._version)
                self._refused = version or str(broken)
            return False
        self._loaded = LoadedModel(Recommender.from_arrays(artifact.arrays), artifact.manifest)
        self._refused = None
        log.info("model loaded", version=version, data_kind=artifact.manifest.data_kind)
        return True

    @property
    def _version(self) -> str | None:
        return self._loaded.manifest.version if self._loaded else None
