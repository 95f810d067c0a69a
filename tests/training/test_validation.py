from typing import Any

import orjson
import pytest

from app.core.catalogue import Catalogue
from app.core.errors import ValidationFailedError
from app.core.settings import Settings
from tests.fakes import rawg
from training.ingest import to_frame
from training.rawg import Page
from training.validation import ValidationReport, validate

LENIENT = Settings(validation_min_games=1, validation_max_bad_share=1)


def check(*records: object, settings: Settings = LENIENT) -> tuple[Any, ValidationReport]:
    return validate(to_frame([Page(b"", list(records), has_next=False)], 10**6), settings)


def test_good_rows_are_kept_with_clean_types():
    valid, report = check(rawg.game(3, playtime=None, rating=None, metacritic=92.6), rawg.game(4, metacritic=None))

    assert (report.valid, report.bad, report.violations, report.stopped_because) == (2, 0, [], None)
    games = list(Catalogue.from_frame(valid))
    assert [(g["playtime"], g["rating"], g["metacritic"]) for g in games] == [(0, 0.0, 93), (4, 4.0, None)]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"id": None}, "game_id: is missing"),
        ({"id": "7"}, "game_id: must be a whole number above 0"),
        ({"id": True}, "game_id: must be a whole number above 0"),
        ({"id": 0}, "game_id: must be a whole number above 0"),
        ({"id": 2**63}, "game_id: must be a whole number above 0"),
        ({"slug": None}, "slug: is missing"),
        ({"slug": "a b"}, "slug: must be a text without spaces and slashes"),
        ({"slug": "a?b"}, "slug: must be a text without spaces and slashes"),
        ({"added": 2**63, "added_by_status": None}, "added: must be a whole number from 0 on"),
        ({"added": 1.5, "added_by_status": None}, "added: must be a whole number from 0 on"),
        ({"reviews_count": -1, "ratings": []}, "reviews_count: must be a whole number from 0 on"),
        ({"rating": True}, "rating: must be a number from 0 to 5"),
        ({"esrb_rating": {"name": " "}}, "esrb_rating: must be a name"),
        ({"genres": [{"name": " "}]}, "genres: must be a list of names"),
        ({"playtime": 2e6}, "playtime: must be a number of hours from 0 on"),
        ({"background_image": "httpx://example.org"}, "background_image: must be a web address"),
        ({"slug": "../x"}, "slug: must be a text without spaces and slashes"),
        ({"name": ""}, "name: is missing"),
        ({"name": " "}, "name: must be a text that is not empty"),
        ({"name": 7}, "name: must be a text that is not empty"),
        ({"released": "soon"}, "released: must be a date, YYYY-MM-DD, from 1940 on"),
        ({"released": "20240101"}, "released: must be a date, YYYY-MM-DD, from 1940 on"),
        ({"released": "0001-01-01"}, "released: must be a date, YYYY-MM-DD, from 1940 on"),
        ({"released": 2024}, "released: must be a date, YYYY-MM-DD, from 1940 on"),
        ({"rating": 5.1}, "rating: must be a number from 0 to 5"),
        ({"rating": "4"}, "rating: must be a number from 0 to 5"),
        ({"ratings_count": -1}, "ratings_count: must be a whole number from 0 on"),
        ({"ratings_count": 1.5}, "ratings_count: must be a whole number from 0 on"),
        ({"metacritic": 101}, "metacritic: must be a number from 0 to 100"),
        ({"playtime": -3}, "playtime: must be a number of hours from 0 on"),
        ({"playtime": 1e300}, "playtime: must be a number of hours from 0 on"),
        ({"background_image": "javascript:alert(1)"}, "background_image: must be a web address"),
        ({"genres": "Action"}, "genres: must be a list of names"),
        ({"genres": [{"id": 4}]}, "genres: must be a list of names"),
        ({"platforms": [{"platform": {"id": 4}}]}, "platforms: must be a list of names"),
        ({"name": "half a \ud83c character"}, "name: must be a text that is not empty"),
        ({"slug": "\ud83c"}, "slug: must be a text without spaces and slashes"),
        ({"rating": float("inf")}, "rating: must be a number from 0 to 5"),
        ({"tags": [3]}, "tags: must be a list of names"),
        ({"tags": {"name": "x"}}, "tags: must be a list of names"),
        ({"esrb_rating": {"id": 4}}, "esrb_rating: must be a name"),
        ({"added_by_status": [1]}, "added_by_status: must be counts by status"),
        ({"ratings": [{"id": 5}]}, "ratings: must be counts by rating"),
        ({"ratings": {}}, "ratings: must be counts by rating"),
        (
            {"added": 5, "added_by_status": {"owned": 3, "beaten": 3}},
            "added_difference: added must be the sum of added_by_status",
        ),
        ({"reviews_count": 61}, "reviews_difference: reviews_count must be the sum of the counts in ratings"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason(wrong: dict[str, object], reason: str):
    valid, report = check(rawg.game(1), {**rawg.game(2), **wrong}, rawg.game(3))

    assert valid["game_id"].tolist() == [1, 3]
    [row] = report.set_aside
    assert (row.row, row.reasons) == (1, [reason])
    [violation] = report.violations
    assert (f"{violation.field}: {violation.rule}", violation.rows) == (reason, 1)


@pytest.mark.parametrize(
    "unusual",
    [
        {"added": 0, "added_by_status": None},
        {"added": 0, "added_by_status": {}},
        {"added": 12, "added_by_status": None},
        {"reviews_count": 60, "ratings": []},
        {"released": None},
        {"released": "", "background_image": "", "esrb_rating": "", "metacritic": "", "playtime": ""},
        {
            "genres": [None, {"name": "Action"}],
            "tags": [{"name": None}, {"name": ""}],
            "platforms": [{"platform": None}],
        },
        {"esrb_rating": None, "metacritic": None, "background_image": None},
        {"genres": [], "platforms": None, "tags": None},
        {"playtime": 900, "rating": 0},
        {"rating": 5, "metacritic": 0, "background_image": "http://example.org/a.jpg"},
        {"metacritic": 100, "playtime": 0.5},
        {"name": "<script>alert('x')</script> \U0001f3ae"},
    ],
)
def test_what_real_data_is_like_is_not_bad(unusual: dict[str, object]):
    _, report = check({**rawg.game(2), **unusual})

    assert (report.valid, report.set_aside) == (1, [])


def test_all_violations_of_all_rows_are_told_at_once():
    bad = [{**rawg.game(2), "rating": 9, "playtime": -1}, {**rawg.game(3), "rating": 7}, None, "text", 3]
    bad += [{**rawg.game(number), "rating": 8} for number in (4, 5)]
    _, report = check(*bad, *map(rawg.game, range(10, 20)))

    assert (report.rows, report.valid, report.bad) == (17, 10, 7)
    told = {(violation.field, violation.rule): violation for violation in report.violations}
    rating = told["rating", "must be a number from 0 to 5"]
    assert (rating.rows, rating.examples) == (4, ["9", "7", "8"])
    assert told["playtime", "must be a number of hours from 0 on"].rows == 1
    assert {told[field, "is missing"].rows for field in ("game_id", "name", "slug")} == {3}
    assert [row.row for row in report.set_aside] == [0, 1, 2, 3, 4, 5, 6]
    assert len(report.set_aside[0].reasons) == 2


def test_a_long_wrong_value_is_shown_short():
    _, report = check({**rawg.game(1), "rating": "x" * 5000})

    assert len(report.violations[0].examples[0]) < 100


def test_of_a_game_that_comes_twice_the_row_updated_last_is_used():
    rows = [
        rawg.game(1, name="older", updated="2024-01-01T00:00:00"),
        rawg.game(1, name="newer", updated="2025-01-01T00:00:00"),
        rawg.game(1, name="odd", updated=7),
        rawg.game(2),
    ]
    valid, report = check(*rows)

    assert (report.rows, report.valid, report.repeated, report.bad) == (4, 2, 2, 0)
    assert valid["name"].tolist() == ["newer", "Game 2"]


def test_of_a_game_that_comes_twice_the_valid_row_is_used():
    valid, report = check({**rawg.game(1, name="broken", updated="2026-01-01T00:00:00"), "rating": 9}, rawg.game(1))

    assert valid["name"].tolist() == ["Game 1"]
    assert (report.repeated, report.bad) == (0, 1)


@pytest.mark.parametrize(
    ("good", "bad", "values", "message"),
    [
        (0, 0, {}, "no records of games at all"),
        (9, 0, {}, r"Only 9 valid games, fewer than the 10 of VALIDATION_MIN_GAMES"),
        (79, 21, {}, r"21 of 100 records of games are bad, more than the share of 0.2 .*VALIDATION_MAX_BAD_SHARE"),
        (80, 20, {}, None),
        (10, 0, {}, None),
        (10, 1, {"validation_max_bad_share": 0}, "1 of 11 records"),
        (5, 0, {"validation_min_games": 5}, None),
    ],
)
def test_too_few_games_or_too_many_bad_ones_stop_the_run(
    good: int, bad: int, values: dict[str, Any], message: str | None
):
    records = [*map(rawg.game, range(1, good + 1)), *({"id": 1000 + number} for number in range(bad))]

    _, report = check(*records, settings=Settings(**values))

    if message is None:
        report.raise_if_stopped()
    else:
        with pytest.raises(ValidationFailedError, match=message):
            report.raise_if_stopped()


def test_the_report_is_written_for_the_database():
    _, report = check(
        rawg.game(1), rawg.game(1), {**rawg.game(2), "rating": 7}, {**rawg.game(3), "name": "", "rating": -1}
    )

    assert report.to_document() == {
        "rows": 4,
        "valid": 1,
        "repeated": 1,
        "bad": 2,
        "stopped_because": None,
        "reasons": [
            {"reason": "name: is missing", "rows": 1, "examples": ["None"]},
            {"reason": "rating: must be a number from 0 to 5", "rows": 2, "examples": ["7", "-1"]},
        ],
        "set_aside": [
            {
                "row": 2,
                "game_id": "2",
                "name": repr(rawg.game(2)["name"]),
                "reason": "rating: must be a number from 0 to 5",
            },
            {
                "row": 3,
                "game_id": "3",
                "name": "None",
                "reason": "name: is missing; rating: must be a number from 0 to 5",
            },
        ],
    }


def test_what_is_written_for_the_database_is_bounded():
    few = {
        "id": "x" * 1000,
        "name": 7,
        "released": "soon",
        "rating": "4",
        "slug": None,
        "playtime": -3,
        "metacritic": 101,
    }
    _, report = check(*({**rawg.game(number), **few} for number in range(1, 151)))

    written = report.to_document()["set_aside"]

    assert (len(report.set_aside), len(written)) == (150, 100)
    assert {len(row["reason"]) for row in written} == {200}
    assert {len(row["game_id"]) for row in written} == {63}

    names = "\N{VIDEO GAME}" * 1000
    _, report = check(
        *({**rawg.game(number), **few, "id": names, "name": f" {names}", "slug": "a b"} for number in range(150))
    )
    document = report.to_document()

    assert len(document["set_aside"]) == 50
    assert len(orjson.dumps(document)) <= 64 * 1024
