"""What is tried out on the page ends no invented players, on either database."""

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.core.database import Database
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.tables import outcomes, tried_out


@pytest.fixture
def store(migrated_url: str) -> Iterator[InteractionStore]:
    database = Database(migrated_url)
    yield InteractionStore(database)
    database.close()


def play(user_id: str = "12", game_id: int = 10) -> Interaction:
    return Interaction(user_id, game_id, Kind.PLAY)


def marked(store: InteractionStore) -> list[str]:
    with store.database.read() as connection:
        return list(connection.scalars(sa.select(tried_out.c.user_id).order_by(tried_out.c.user_id)))


def test_players_who_are_tried_out_are_nobody_to_learn_from_until_there_is_another(store: InteractionStore):
    assert store.try_out(play())
    assert store.try_out(Interaction("12", 20, Kind.LIKE))
    assert store.try_out(play("a newcomer"))
    assert (marked(store), store.has_plays()) == (["12", "a newcomer"], False)

    store.write([play("ann")])

    assert (marked(store), store.has_plays()) == (["12", "a newcomer"], True)
    assert {one.user_id for one in store.stream()} == {"12", "a newcomer", "ann"}


@pytest.mark.parametrize("kind", [Kind.PLAY, Kind.WISHLIST, Kind.OPEN])
def test_whatever_comes_by_another_way_makes_a_player_of_somebody_tried_out(store: InteractionStore, kind: Kind):
    store.try_out(play("12"))
    store.try_out(play("13"))

    store.write([Interaction("12", 20, kind)])

    assert (marked(store), store.has_plays()) == (["13"], True)


def test_what_comes_again_makes_a_player_too(store: InteractionStore):
    event = Interaction("12", 20, Kind.PLAY, event_id="e")
    store.write([event])
    store.remove("12", 20, Kind.PLAY)
    store.try_out(play())
    store.write([Interaction("ann", 20, Kind.PLAY, event_id="e"), Interaction("12", 20, Kind.PLAY, event_id="e")])

    assert marked(store) == []


def test_nothing_is_tried_out_for_a_player_there_is(store: InteractionStore):
    store.write([Interaction("ann", 10, Kind.WISHLIST)])

    assert not store.try_out(play("ann"))
    assert not store.remove("ann", 10, Kind.WISHLIST, tried_out=True)

    assert (marked(store), [one.kind for one in store.page("ann", 9, 0).interactions]) == ([], [Kind.WISHLIST])


def test_a_look_at_a_game_marks_nobody_and_counts(store: InteractionStore):
    store.write([play("ann")])
    for user_id in ("ann", "12"):
        assert store.try_out(Interaction(user_id, 10, Kind.OPEN, recommendation_id="0" * 32))

    with store.database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(outcomes)) == 1
    assert (marked(store), store.page("12", 9, 0).total) == ([], 0)


@pytest.mark.parametrize("as_tried_out", [True, False])
def test_the_mark_goes_with_the_last_of_what_was_tried_out(store: InteractionStore, as_tried_out: bool):  # noqa: FBT001
    store.try_out(play())
    store.try_out(Interaction("12", 10, Kind.LIKE))

    assert not store.remove("12", 10, Kind.DISLIKE, tried_out=as_tried_out)
    assert store.remove("12", 10, Kind.PLAY, tried_out=as_tried_out)
    assert marked(store) == ["12"]
    assert store.remove("12", 10, Kind.LIKE, tried_out=as_tried_out)
    assert marked(store) == []
    assert not store.remove("12", 10, Kind.LIKE, tried_out=True)

    store.write([play()])
    assert store.has_plays()


def test_the_mark_goes_with_the_player(store: InteractionStore):
    store.try_out(play())

    store.erase("12")

    assert marked(store) == []


def test_who_is_written_of_at_once_by_both_ways_is_no_more_tried_out(store: InteractionStore):
    """And neither waits for the other for ever."""

    for turn in range(12):
        user_id = str(turn)
        threads = [
            threading.Thread(target=store.try_out, args=(play(user_id),)),
            threading.Thread(target=store.write, args=([play(user_id), play(user_id, 20)],)),
            threading.Thread(target=store.remove, args=(user_id, 10, Kind.PLAY), kwargs={"tried_out": True}),
            threading.Thread(target=store.try_out, args=(play(user_id, 20),)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert marked(store) == []
    assert all(store.page(str(turn), 9, 0).total >= 1 for turn in range(12))
