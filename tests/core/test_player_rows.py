"""The rows of a player, as the path of a request reads them from either database."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa

from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.hidden_games import HiddenGames
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.player_rows import PlayerRows, PostgresPlayerRows, open_player_rows
from tests.postgres import Postgres

T = TypeVar("T")


def migrated(url: str, *written: Interaction) -> None:
    with closing(Database(url)) as database:
        database.migrate()
        InteractionStore(database).write(written)


def reading(url: str, *questions: Callable[[PlayerRows], Awaitable[T]]) -> list[T]:
    async def ask() -> list[T]:
        rows = open_player_rows(sa.make_url(url))
        try:
            return [await question(rows) for question in questions]
        finally:
            await rows.close()

    return asyncio.run(ask())


def test_rows_come_in_order_with_the_hidden_games(
    database_url: str, database: Database, interaction_store: InteractionStore
):
    store = interaction_store
    store.write([Interaction("a'; --", 2, Kind.PLAY, 1.0, 5.0), Interaction("a'; --", 1, Kind.DISLIKE)])
    HiddenGames(database).hide(2)

    mine, nobodys = reading(database_url, lambda rows: rows.of("a'; --"), lambda rows: rows.of("%"))

    assert [tuple(row) for row in mine] == [(1, 3, -1.0, None), (2, 0, None, None), (2, 1, 1.0, 5.0)]
    assert [tuple(row) for row in mine] == store.rows_of("a'; --")
    assert [tuple(row) for row in nobodys] == [(2, 0, None, None)]
    assert reading(database_url, lambda rows: rows.hidden()) == [[2]]


def test_hidden_games_come_in_pages(database: Database):
    database.migrate()
    hidden = HiddenGames(database)
    for game_id in (3, 1, 2, 1):
        hidden.hide(game_id)

    page = hidden.page(1, 1)
    hidden.unhide(2)
    hidden.unhide(2)

    assert (page.total, [game.game_id for game in page.games]) == (3, [2])
    assert [game.game_id for game in hidden.page(10, 0).games] == [1, 3]


def test_nothing_is_opened_before_it_is_needed():
    assert reading("sqlite:///nowhere/interactions.db") == []


def test_another_file_in_its_place_is_the_one_that_counts(migrated_sqlite: str, tmp_path: Path):
    file = tmp_path / "data" / "interactions.db"
    other = tmp_path / "other.db"
    shutil.copy(file, other)
    with closing(Database(f"sqlite:///{other}")) as database:
        HiddenGames(database).hide(7)

    async def hidden_before_and_after() -> list[list[int]]:
        rows = open_player_rows(sa.make_url(migrated_sqlite))
        found = [list(await rows.hidden())]
        other.replace(file)
        found.append(list(await rows.hidden()))
        await rows.close()
        return found

    assert asyncio.run(hidden_before_and_after()) == [[], [7]]


def test_when_a_player_was_erased(database_url: str, interaction_store: InteractionStore):
    interaction_store.erase("ann", now=7.0)

    assert reading(database_url, lambda rows: rows.erased_at("ann"), lambda rows: rows.erased_at("bob")) == [7.0, None]


def test_a_failure_is_told_and_the_next_reading_begins_anew(database_url: str, database: Database):
    async def ask() -> list[int]:
        rows = open_player_rows(sa.make_url(database_url))
        with pytest.raises(DatabaseError, match=r"cannot be read: .+\.$"):
            await rows.of("ann")  # there are no tables yet
        database.migrate()
        InteractionStore(database).write([Interaction("ann", 5, Kind.LIKE)])
        found = [row[0] for row in await rows.of("ann")]
        await rows.close()
        return found

    assert asyncio.run(ask()) == [5]


def test_without_a_server_it_says_which_database_and_no_password():
    async def ask() -> None:
        await PostgresPlayerRows(sa.make_url("postgresql://ann:s3cret@127.0.0.1:1/games")).of("ann")

    with pytest.raises(DatabaseError, match=r"postgresql://ann:\*\*\*@127\.0\.0\.1:1/games cannot be read"):
        asyncio.run(ask())


def test_a_request_that_is_cancelled_leaves_no_broken_connection_behind(postgres_url: str):
    migrated(postgres_url)

    async def ask() -> tuple[int, int]:
        rows = PostgresPlayerRows(sa.make_url(postgres_url))
        await rows.of("ann")
        asked = asyncio.create_task(rows._fetch("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        idle = len(rows._idle)
        found = len(await rows.of("ann"))
        await rows.close()
        return idle, found

    assert asyncio.run(ask()) == (0, 0)


def test_a_request_cancelled_while_it_connects(postgres_url: str):
    async def ask() -> int:
        rows = PostgresPlayerRows(sa.make_url(postgres_url))
        asked = asyncio.create_task(rows.of("ann"))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        return len(rows._idle)

    assert asyncio.run(ask()) == 0


def test_a_server_that_is_back_is_used_again(own_postgres: Postgres):
    url = own_postgres.create_database()
    migrated(url, Interaction("ann", 5, Kind.LIKE))

    async def ask() -> list[int]:
        rows = PostgresPlayerRows(sa.make_url(url))
        found = [row[0] for row in await rows.of("ann")]
        own_postgres.stop()
        with pytest.raises(DatabaseError):
            await rows.of("ann")
        own_postgres.start()
        found += [row[0] for row in await rows.of("ann")]
        await rows.close()
        return found

    assert asyncio.run(ask()) == [5, 5]
