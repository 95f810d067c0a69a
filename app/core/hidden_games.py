"""The games that an operator has taken out of all answers."""

import time
from typing import NamedTuple

import sqlalchemy as sa

from app.core.database import Database
from app.core.tables import hidden_games


class HiddenGame(NamedTuple):
    """A game's id, and since when it has been hidden (seconds since 1970)."""

    game_id: int
    at: float


class HiddenPage(NamedTuple):
    """Some of the hidden games, and how many there are in all."""

    total: int
    games: list[HiddenGame]


class HiddenGames:
    """Which games are hidden, in the database."""

    def __init__(self, database: Database) -> None:
        """Use a database, which must be migrated."""
        self._database = database

    def hide(self, game_id: int) -> None:
        """Hide a game, known or not; one that is hidden stays so."""
        row = {"game_id": game_id, "at": time.time()}
        with self._database.write() as connection:
            connection.execute(self._database.insert(hidden_games).on_conflict_do_nothing(), row)

    def unhide(self, game_id: int) -> None:
        """Let a game be seen again; nothing happens where it is not hidden."""
        with self._database.write() as connection:
            connection.execute(sa.delete(hidden_games).where(hidden_games.c.game_id == game_id))

    def page(self, n: int, offset: int) -> HiddenPage:
        """Read some of the hidden games, ordered by id."""
        rows = sa.select(*hidden_games.c["game_id", "at"]).order_by(hidden_games.c.game_id).limit(n).offset(offset)
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(hidden_games)) or 0
            return HiddenPage(total, [HiddenGame(*row) for row in connection.execute(rows)])
