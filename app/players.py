"""What players like, as it stands in the database right now."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import structlog

from app.core.answer import Warned
from app.core.errors import DatabaseError
from app.core.interactions import InteractionStore, digest_of
from app.core.player_rows import PlayerRows
from app.core.tastes import Row, Taste
from app.live_model import LoadedModel

log = structlog.get_logger(__name__)

_SECONDS_AWAY = 1.0  # after a failure the database is left alone, so that no request waits for it

_AS_TRAINED = Warned(
    "history_as_trained",
    "The database cannot be reached: this follows from what the model was trained on, without what was done since.",
)


class History(NamedTuple):
    """What is kept of a player, what the model knows besides, and what the caller should know about where it is from.

    The rows of hidden games are among those kept.
    """

    rows: Sequence[Row]
    trained_on: Taste = Taste()
    warnings: tuple[Warned, ...] = ()


class Known(NamedTuple):
    """A player's taste, and what the caller should know about where it comes from."""

    taste: Taste
    warnings: tuple[Warned, ...] = ()


class Players:
    """Reads players; while the database is away, what the model was trained on stands in for it."""

    def __init__(self, rows: PlayerRows, store: InteractionStore, now: Callable[[], float] = time.monotonic) -> None:
        """Read through `rows`, and what is needed when they cannot be read from `store`."""
        self._rows = rows
        self._store = store
        self._now = now
        self._away_until = 0.0
        self._erased: dict[bytes, float] = {}
        self._hidden: Collection[int] = ()

    async def rows(self, user_id: str) -> list[Row] | None:
        """Read what is kept of a player; None while the database is away."""
        if self._now() < self._away_until:
            return None
        try:
            return await self._rows.of(user_id)
        except DatabaseError as failed:
            self._leave_alone(failed)
            return None

    async def know(self, user_id: str, model: LoadedModel) -> Known:
        """Read a player's taste."""
        rows, trained_on, warnings = await self.history(user_id, model)
        taste = Taste.of(rows, model.weights)
        return Known(trained_on.and_also(taste) if trained_on.known else taste, warnings)

    async def history(self, user_id: str, model: LoadedModel) -> History:
        """Read what a taste is made of."""
        rows = await self.rows(user_id)
        if rows is None:
            return self._as_trained(user_id, model)
        if not model.is_simulated:
            return History(rows)
        try:
            return History(rows, await self._invented(user_id, model))
        except DatabaseError as failed:
            self._leave_alone(failed)
            return self._as_trained(user_id, model)

    async def hidden(self) -> Collection[int]:
        """List the ids of the games hidden from everybody; while the database is away, the last known ones."""
        if self._now() >= self._away_until:
            try:
                self._hidden = await self._rows.hidden()
            except DatabaseError as failed:
                self._leave_alone(failed)
        return self._hidden

    async def refresh(self) -> None:
        """Keep in mind what no answer may forget while the database is away: who was erased, and what is hidden."""
        try:
            self._erased = await asyncio.to_thread(self._erased_by_now)
            self._hidden = await self._rows.hidden()
        except DatabaseError as failed:
            self._leave_alone(failed)

    async def close(self) -> None:
        """Let go of the database."""
        await self._rows.close()

    def _erased_by_now(self) -> dict[bytes, float]:
        self._store.prepare()  # the database may have been away when the service started
        return self._store.erased()

    async def _invented(self, user_id: str, model: LoadedModel) -> Taste:
        """Read an invented player, whom only the model knows, unless erased since."""
        taste = model.recommender.taste_of(user_id)
        if not taste.known:
            return taste
        erased_at = await self._rows.erased_at(user_id)
        return Taste() if erased_at is not None and erased_at >= model.trained_at else taste

    def _as_trained(self, user_id: str, model: LoadedModel) -> History:
        erased_at = self._erased.get(digest_of(user_id), 0.0)
        trained_on = Taste() if erased_at >= model.trained_at else model.recommender.taste_of(user_id)
        return History([(game_id, 0, None, None) for game_id in sorted(self._hidden)], trained_on, (_AS_TRAINED,))

    def _leave_alone(self, failed: DatabaseError) -> None:
        if self._now() >= self._away_until:
            log.warning("the database is away; answering from what the model was trained on", reason=str(failed))
        self._away_until = self._now() + _SECONDS_AWAY
