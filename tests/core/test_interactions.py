from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path

import numpy as np
import pytest

from app.core.catalogue import Catalogue
from app.core.errors import InteractionStoreError
from app.core.interactions import InteractionStore, Play, PlayWeights, pack
from tests.worlds import game
from tests.worlds import weight as weight_of

LATEST = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.from_games(game(game_id) for game_id in (10, 20, 30))


@pytest.mark.parametrize(
    ("play", "weight"),
    [
        (Play("a", 1, hours=0), 1),
        (Play("a", 1, hours=9), (1 + log(10)) ** 0.3),
        (Play("a", 1, hours=1e6), (1 + log(1001)) ** 0.3),  # capped at a thousand
        (Play("a", 1), (1 + log(5.5)) ** 0.3),  # like the typical 4.5 hours
        (Play("a", 1, hours=0, rating=5), 1),
        (Play("a", 1, hours=0, rating=1), 0.2),
        (Play("a", 1, hours=9, rating=0), 0),
    ],
)
def test_weight(play: Play, weight: float):
    assert weight_of(play) == pytest.approx(weight)


@pytest.mark.parametrize(("emphasis", "weight"), [(0.0, 1.0), (0.5, (1 + log(10)) ** 0.5), (1.0, 1 + log(10))])
def test_the_emphasis_says_how_much_hours_count(emphasis: float, weight: float):
    assert weight_of(Play("a", 1, hours=9), PlayWeights(emphasis=emphasis)) == pytest.approx(weight)


def test_plays_fade_where_there_is_a_half_life(catalogue: Catalogue):
    """The latest play counts whole, one of 30 days before half, one of 90 days an eighth; one without a time whole."""
    ages = {10: 0, 20: 30, 30: 90}
    plays = [Play("a", game_id, hours=0, at=LATEST - timedelta(days=age)) for game_id, age in ages.items()]
    fading = PlayWeights(half_life_days=30)

    packed = pack([*plays, Play("b", 10, hours=0)], catalogue, fading)

    assert packed.histories.weights.tolist() == [1.0, 0.5, 0.125, 1.0]
    assert packed.weighed(PlayWeights()).histories.weights.tolist() == [1.0] * 4
    undated = pack([Play("b", 10, hours=0)], catalogue, fading)
    assert undated.histories.weights.tolist() == [1.0]


def test_plays_are_packed_with_their_times(catalogue: Catalogue):
    plays = [Play("a", 20, hours=0, at=LATEST), Play("a", 10, hours=0), Play("b", 10, hours=0, at=LATEST)]

    packed = pack(plays, catalogue, PlayWeights())

    assert packed.times == pytest.approx([float("nan"), LATEST.timestamp(), LATEST.timestamp()], nan_ok=True)


def test_the_same_plays_can_be_weighed_in_another_way(catalogue: Catalogue):
    plays = [Play("a", 10, hours=9), Play("a", 20, rating=1), Play("b", 10, hours=0, rating=0)]
    packed = pack(plays, catalogue, PlayWeights())

    again = packed.weighed(PlayWeights(emphasis=0))

    assert again.histories.weights == pytest.approx([1, 0.2, 0])
    assert np.array_equal(again.histories.indices, packed.histories.indices)
    assert packed.histories.weights[0] == pytest.approx((1 + log(10)) ** 0.3)


def test_histories_hold_each_player_s_games_by_index(catalogue: Catalogue):
    plays = [Play("10", 30, hours=0), Play("10", 10, hours=9), Play("9", 20, hours=0), Play("é", 10, hours=0)]

    histories, *_, left_out = pack(plays, catalogue, PlayWeights())

    assert left_out == 0
    assert len(histories) == 3
    games, weights = histories.of("10") or pytest.fail("lost")
    assert games.tolist() == [0, 2]
    assert weights == pytest.approx([(1 + log(10)) ** 0.3, 1])
    assert [histories.row(1)[0].tolist(), histories.row(2)[0].tolist()] == [[1], [0]]
    assert list(histories.users) == [b"10", b"9", "é".encode()]
    assert histories.of("1") is None
    assert histories.of("") is None


def test_plays_outside_the_catalogue_are_counted_and_left_out(catalogue: Catalogue):
    plays = [Play("a", 10), Play("a", 11), Play("b", 12)]

    histories, *_, left_out = pack(plays, catalogue, PlayWeights())

    assert left_out == 2
    assert list(histories.users) == [b"a"]


def test_nothing_played_is_an_empty_matrix(catalogue: Catalogue):
    histories = pack([], catalogue, PlayWeights()).histories

    assert len(histories) == 0
    assert histories.of("a") is None
    assert histories.indptr.tolist() == [0]
    assert histories.indices.dtype == np.int32


@pytest.mark.parametrize("plays", [[Play("b", 10), Play("a", 10)], [Play("a", 10), Play("b", 11), Play("a", 20)]])
def test_plays_out_of_order_are_refused(catalogue: Catalogue, plays: list[Play]):
    with pytest.raises(ValueError, match="do not come in the order"):
        pack(plays, catalogue, PlayWeights())


def test_of_two_plays_of_one_game_the_last_counts(catalogue: Catalogue):
    histories = pack([Play("a", 10, hours=9), Play("a", 10, hours=0)], catalogue, PlayWeights()).histories

    assert histories.weights.tolist() == [1.0]


def test_the_store_gives_back_what_was_put_in_ordered_by_player(tmp_path: Path):
    at = datetime(2026, 1, 31, 20, 15, tzinfo=UTC)
    plays = [Play("b", 2, 1.5, 4.0, at), Play("a'; DROP TABLE plays;--", 2**63 - 1), Play("B", 1), Play("é\x00", 1)]
    store = InteractionStore(tmp_path / "new" / "interactions.db")

    store.put(plays)

    assert list(store.stream()) == [plays[2], plays[1], plays[0], plays[3]]
    assert len(store) == 4


def test_the_last_play_of_a_player_and_game_counts_and_a_second_import_changes_nothing(tmp_path: Path):
    store = InteractionStore(tmp_path / "interactions.db")
    plays = [Play("a", 1, 1.0), Play("a", 1, 2.0), Play("a", 2)]

    store.put(plays)
    store.put(plays)

    assert list(InteractionStore(tmp_path / "interactions.db").stream()) == [Play("a", 1, 2.0), Play("a", 2)]


def test_a_failure_in_the_middle_writes_nothing(tmp_path: Path):
    store = InteractionStore(tmp_path / "interactions.db")

    def breaks() -> Iterator[Play]:
        yield Play("a", 1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.put(breaks())
    assert len(store) == 0


def test_plays_can_be_written_while_others_are_read(tmp_path: Path):
    store = InteractionStore(tmp_path / "interactions.db")
    store.put(Play("a", number) for number in range(1, 3000))
    reading = store.stream()
    next(reading)

    store.put([Play("b", 1)])

    assert len(list(reading)) == 2998
    assert len(store) == 3000


def test_a_time_is_kept_in_utc(tmp_path: Path):
    store = InteractionStore(tmp_path / "interactions.db")

    store.put([Play("a", 1, at=datetime.fromisoformat("2026-01-31T20:15:00+09:00"))])

    [play] = store.stream()
    assert play.at is not None
    assert play.at.isoformat() == "2026-01-31T11:15:00+00:00"


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    (tmp_path / "interactions.db").write_text("not a database at all, but long enough to be taken for one" * 9)

    with pytest.raises(InteractionStoreError, match=r"interactions\.db cannot be used: file is not a database"):
        InteractionStore(tmp_path / "interactions.db")


def test_the_store_feeds_histories_in_the_order_they_need(tmp_path: Path, catalogue: Catalogue):
    store = InteractionStore(tmp_path / "interactions.db")
    store.put(Play(user_id, 10) for user_id in ("2", "10", "a", "Z", "é", "\U0001f3ae", "\uffff"))

    histories = pack(store.stream(), catalogue, PlayWeights()).histories

    assert len(histories) == 7
    assert all(histories.of(user_id) for user_id in ("2", "10", "a", "Z", "é", "\U0001f3ae", "\uffff"))
