"""One row as others write it."""

from datetime import UTC, date, datetime

import pytest

from app.core.interactions import Interaction, Kind
from app.core.rows import interactions_of

NOW = datetime(2026, 6, 1, tzinfo=UTC).timestamp()


def test_a_row_without_a_kind_is_a_play_or_a_rating_or_both():
    both = interactions_of({"user_id": " zoë, ", "game_id": " 4200 ", "hours": "12.5", "rating": 4}, NOW)

    assert both == [
        Interaction(" zoë, ", 4200, Kind.PLAY, 12.5),
        Interaction(" zoë, ", 4200, Kind.RATING, 4.0),
    ]
    assert interactions_of({"user_id": "a", "game_id": 1}, NOW) == [Interaction("a", 1, Kind.PLAY)]
    assert interactions_of({"user_id": "a", "game_id": 1, "rating": 0}, NOW) == [Interaction("a", 1, Kind.RATING, 0.0)]


@pytest.mark.parametrize(
    ("kind", "facts", "value"),
    [
        ("play", {"hours": ".5e1"}, 5.0),
        ("play", {}, None),
        (" Rating", {"rating": "2.5"}, 2.5),
        ("like", {"hours": "", "rating": None}, None),
        ("dislike", {}, None),
        ("wishlist", {}, None),
        ("hide", {}, None),
    ],
)
def test_every_kind(kind: str, facts: dict[str, object], value: float | None):
    row = {"user_id": 7, "game_id": "1", "kind": kind, "event_id": "e", **facts}

    assert interactions_of(row, NOW) == [Interaction("7", 1, Kind(kind.strip().lower()), value, event_id="e")]


def test_hours_are_added_where_the_row_says_so():
    row = {"user_id": "a", "game_id": 1, "hours": 2, "rating": 3, "event_id": "e"}

    assert interactions_of({**row, "accumulate": "True"}, NOW) == [
        Interaction("a", 1, Kind.PLAY, 2.0, accumulate=True, event_id="e"),
        Interaction("a", 1, Kind.RATING, 3.0, event_id="e"),
    ]
    for no in ("false", False, None, "0", " "):
        assert not interactions_of({**row, "accumulate": no}, NOW)[0].accumulate


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T20:15:00Z",
        " 2026-01-31T21:15:00+01:00",
        "2026-01-31 20:15",
        datetime(2026, 1, 31, 20, 15),  # noqa: DTZ001  # as a file may hold it
        datetime(2026, 1, 31, 20, 15, tzinfo=UTC),
    ],
)
def test_a_time_is_read_in_utc(value: object):
    [play] = interactions_of({"user_id": "a", "game_id": 1, "at": value}, NOW)

    assert play.at == datetime(2026, 1, 31, 20, 15, tzinfo=UTC).timestamp()


def test_a_day_is_its_beginning_and_a_clock_may_be_a_little_fast():
    assert interactions_of({"user_id": "a", "game_id": 1, "at": date(1970, 1, 2)}, NOW)[0].at == 86_400.0
    fast = datetime.fromtimestamp(NOW + 30, UTC).isoformat()
    assert interactions_of({"user_id": "a", "game_id": 1, "at": fast}, NOW)[0].at == NOW + 30


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"user_id": ""}, "user_id must have 1 to 128 characters"),
        ({"user_id": None}, "user_id must have 1 to 128 characters"),
        ({"user_id": True}, "user_id must have 1 to 128 characters"),
        ({"user_id": 1.5}, "user_id must have 1 to 128 characters"),
        ({"user_id": "x" * 129}, "user_id must have 1 to 128 characters"),
        ({"user_id": "a\x00"}, "user_id must have no control characters"),
        ({"user_id": "a\x7f"}, "user_id must have no control characters"),
        ({"user_id": "\ud800"}, "user_id must be UTF-8"),
        ({"game_id": None}, "game_id must be a whole number above 0"),
        ({"game_id": 0}, "game_id must be"),
        ({"game_id": True}, "game_id must be"),
        ({"game_id": 1.0}, "game_id must be"),
        ({"game_id": "-1"}, "game_id must be"),
        ({"game_id": "٣"}, "game_id must be"),
        ({"game_id": 2**63}, "game_id must be"),
        ({"game_id": "9" * 5000}, "game_id must be"),
        ({"hours": -0.1}, "hours must be a number from 0 to 1000000"),
        ({"hours": float("nan")}, "hours must be"),
        ({"hours": "nan"}, "hours must be"),
        ({"hours": float("inf")}, "hours must be"),
        ({"hours": "1e400"}, "hours must be"),
        ({"hours": 10**400}, "hours must be"),
        ({"hours": "1_0"}, "hours must be"),
        ({"hours": "long"}, "hours must be"),
        ({"hours": True}, "hours must be"),
        ({"hours": [1]}, "hours must be"),
        ({"rating": 5.5}, "rating must be a number from 0 to 5"),
        ({"at": "yesterday"}, "at must be a time as in"),
        ({"at": 1_700_000_000}, "at must be a time as in"),
        ({"at": "2999-01-01"}, "at must not be in the future"),
        ({"at": "1969-12-31"}, "at must not be before 1970"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at must not be before 1970"),
        ({"kind": "open"}, "kind must be one of play, rating, like, dislike, wishlist, hide"),
        ({"kind": 1}, "kind must be one of"),
        ({"kind": "rating"}, "a row of kind rating needs a rating"),
        ({"kind": "play", "rating": 1}, "a row of kind play has no rating"),
        ({"kind": "like", "hours": 1}, "a row of kind like has no hours"),
        ({"event_id": "e" * 129}, "event_id must have 1 to 128 characters"),
        ({"event_id": "a\nb"}, "event_id must have no control characters"),
        ({"accumulate": "true", "hours": 1}, "a row with accumulate needs an event_id"),
        ({"accumulate": True, "event_id": "e"}, "accumulate adds hours to a play"),
        ({"accumulate": True, "event_id": "e", "kind": "like", "hours": 1}, "accumulate adds hours to a play"),
        ({"accumulate": "maybe"}, "accumulate must be true or false"),
        ({"accumulate": 2.5}, "accumulate must be true or false"),
    ],
)
def test_what_is_wrong_has_a_reason(facts: dict[str, object], reason: str):
    with pytest.raises(ValueError, match=reason):
        interactions_of({"user_id": "a", "game_id": 1, **facts}, NOW)


def test_a_name_may_be_any_other_text():
    for name in ("a\u2028b", "\ufeff", " ", "'; DROP TABLE interactions; --", "😀" * 128):
        assert interactions_of({"user_id": name, "game_id": 2**63 - 1}, NOW)[0].user_id == name
