"""The version that serves, which a new one is judged by."""

from app.core.artifact import Artifact
from app.core.errors import ArtifactError, VersionNotFoundError
from app.core.settings import Settings
from app.core.store import ModelStore
from training.progress import say


def champion_of(settings: Settings) -> Artifact | None:
    """Load the current version; None before the first, and where it cannot be loaded and so serves nobody."""
    try:
        return ModelStore(settings.model_store).current()
    except (ArtifactError, VersionNotFoundError) as unusable:
        say(f"The current version cannot be used: {unusable}")
        return None
