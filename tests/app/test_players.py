"""Players as they stand in the database, and while it is away."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.hidden_games import HiddenGames
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.player_rows import open_player_rows
from app.core.store import ModelStore
from app.core.tastes import Bar
from app.live_model import LiveModel, LoadedModel
from app.players import Players
from tests.worlds import publish

T = TypeVar("T")


class Switched:
    """The rows of a real database, which can be out of reach."""

    def __init__(self, database: Database) -> None:
        self._rows = open_player_rows(database.url)
        self.asked = 0
        self.away = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def ask(*arguments: Any) -> Any:
            self.asked += 1
            if self.away:
                raise DatabaseError("The database is out of reach.")
            return await getattr(self._rows, name)(*arguments)

        return ask


class World:
    def __init__(self, database: Database, store: InteractionStore, kind: str) -> None:
        models = ModelStore(Path("models"))
        publish(models, data_kind=kind)
        live = LiveModel(models)
        live.refresh()
        self.model: LoadedModel = live.loaded
        self.store, self.hidden = store, HiddenGames(database)
        self.rows, self.now = Switched(database), 100.0
        self.players = Players(self.rows, store, lambda: self.now)

    async def known(self, user_id: str) -> list[tuple[int, int]]:
        taste, warnings = await self.players.know(user_id, self.model)
        assert [warned.code for warned in warnings] == (["history_as_trained"] if self.rows.away else [])
        return list(zip(taste.game_ids, taste.bars, strict=True))


@pytest.fixture
def observed(database: Database, interaction_store: InteractionStore) -> World:
    return World(database, interaction_store, "observed")


@pytest.fixture
def simulated(database: Database, interaction_store: InteractionStore) -> World:
    return World(database, interaction_store, "simulated")


AS_TRAINED = [(10, Bar.KNOWN), (20, Bar.KNOWN)]


def test_observed_players_are_what_the_database_says(observed: World):
    observed.store.write([Interaction("ann", 60, Kind.PLAY, 1.0)])
    observed.hidden.hide(50)

    async def ask() -> None:
        assert await observed.known("ann") == [(50, Bar.VETO), (60, Bar.KNOWN)]
        assert await observed.known("bob") == [(50, Bar.VETO)]
        await observed.players.close()

    asyncio.run(ask())


def test_invented_players_are_those_of_the_model_and_what_was_written_since(simulated: World):
    simulated.store.write([Interaction("ann", 60, Kind.DISLIKE)])

    async def ask() -> None:
        assert await simulated.known("ann") == [*AS_TRAINED, (60, Bar.VETO)]
        assert await simulated.known("nobody") == []
        simulated.store.erase("ann", now=1.0)  # before the model was made
        assert await simulated.known("ann") == AS_TRAINED
        simulated.store.erase("ann")
        assert await simulated.known("ann") == []
        await simulated.players.close()

    asyncio.run(ask())


@pytest.mark.parametrize("kind", ["observed", "simulated"])
def test_while_the_database_is_away_erased_players_and_hidden_games_stay_so(
    kind: str, database: Database, interaction_store: InteractionStore
):
    world = World(database, interaction_store, kind)
    world.store.erase("bob")
    world.hidden.hide(50)

    async def ask() -> None:
        await world.players.refresh()
        world.rows.away = True
        assert await world.known("ann") == [*AS_TRAINED, (50, Bar.VETO)]
        assert await world.known("bob") == [(50, Bar.VETO)]
        assert list(await world.players.hidden()) == [50]
        world.rows.away = False
        await world.players.close()

    asyncio.run(ask())


def test_a_database_that_is_away_is_left_alone_for_a_second(observed: World, caplog: pytest.LogCaptureFixture):
    observed.hidden.hide(50)

    async def ask() -> None:
        observed.rows.away = True
        assert list(await observed.players.hidden()) == []
        asked = observed.rows.asked
        assert await observed.known("ann") == AS_TRAINED
        assert list(await observed.players.hidden()) == []
        assert observed.rows.asked == asked
        await observed.players.refresh()  # asks in any case
        assert observed.rows.asked == asked + 1
        observed.now += 2.0
        assert await observed.known("ann") == AS_TRAINED
        observed.rows.away = False
        observed.now += 2.0
        assert list(await observed.players.hidden()) == [50]
        assert await observed.known("ann") == [(50, Bar.VETO)]
        await observed.players.close()

    asyncio.run(ask())

    assert caplog.text.count("the database is away") == 2


def test_a_database_that_goes_away_between_two_questions_is_away(simulated: World, monkeypatch: pytest.MonkeyPatch):
    """An invented player's rows are read, and then whether the player was erased."""
    asked = simulated.rows.__getattr__

    def fails_later(name: str) -> Callable[..., Any]:
        simulated.rows.away = name == "erased_at"
        return asked(name)

    monkeypatch.setattr(Switched, "__getattr__", lambda _rows, name: fails_later(name))

    async def ask() -> None:
        assert await simulated.known("ann") == AS_TRAINED
        await simulated.players.close()

    asyncio.run(ask())
