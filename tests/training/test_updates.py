"""Bringing a collection up to date: what is asked for, what comes of it, and when the whole list is read instead."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.errors import QuotaReachedError, RawgUnavailableError
from app.core.settings import Settings
from tests.fakes import rawg
from tests.training.conftest import MakeSettings
from tests.worlds import ids
from training import collection
from training.ingest import to_frame
from training.pages import Collection, CollectionFolder, Pages

DOWN = [rawg.status(502)] * 8


class Days:
    """A clock that a test sets; it begins in the morning of a first of July."""

    def __init__(self) -> None:
        self.time = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def on(self, day: int, hour: int = 6) -> None:
        self.time = datetime(2026, 7, day, hour, 0, tzinfo=UTC)


@pytest.fixture
def days() -> Days:
    return Days()


@pytest.fixture
def collect(days: Days) -> Callable[..., Collection]:
    """Collect by the test's clock."""
    return lambda settings, **asked: collection.collect(settings, now=days, **asked)


Collect = Callable[..., Collection]


def asked(fake_rawg: rawg.FakeRawg) -> list[str]:
    """The lists and pages asked for since the last call."""
    questions = [f"{request.get('updated', 'whole')} {request['page']}" for request in fake_rawg.requests]
    fake_rawg.requests.clear()
    return questions


def names(collected: Collection, games: int = 100) -> dict[int, str]:
    frame = to_frame(collected.pages(), games)
    return dict(zip(frame["game_id"], frame["name"], strict=True))


def kept(settings: Settings) -> CollectionFolder:
    return collection.folder(settings)


def test_an_updated_game_takes_the_place_of_the_old_record_and_a_new_one_comes_in(
    collect: Collect,
    days: Days,
    fake_rawg: rawg.FakeRawg,
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
):
    settings = make_settings(rawg_max_games=80)
    first = collect(settings)
    days.on(2)
    fake_rawg.touch(7, "2026-07-02", name="Renamed")
    fake_rawg.touch(500, "2026-07-02", added=9998, added_by_status={"owned": 9998})
    fake_rawg.touch(95, "2026-07-02", name="Not among the 80")
    asked(fake_rawg)
    capsys.readouterr()

    second = collect(settings)

    assert asked(fake_rawg) == ["2026-06-30,2026-07-03 1"]
    known = names(second, 80)
    # By how many have added them: 9999, 9998 twice, 9997 ... ; game 80 is one too many now.
    assert list(known) == [1, 2, 500, *range(3, 80)]
    assert known[7] == "Renamed"
    assert capsys.readouterr().err.splitlines()[-1] == (
        "Collected 2 updated games on 1 page, 1 of them new; 19997 requests left this month."
    )
    assert (second.updated, second.games, second.whole_at) == ("2026-06-30,2026-07-03", 80, first.started_at)
    assert kept(settings).latest() == second
    assert Collection.read(second.folder) == second
    assert names(first) == {number: f"Game {number}" for number in range(1, 81)}


def test_an_update_comes_to_what_the_whole_list_would(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=60)
    collect(settings)
    days.on(2)
    for number, added in ((3, 9950), (60, 9990), (61, 9999), (99, 9961), (2, 10), (700, 9941)):
        fake_rawg.touch(number, "2026-07-01", added=added, added_by_status={"owned": added})
    fake_rawg.games.sort(key=lambda game: -game["added"])  # type: ignore[index]

    updated = to_frame(collect(settings).pages(), 60)
    whole = to_frame(collect(settings, full=True).pages(), 60)

    assert set(updated["game_id"]) == set(whole["game_id"])
    assert updated["added"].tolist() == whole["added"].tolist()
    rows = [sorted(frame.to_dict("records"), key=lambda row: row["game_id"]) for frame in (updated, whole)]
    assert rows[0] == rows[1]


def test_nothing_updated_is_said_and_moves_the_window_on(
    collect: Collect,
    days: Days,
    fake_rawg: rawg.FakeRawg,
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
):
    settings = make_settings(rawg_max_games=80)
    first = collect(settings)
    days.on(3)
    second = collect(settings)
    days.on(4)
    asked(fake_rawg)

    third = collect(settings)

    assert asked(fake_rawg) == ["2026-07-02,2026-07-05 1"]
    assert ids(first) == ids(second) == ids(third)
    assert capsys.readouterr().err.splitlines()[-1] == ("Collected no updated games; 19996 requests left this month.")


@pytest.mark.parametrize(("day", "comes"), [("06-29", False), ("06-30", True), ("07-06", True), ("07-07", False)])
def test_the_window_is_from_the_day_before_the_last_pass_began_to_tomorrow(  # noqa: PLR0913
    day: str, *, comes: bool, collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=80)
    collect(settings)
    days.on(5)
    fake_rawg.touch(7, f"2026-{day}", name="Renamed")

    assert (names(collect(settings))[7] == "Renamed") == comes


def test_a_game_updated_while_the_clocks_differ_comes_the_next_time(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=80)
    collect(settings)
    days.on(1, hour=23)
    collect(settings)
    fake_rawg.touch(7, "2026-07-01", name="A minute later, and listed a day late")
    fake_rawg.touch(8, "2026-07-03", name="Where it is tomorrow already")
    days.on(2, hour=23)

    known = names(collect(settings))

    assert (known[7], known[8]) == ("A minute later, and listed a day late", "Where it is tomorrow already")


def test_pages_of_games_below_the_cut_off_end_the_update(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    fake_rawg.games = [rawg.game(number) for number in range(1, 1001)]
    settings = make_settings(rawg_max_games=80, rawg_concurrency=1)
    collect(settings)
    days.on(2)
    for number in range(61, 1001):
        fake_rawg.touch(number, "2026-07-02", name="Renamed")
    asked(fake_rawg)

    known = names(collect(settings), 80)

    assert asked(fake_rawg) == [f"2026-06-30,2026-07-03 {page}" for page in (1, 2)]  # 61 to 100, and 101 to 140
    assert [number for number, name in known.items() if name == "Renamed"] == list(range(61, 81))


def test_where_fewer_are_kept_than_asked_for_all_that_was_updated_comes(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=5000)
    collect(settings)
    days.on(2)
    for number in range(201, 251):
        fake_rawg.touch(number, "2026-07-02", added=0, added_by_status=None)

    assert set(names(collect(settings), 5000)) == {*range(1, 101), *range(201, 251)}


def test_bad_records_are_kept_for_the_validation_to_name_until_they_are_good(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    fake_rawg.games.insert(1, "no record at all")
    settings = make_settings(rawg_max_games=80)
    collect(settings)
    days.on(2)
    fake_rawg.touch(7, "2026-07-02", rating=9)
    went_bad = collect(settings)
    assert len(to_frame(went_bad.pages(), 80)) == 82  # 80 valid ones, and two that are not
    days.on(3)
    fake_rawg.touch(7, "2026-07-03", rating=4.5)

    good = to_frame(collect(settings).pages(), 100).set_index("game_id")

    assert good.loc[7, "rating"] == 4.5
    assert good["name"].isna().sum() == 1


def test_a_removed_game_falls_out_with_the_next_whole_list(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=80)
    collect(settings)
    del fake_rawg.games[6]
    days.on(2)
    assert 7 in ids(collect(settings))
    days.on(9)

    assert 7 not in ids(collect(settings))


def test_the_whole_list_is_read_when_the_last_time_is_too_long_ago(
    collect: Collect,
    days: Days,
    fake_rawg: rawg.FakeRawg,
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
):
    settings = make_settings(rawg_max_games=40, rawg_full_days=2.9)
    lists = []
    for day in range(1, 9):
        days.on(day)
        collect(settings)
        lists += asked(fake_rawg)

    assert [question.split()[0] for question in lists] == [
        "whole",
        "2026-06-30,2026-07-03",
        "2026-07-01,2026-07-04",
        "whole",
        "2026-07-03,2026-07-06",
        "2026-07-04,2026-07-07",
        "whole",
        "2026-07-06,2026-07-09",
    ]
    assert "Reading RAWG's whole list: it was last read on 2026-07-04 (RAWG_FULL_DAYS)." in capsys.readouterr().err


def whole(fake_rawg: rawg.FakeRawg) -> bool:
    return asked(fake_rawg)[0] == "whole 1"


@pytest.mark.parametrize(
    ("values", "reads_all", "why"),
    [
        ({}, False, ""),
        ({"rawg_max_games": 39}, False, ""),
        ({"rawg_max_games": 41}, True, "the kept one is of 40 games"),
        ({"rawg_genres": "rpg"}, True, "another one is kept"),
        ({"rawg_full_days": 0}, True, "it was last read on 2026-07-01 (RAWG_FULL_DAYS)"),
    ],
)
def test_another_list_or_more_of_it_is_read_as_a_whole(  # noqa: PLR0913
    values: dict[str, object],
    *,
    reads_all: bool,
    why: str,
    collect: Collect,
    fake_rawg: rawg.FakeRawg,
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
):
    collect(make_settings(rawg_max_games=40))
    asked(fake_rawg)

    collect(make_settings(**{"rawg_max_games": 40, **values}))

    assert whole(fake_rawg) == reads_all
    assert (f"Reading RAWG's whole list: {why}." in capsys.readouterr().err) == reads_all


def test_the_list_of_another_place_is_read_as_a_whole(
    collect: Collect, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    collect(make_settings(rawg_max_games=40))
    asked(fake_rawg)

    collect(make_settings(rawg_max_games=40, rawg_base_url=fake_rawg.base_url.replace("127.0.0.1", "localhost")))

    assert whole(fake_rawg)


def test_less_and_then_more_again_is_read_as_a_whole(
    collect: Collect, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    collect(make_settings(rawg_max_games=100))
    collect(make_settings(rawg_max_games=10))
    asked(fake_rawg)

    assert len(ids(collect(make_settings(rawg_max_games=100)))) == 100
    assert whole(fake_rawg)


@pytest.mark.parametrize("wish", ["full", "fresh"])
def test_the_whole_list_is_read_when_asked_for(
    wish: str, collect: Collect, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    collect(make_settings(rawg_max_games=40))
    asked(fake_rawg)

    collect(make_settings(rawg_max_games=40), **{wish: True})

    assert whole(fake_rawg)


def test_a_clock_that_went_back_reads_the_whole_list(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    days.on(9)
    collect(make_settings(rawg_max_games=40))
    asked(fake_rawg)
    days.on(2)

    collect(make_settings(rawg_max_games=40))

    assert whole(fake_rawg)


def test_a_kept_collection_that_cannot_be_read_is_said_and_read_anew(
    collect: Collect, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings, capsys: pytest.CaptureFixture[str]
):
    first = collect(make_settings(rawg_max_games=40))
    (first.folder / "000001.json.gz").write_bytes(b"")
    asked(fake_rawg)

    assert len(ids(collect(make_settings(rawg_max_games=40)))) == 40
    assert whole(fake_rawg)
    assert f"whole list: a page in {first.folder} cannot be read." in capsys.readouterr().err


def test_what_an_older_version_of_this_program_has_kept_is_read_anew(
    collect: Collect, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings, capsys: pytest.CaptureFixture[str]
):
    first = collect(make_settings(rawg_max_games=40))
    record = {"source": first.source, "parameters": first.parameters, "started_at": str(first.started_at)}
    (first.folder / "collection.json").write_text(json.dumps({**record, "finished_at": str(first.finished_at)}))
    asked(fake_rawg)
    assert kept(make_settings()).latest() == replace(first, games=0, whole_at=None)

    collect(make_settings(rawg_max_games=40))

    assert whole(fake_rawg)
    assert "whole list: it is not known how much is kept." in capsys.readouterr().err


def test_rawg_down_leaves_the_kept_collection_and_the_update_goes_on_the_same_day(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=100, rawg_concurrency=1)
    first = collect(settings)
    days.on(2)
    for number in range(1, 91):
        fake_rawg.touch(number, "2026-07-02", name="Renamed")
    fake_rawg.faults = {2: [*DOWN]}
    asked(fake_rawg)

    with pytest.raises(RawgUnavailableError, match=r"page 2 in 8 tries, the last one ending with HTTP 502; .* kept"):
        collect(settings)
    assert kept(settings).latest() == first
    assert set(names(first).values()) == {f"Game {number}" for number in range(1, 101)}
    asked(fake_rawg)

    known = names(collect(settings))

    assert asked(fake_rawg) == [f"2026-06-30,2026-07-03 {page}" for page in (2, 3)]
    assert [number for number, name in known.items() if name == "Renamed"] == list(range(1, 91))


def test_an_update_that_was_cut_off_begins_anew_the_next_day(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=100)
    first = collect(settings)
    days.on(2)
    fake_rawg.faults = {1: [*DOWN]}
    with pytest.raises(RawgUnavailableError):
        collect(settings)
    days.on(3)
    asked(fake_rawg)

    third = collect(settings)

    assert asked(fake_rawg) == ["2026-06-30,2026-07-04 1"]
    assert folders(settings) == {first.folder.name, third.folder.name}


def test_what_a_merge_has_left_behind_is_replaced(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=80)
    first = collect(settings)
    days.on(2)
    fake_rawg.faults = {1: [*DOWN]}
    with pytest.raises(RawgUnavailableError):
        collect(settings)
    [begun] = folders(settings) - {first.folder.name}
    for number in (1, 2, 3):
        Pages(settings.data_dir / "rawg" / begun).write(number, first.page(1))

    assert ids(collect(settings)) == list(range(1, 81))


def folders(settings: Settings) -> set[str]:
    return {path.name for path in (settings.data_dir / "rawg").iterdir() if path.is_dir()}


def test_the_quota_stops_an_update_as_it_stops_the_whole_list(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    collect(make_settings(rawg_max_games=40))
    days.on(2)

    with pytest.raises(QuotaReachedError, match="RAWG_MONTHLY_QUOTA"):
        collect(make_settings(rawg_max_games=40, rawg_monthly_quota=1))
    assert len(fake_rawg.requests) == 1


def test_an_interrupted_pass_over_the_whole_list_is_brought_to_its_end_first(
    collect: Collect,
    days: Days,
    fake_rawg: rawg.FakeRawg,
    make_settings: MakeSettings,
    capsys: pytest.CaptureFixture[str],
):
    settings = make_settings(rawg_max_games=80)
    collect(settings)
    days.on(2)
    fake_rawg.faults = {2: [*DOWN]}
    with pytest.raises(RawgUnavailableError):
        collect(settings, full=True)
    asked(fake_rawg)

    collect(settings)

    assert asked(fake_rawg) == ["whole 2"]
    assert "whole list: an interrupted pass over it goes on." in capsys.readouterr().err


def test_a_pass_that_a_newer_collection_has_overtaken_is_not_gone_on_with_and_removed(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=80, rawg_genres="rpg")
    fake_rawg.faults = {2: [*DOWN]}
    with pytest.raises(RawgUnavailableError):
        collect(settings)
    days.on(2)
    other = collect(make_settings(rawg_max_games=40))
    assert len(folders(settings)) == 2

    kept(settings).keep_only(other)
    collect(settings)

    assert fake_rawg.asked_for()[1] == 3
    assert other.folder.name in folders(settings)


def test_what_was_being_removed_when_somebody_pulled_the_plug_is_no_collection_and_goes(
    collect: Collect, days: Days, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=40)
    first = collect(settings)
    days.on(2)
    second = collect(settings)
    first.folder.rename(first.folder.with_name(f".gone-{first.folder.name}"))
    assert kept(settings).latest() == second

    kept(settings).keep_only(second)

    assert folders(settings) == {second.folder.name}


def test_a_month_of_updates_takes_no_more_room_than_one_pass(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    settings = make_settings(rawg_max_games=80, rawg_full_days=1000)
    sizes = []
    for day in range(1, 31):
        days.on(day)
        for number in range(day, day + 20):
            fake_rawg.touch(number, f"2026-07-{day:02}", name=f"Game {number} of day {day}")
        fake_rawg.touch(1000 + day, f"2026-07-{day:02}", added=9950, added_by_status={"owned": 9950})
        newest = collect(settings)
        kept(settings).keep_only(newest)
        assert folders(settings) == {newest.folder.name}
        sizes.append(sum(path.stat().st_size for path in Path("data/rawg").rglob("*") if path.is_file()))

    assert len(newest.numbers()) == 3  # 80 games, and 40 to spare
    assert max(sizes[10:]) < 1.2 * sizes[10]
    assert len(fake_rawg.requests) == 2 + 29


def test_progress_is_told_to_whoever_asks(
    collect: Collect, days: Days, fake_rawg: rawg.FakeRawg, make_settings: MakeSettings
):
    told: list[tuple[int, int]] = []
    settings = make_settings(rawg_max_games=80)
    collect(settings, advance=lambda done, total: told.append((done, total)))
    assert told == [(40, 80), (80, 80), (80, 80)]
    days.on(2)
    fake_rawg.touch(3, "2026-07-02")
    told.clear()

    collect(settings, advance=lambda done, total: told.append((done, total)))

    assert told == [(1, 1), (1, 1)]
