"""What players did, on either database."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.histories import Play
from app.core.interactions import Interaction, InteractionStore, Kind, digest_of, of_play
from app.core.tables import events, interactions, metadata, outcomes

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from app.core.interactions import Interaction, InteractionStore, Kind
store = InteractionStore.open(sys.argv[1])
for turn in range(20):
    games = range(10) if int(sys.argv[2]) % 2 else reversed(range(10))
    store.write([Interaction("ann", game, Kind.PLAY, 1.0, accumulate=True) for game in games])
"""
OPENER = "import sys; from app.core.interactions import InteractionStore; InteractionStore.open(sys.argv[1])"


@pytest.fixture
def store(interaction_store: InteractionStore) -> InteractionStore:
    return interaction_store


def kept(store: InteractionStore, user_id: str = "ann") -> list[tuple[int, str, float | None, float | None]]:
    return [(one.game_id, one.kind.value, one.value, one.at) for one in store.page(user_id, 100, 0).interactions]


def count(store: InteractionStore, table: sa.Table) -> int:
    with store._database.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def run_together(code: str, *arguments: tuple[str, ...]) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", code, *one], cwd=ROOT) for one in arguments]
    assert [process.wait(timeout=50) for process in processes] == [0] * len(processes)


def test_each_kind_comes_back_as_it_was_written(store: InteractionStore):
    for number, kind in enumerate(Kind):
        value = {Kind.PLAY: 2.5, Kind.RATING: 4.5}.get(kind)
        assert store.write([Interaction("ann", number, kind, value, at=100.0 + number)]) == [True]

    assert kept(store) == [
        (0, "play", 2.5, 100.0),
        (1, "rating", 4.5, 101.0),
        (2, "like", None, 102.0),
        (3, "dislike", None, 103.0),
        (4, "wishlist", None, 104.0),
        (5, "hide", None, 105.0),
    ]
    assert store.page("nobody", 10, 0) == (0, [])


def test_pages_hold_what_is_asked_for_and_the_total(store: InteractionStore):
    store.write([Interaction("ann", number, Kind.LIKE) for number in (3, 1, 2)])

    page = store.page("ann", 1, 1)

    assert (page.total, [one.game_id for one in page.interactions]) == (3, [2])


def test_hours_are_the_whole_time_or_are_added(store: InteractionStore):
    store.write([Interaction("ann", 1, Kind.PLAY, 2.0, 10.0)])
    store.write([Interaction("ann", 1, Kind.PLAY, 3.0, 20.0)])
    assert kept(store) == [(1, "play", 3.0, 20.0)]

    store.write([Interaction("ann", 1, Kind.PLAY, 0.5, None, accumulate=True)] * 2)
    assert kept(store) == [(1, "play", 4.0, 20.0)]

    store.write([Interaction("ann", 1, Kind.PLAY)])
    store.write([Interaction("ann", 1, Kind.PLAY, 1.5, accumulate=True)])
    assert kept(store) == [(1, "play", 1.5, 20.0)]


def test_the_last_of_one_request_counts(store: InteractionStore):
    store.write([Interaction("ann", 1, Kind.RATING, 1.0), Interaction("ann", 1, Kind.RATING, 5.0)])

    assert kept(store) == [(1, "rating", 5.0, None)]


def test_an_event_counts_once_however_often_it_is_written(store: InteractionStore):
    event = Interaction("ann", 1, Kind.PLAY, 1.0, accumulate=True, event_id="e'1;--")
    others = [
        Interaction("ann", 2, Kind.PLAY, 1.0, event_id="e'1;--"),
        Interaction("bob", 1, Kind.PLAY, 1.0, event_id="e'1;--"),
        Interaction("ann", 1, Kind.LIKE, event_id="e'1;--"),
    ]

    assert store.write([event, event]) == [True, False]
    assert store.write([event]) == [False]
    assert store.write(others) == [True, True, True]

    assert kept(store) == [(1, "play", 1.0, None), (1, "like", None, None), (2, "play", 1.0, None)]


def test_a_dislike_takes_the_place_of_a_like(store: InteractionStore):
    store.write([Interaction("ann", 1, Kind.LIKE)])
    store.write([Interaction("ann", 1, Kind.DISLIKE)])
    assert kept(store) == [(1, "dislike", None, None)]

    store.write([Interaction("ann", 1, Kind.LIKE)])
    assert kept(store) == [(1, "like", None, None)]


def test_one_interaction_is_removed_and_its_event_may_come_again(store: InteractionStore):
    like = Interaction("ann", 1, Kind.LIKE, event_id="e")
    store.write([like, Interaction("ann", 1, Kind.PLAY, 1.0)])

    assert store.remove("ann", 1, Kind.DISLIKE) is False
    assert store.remove("ann", 1, Kind.LIKE) is True
    assert store.remove("ann", 1, Kind.LIKE) is False

    assert kept(store) == [(1, "play", 1.0, None)]
    assert store.write([like]) == [True]


def test_an_erased_player_leaves_a_digest_alone(store: InteractionStore):
    store.write([Interaction("ann", number, Kind.LIKE, event_id="e") for number in (1, 2)])
    store.write([Interaction("bob", 1, Kind.LIKE)])

    assert store.erase("ann", now=100.0) == 2
    assert store.erase("ann", now=200.0) == 0

    assert (kept(store), len(kept(store, "bob")), count(store, events)) == ([], 1, 0)
    assert store.erased() == {digest_of("ann"): 200.0}
    assert (store.erased(since=200.0), store.erased(since=200.5)) == ({digest_of("ann"): 200.0}, {})
    before = time.time()
    store.erase("bob")
    assert store.erased(since=before).keys() == {digest_of("bob")}


def test_outcomes_are_kept_of_interactions_that_name_an_answer(store: InteractionStore):
    answer = "0" * 32
    store.write([Interaction("ann", 1, Kind.OPEN, recommendation_id=answer)] * 2)
    store.write([Interaction("ann", 1, Kind.PLAY, recommendation_id=answer), Interaction("ann", 2, Kind.PLAY)])

    assert (count(store, outcomes), count(store, interactions)) == (2, 2)


def test_all_plays_stream_in_the_byte_order_of_the_players(store: InteractionStore):
    names = ["a", "B", "Z", "é", "z", "ÿ", "\U0001f3ae", "\ufffd", "a b", "a'; DROP TABLE interactions; --", "%", "A_"]
    store.write([Interaction(name, game, Kind.PLAY, 1.0) for game in (2, 1) for name in names])

    streamed = list(store.stream())

    assert [(play.user_id, play.game_id) for play in streamed] == [
        (name, game) for name in sorted(names, key=str.encode) for game in (1, 2)
    ]


def test_the_stream_holds_what_a_model_learns_from(store: InteractionStore):
    store.write(of_play(Play("ann", 1, 2.0, 4.0, 50.0)))
    store.write([Interaction("ann", 2, Kind.WISHLIST), Interaction("ann", 3, Kind.HIDE)])

    assert list(store.stream()) == [Play("ann", 1, 2.0, 4.0, 50.0), Play("ann", 3, None, 2.5, None)]


def test_there_are_plays_once_there_is_something_to_learn_from(store: InteractionStore):
    store.write([Interaction("ann", 1, Kind.WISHLIST)])
    assert not store.has_plays()

    store.write([Interaction("ann", 1, Kind.LIKE)])
    assert store.has_plays()


def test_a_play_of_neither_hours_nor_rating_is_a_play():
    assert [one.kind for one in of_play(Play("ann", 1))] == [Kind.PLAY]
    assert [one.kind for one in of_play(Play("ann", 1, rating=1.0))] == [Kind.RATING]


def test_a_failure_in_the_middle_writes_nothing(store: InteractionStore):
    good = [Interaction("ann", number, Kind.LIKE, event_id="e") for number in range(3)]
    beyond: Any = Interaction("ann", 2**63, Kind.LIKE)  # no database has such a number

    with pytest.raises((DatabaseError, OverflowError)):
        store.write([*good, beyond])

    assert (kept(store), count(store, events)) == ([], 0)
    assert store.write(good) == [True] * 3


@pytest.mark.untraced
def test_several_processes_write_at_once(database_url: str, store: InteractionStore):
    run_together(WRITER, *((database_url, str(number)) for number in range(3)))

    assert [value for _, _, value, _ in kept(store)] == [60.0] * 10


@pytest.mark.untraced
def test_several_processes_migrate_at_once(database_url: str, database: Database):
    run_together(OPENER, *[(database_url,)] * 4)

    assert InteractionStore(database).write([Interaction("ann", 1, Kind.LIKE)]) == [True]


def test_the_plays_of_an_earlier_file_move_over(tmp_path: Path):
    file = tmp_path / "interactions.db"
    with closing(sqlite3.connect(file)) as file_before, file_before:
        file_before.execute(
            "CREATE TABLE plays (user_id TEXT, game_id INTEGER, hours REAL, rating REAL, at TEXT, "
            "PRIMARY KEY (user_id, game_id)) STRICT, WITHOUT ROWID"
        )
        file_before.executemany(
            "INSERT INTO plays VALUES (?, ?, ?, ?, ?)",
            [
                ("ann", 1, 2.5, 4.0, "2026-01-31T20:15:00+00:00"),
                ("ann", 2, None, None, None),
                ("ann", 3, None, 1.0, "2026-01-31T20:15:00.500000+00:00"),
            ],
        )

    run_together(OPENER, *[(f"sqlite:///{file}",)] * 3)

    store = InteractionStore.open(f"sqlite:///{file}")
    at = pytest.approx(1769890500.0, abs=0.001)
    assert kept(store) == [
        (1, "play", 2.5, at),
        (1, "rating", 4.0, at),
        (2, "play", None, None),
        (3, "rating", 1.0, pytest.approx(1769890500.5, abs=0.001)),
    ]
    with store._database.read() as connection:
        assert not sa.inspect(connection).has_table("plays")


def test_a_database_of_a_newer_program_is_refused(database_url: str, database: Database):
    database.migrate()
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with (
        closing(Database(database_url)) as older,
        pytest.raises(DatabaseError, match="was written by a newer program than this one; use that, or another"),
    ):
        older.migrate()


def test_the_tables_are_those_that_the_migrations_make(store: InteractionStore):
    with store._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_rows_are_read_as_the_path_of_a_request_reads_them(store: InteractionStore):
    store.write([Interaction("ann", 2, Kind.RATING, 4.0, 7.0), Interaction("ann", 1, Kind.DISLIKE)])

    assert store.rows_of("ann") == [(1, 3, -1.0, None), (2, 2, 4.0, 7.0)]


def test_an_error_holds_no_password():
    database = Database("postgresql://ann:s3cret@127.0.0.1:1/games")

    with pytest.raises(DatabaseError) as caught:
        database.migrate()

    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)
