"""What commands begin with: the settings, and a published version."""

from typing import Annotated

import typer

from app.core import log
from app.core.artifact import Artifact
from app.core.errors import ModelNotLoadedError
from app.core.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def settings() -> Settings:
    """Read the settings, and log as they say."""
    found = Settings.load()
    log.configure(found)
    return found


def artifact(version: str | None = None) -> Artifact:
    """Open a published version, the current one unless it is named."""
    from app.core.store import ModelStore

    store = ModelStore(settings().model_store)
    found = store.load(version) if version else store.current()
    if found is None:
        raise ModelNotLoadedError("There is no model yet: make one with `python -m training run`.")
    return found
