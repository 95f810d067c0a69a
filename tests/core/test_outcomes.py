"""What came of answers, counted by hand."""

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.answers import new_id
from app.core import outcomes
from app.core.database import Database
from app.core.errors import DatabaseError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.outcomes import Outcomes, OutcomeStore, Reaction
from app.core.tables import answers, shown
from app.core.tables import outcomes as outcome_table

OLD, NEW = "20260101T000000-000000", "20260102T000000-000000"
PERIOD = 2**24 / 1000  # seconds
NOON = 1_769_860_800.0  # 2026-01-31
BEGUN = NOON - NOON % PERIOD


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> OutcomeStore:
    return OutcomeStore(database)


def answer(at: float, number: int = 0) -> str:
    """The id of an answer given at a time."""
    return f"{int(at * 1000):012x}{number:020x}"


def react(database: Database, *reactions: tuple[str | None, int, Kind]) -> None:
    """Write what players did, as it reaches the service."""
    InteractionStore(database).write(
        [
            Interaction("ann", game_id, kind, 3.0 if kind in {Kind.PLAY, Kind.RATING} else None, recommendation_id=of)
            for of, game_id, kind in reactions
        ]
    )


def kept(database: Database, table: sa.Table) -> int:
    with database.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_answers_and_what_came_of_them_are_counted_by_version(database: Database, store: OutcomeStore):
    """The first answer led to three games, the second to one, the third, of another version, to one."""
    first, second, third = answer(NOON, 1), answer(NOON, 2), answer(NOON + 1, 3)
    store.log([(first, OLD, 10), (second, OLD, 5)])
    store.log([(third, NEW, 10)])
    react(
        database,
        (first, 10, Kind.OPEN),
        (first, 10, Kind.PLAY),
        (first, 20, Kind.LIKE),
        (first, 30, Kind.HIDE),
        (second, 10, Kind.OPEN),
        (third, 10, Kind.DISLIKE),
        (None, 40, Kind.PLAY),
    )

    old, new = store.of_version(OLD), store.of_version(NEW)

    assert (old.answers, old.games) == (2, 15)
    assert old.since == pytest.approx(BEGUN, abs=0.001)
    assert old.opened == Reaction(games=3, answers=2)
    assert {kind: reaction for kind, reaction in old.of_kind.items() if reaction.games} == {
        Kind.OPEN: Reaction(2, 2),
        Kind.PLAY: Reaction(1, 1),
        Kind.LIKE: Reaction(1, 1),
        Kind.HIDE: Reaction(1, 1),
    }
    assert (new.answers, new.games, new.opened, new.of_kind[Kind.DISLIKE]) == (1, 10, Reaction(), Reaction(1, 1))


def test_a_version_without_answers_has_no_outcomes(store: OutcomeStore):
    assert store.of_version(OLD) == Outcomes()


def test_the_same_thing_done_twice_counts_once(database: Database, store: OutcomeStore):
    store.log([(answer(NOON), OLD, 10)])
    for _ in range(2):
        react(database, (answer(NOON), 10, Kind.PLAY), (answer(NOON), 10, Kind.RATING))

    assert store.of_version(OLD).opened == Reaction(1, 1)


def test_what_came_of_an_answer_may_be_written_before_it(database: Database, store: OutcomeStore):
    react(database, (answer(NOON), 10, Kind.PLAY))
    assert store.of_version(OLD) == Outcomes()

    store.log([(answer(NOON), OLD, 10)])

    assert store.of_version(OLD).of_kind[Kind.PLAY] == Reaction(1, 1)


def test_an_answer_that_is_not_in_the_log_counts_neither_as_shown_nor_as_opened(
    database: Database, store: OutcomeStore
):
    store.log([(answer(NOON), OLD, 10)])
    react(database, (answer(NOON, 1), 10, Kind.PLAY), ("'; DROP TABLE answers; --", 10, Kind.PLAY))

    assert store.of_version(OLD).opened == Reaction()


def test_a_batch_whose_end_was_not_heard_of_is_written_again_and_counts_once(database: Database, store: OutcomeStore):
    batch = [(answer(NOON, number), OLD, 10) for number in range(3)]
    store.log(batch)

    store.log(batch)

    assert store.of_version(OLD)[1:3] == (3, 30)
    assert kept(database, answers) == 3


def test_answers_over_periods_are_counted_together(database: Database, store: OutcomeStore):
    store.log([(answer(BEGUN + age * PERIOD), OLD, 2) for age in (-0.5, 0.5, 1.5)])

    assert store.of_version(OLD)[1:3] == (3, 6)
    assert store.of_version(OLD).since == pytest.approx(BEGUN - PERIOD, abs=0.001)
    assert kept(database, shown) == 3


def test_a_period_is_forgotten_whole_when_all_of_it_is_old(database: Database, store: OutcomeStore):
    """Of three periods the limit is in the middle of the second: the first goes, and the counts with it."""
    ids = [answer(BEGUN + age * PERIOD) for age in (-0.9, -0.1, 0.1, 1.1)]
    store.log([(name, OLD, 10) for name in ids])
    react(database, *((name, 10, Kind.PLAY) for name in ids))

    assert store.prune(BEGUN + PERIOD / 2) is False

    assert store.of_version(OLD)[1:4] == (2, 20, Reaction(2, 2))
    assert store.of_version(OLD).since == pytest.approx(BEGUN, abs=0.001)
    assert (kept(database, answers), kept(database, outcome_table)) == (2, 2)


def test_much_is_forgotten_in_steps_and_counts_at_no_step(
    database: Database, store: OutcomeStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outcomes, "_ROWS_PRUNED", 2)
    ids = [answer(NOON - 3 * PERIOD, number) for number in range(5)]
    store.log([*((name, OLD, 10) for name in ids), (answer(NOON), OLD, 1)])
    react(database, *((name, 10, Kind.PLAY) for name in ids))

    steps = []
    while store.prune(NOON):
        steps.append((kept(database, answers), kept(database, outcome_table)))
        assert store.of_version(OLD)[1:4] == (1, 1, Reaction())

    assert steps == [(4, 3), (2, 1)]
    assert (kept(database, answers), kept(database, outcome_table)) == (1, 0)


def test_ids_that_callers_made_up_do_not_stay_for_ever(database: Database, store: OutcomeStore):
    today = new_id()
    react(database, *((name, 10, Kind.PLAY) for name in ("0", "made up", "f" * 32, today, "Ünïcode")))

    assert store.prune(time.time() - 86_400) is False

    with database.read() as connection:
        assert connection.scalars(sa.select(outcome_table.c.recommendation_id)).all() == [today]


def test_two_workers_add_to_the_same_counts(database: Database, database_url: str):
    other = Database(database_url)
    for number, worker in enumerate((database, other, database)):
        OutcomeStore(worker).log([(answer(NOON, number), OLD, 4)])

    assert OutcomeStore(other).of_version(OLD)[1:3] == (3, 12)
    other.close()


def test_a_database_that_is_away_is_told():
    with pytest.raises(DatabaseError):
        OutcomeStore(Database("postgresql://me:secret@127.0.0.1:1/games")).log([(answer(NOON), OLD, 1)])
