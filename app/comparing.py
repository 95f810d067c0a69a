"""Two model versions beside each other: what would change if one served in the place of the other."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.core.artifact import Manifest, Rest
from app.core.errors import AnswerTooSlowError, ArtifactError, GameRecommenderError, VersionNotFoundError
from app.core.exposure import NO_EXPOSURE, Exposure, Pair, SamplePlayer, some_known_to
from app.core.recommender import Recommender
from app.core.store import ModelStore
from app.live_model import LiveModel
from app.pace import Pace

PLAYERS = 200  # who are asked for
KEPT = 8  # comparisons

_NO_CURRENT = "There is no current version to compare with; name one by `with`."
_STOPPING = "The service stops; ask again when it is back."
_NOBODY = "No player was found who is known to both: their lists are not compared."


class Manifests(NamedTuple):
    """What would be left, and what would come: as `with` and `version` are asked for."""

    before: Manifest
    after: Manifest


@dataclass(frozen=True)
class Compared:
    """Two versions, and what differs in the lists of some players whom both know; `note` says why there is nothing."""

    manifests: Manifests
    exposure: Exposure
    samples: tuple[SamplePlayer, ...]
    note: str | None


class Comparing:
    """Compares versions, one pair at a time, and remembers a few; to be used on one event loop."""

    def __init__(self, models: ModelStore, live_model: LiveModel) -> None:
        """Compare versions of a store; the live one need not be loaded for it."""
        self._models = models
        self._live_model = live_model
        self._asked: dict[tuple[str, str], asyncio.Task[Compared]] = {}
        self._one_compares = asyncio.Lock()
        self._is_over = False

    async def compare(self, version: str, other: str | None) -> Compared:
        """Compare `version`, which would serve, with another, which serves: the current one unless it is named.

        Raises `VersionNotFoundError` or `ArtifactError`. What takes longer than the one who asks waits goes on, and is
        there when it is asked for again.
        """
        manifests = await asyncio.to_thread(self._manifests, version, other)
        pair = (manifests.before.digest, manifests.after.digest)
        task = self._asked.get(pair)
        if task is None:
            task = self._asked[pair] = asyncio.create_task(self._in_turn(manifests))
            task.add_done_callback(lambda done: self._forget_failed(pair, done))
            self._forget_oldest()
        return await asyncio.shield(task)

    def close(self) -> None:
        """Break off what is under way, as the service stops."""
        self._is_over = True

    async def _in_turn(self, manifests: Manifests) -> Compared:
        async with self._one_compares:
            return await asyncio.to_thread(self._compare, manifests)

    def _forget_failed(self, pair: tuple[str, str], task: asyncio.Task[Compared]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._asked.pop(pair, None)

    def _forget_oldest(self) -> None:
        done = [pair for pair, task in self._asked.items() if task.done()]
        for pair in done[: max(len(self._asked) - KEPT, 0)]:
            del self._asked[pair]

    def _manifests(self, version: str, other: str | None) -> Manifests:
        before = other or self._models.current_version()
        if before is None:
            raise VersionNotFoundError(_NO_CURRENT)
        return Manifests(self._models.manifest(before), self._models.manifest(version))

    def _compare(self, manifests: Manifests) -> Compared:
        if manifests.before.data_kind != manifests.after.data_kind:
            return Compared(manifests, NO_EXPOSURE, (), _other_players(manifests))
        pace = Pace()

        def rest() -> None:
            if self._is_over:
                raise AnswerTooSlowError(_STOPPING)
            pace()

        try:
            return _found(manifests, Pair(*self._recommenders(manifests, rest)), rest)
        except GameRecommenderError:
            raise
        except Exception as bug:
            versions = " or ".join(manifest.version for manifest in manifests)
            raise ArtifactError(f"{versions} is whole, but cannot answer: {bug!r}") from bug

    def _recommenders(self, manifests: Manifests, rest: Rest) -> Iterator[Recommender]:
        live = self._live_model.current
        for manifest in manifests:
            if live is not None and live.manifest.digest == manifest.digest:
                yield live.recommender
            else:
                yield Recommender.from_arrays(self._models.load(manifest.version, rest).arrays)


def _found(manifests: Manifests, pair: Pair, rest: Rest) -> Compared:
    known = some_known_to(pair.before.histories, pair.after.histories, PLAYERS)
    return Compared(manifests, pair.exposure(known, rest), pair.samples(known), None if len(known) else _NOBODY)


def _other_players(manifests: Manifests) -> str:
    before, after = manifests
    return f"The players before are {before.data_kind}, these are {after.data_kind}: their lists are not compared."
