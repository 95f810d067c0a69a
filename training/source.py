"""Where a run's catalogue comes from."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from app.core.errors import CollectionError, RunInProgressError
from app.core.settings import Settings
from training import collection
from training.pages import Collection
from training.progress import Advance, say


def live_or_kept(
    settings: Settings, *, fresh: bool = False, full: bool = False, advance: Advance | None = None
) -> Collection | None:
    """Collect from RAWG with a key; without one take the pages collected last, or None for the starter catalogue."""
    if settings.rawg_api_key:
        return collected(settings, fresh=fresh, full=full, advance=advance)
    latest = collection.folder(settings).latest()
    if latest is None:
        say("RAWG_API_KEY is not set: training on the starter catalogue.")
    else:
        say(f"RAWG_API_KEY is not set: using the pages collected on {latest.started_at:%Y-%m-%d}.")
    return latest


def kept(settings: Settings) -> Collection:
    """Take the pages collected last."""
    latest = collection.folder(settings).latest()
    if latest is None:
        raise CollectionError("No collection is finished yet: run `python -m training collect`.")
    return latest


def collected(
    settings: Settings, *, fresh: bool = False, full: bool = False, advance: Advance | None = None
) -> Collection:
    """Collect from RAWG, one process at a time."""
    if not settings.rawg_api_key:
        raise CollectionError("RAWG_API_KEY is not set; a key is free at https://rawg.io/apidocs.")
    with _one_at_a_time(settings):
        return collection.collect(settings, fresh=fresh, full=full, advance=advance)


@contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.data_dir / "collect.lock", timeout=0):
            yield
    except Timeout:
        raise RunInProgressError(None) from None
