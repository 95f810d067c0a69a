"""Merging kept pages with newer ones, record by record; what is expected is worked out by hand."""

from pathlib import Path

import pytest

from tests.fakes import rawg
from training import merging
from training.merging import Index, Merge
from training.pages import Pages
from training.rawg import Page


def stored(folder: Path, *pages: list[object]) -> Pages:
    """Keep pages as they would have come."""
    kept = Pages(folder)
    kept.replace_all(Page(rawg.listed(page), page, has_next=False) for page in pages)
    return kept


def game(game_id: int, added: int, **facts: object) -> dict[str, object]:
    return rawg.game(game_id, added=added, added_by_status={"owned": added}, **facts)


def told(record: object) -> tuple[object, object]:
    return (record["id"], record["name"]) if isinstance(record, dict) else (None, record)


@pytest.fixture(autouse=True)
def one_to_spare(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(merging, "SPARE", 1)


def merged(old: Pages, new: Pages, games: int) -> tuple[list[tuple[object, object]], Merge]:
    merge = Merge(old, Index.of(old.pages()), new, games)
    return [told(record) for page in merge.pages() for record in page.games], merge


def test_the_newer_record_stands_where_its_own_count_puts_it(tmp_path: Path):
    old = stored(tmp_path / "old", [game(1, 50), game(2, 40)], [game(3, 30), game(4, 20)])
    new = stored(tmp_path / "new", [game(4, 45, name="Up"), game(9, 31, name="New"), game(1, 10, name="Down")])

    records, merge = merged(old, new, 4)

    assert records == [(4, "Up"), (2, "Game 2"), (9, "New"), (3, "Game 3"), (1, "Down")]
    assert (merge.updated, merge.new) == (2, 1)  # the one that went down is to spare


def test_no_more_than_the_most_added_and_one_to_spare_are_kept(tmp_path: Path):
    old = stored(tmp_path / "old", [game(1, 50), game(2, 40), game(3, 30)])
    new = stored(tmp_path / "new", [game(8, 45), game(9, 35)])

    records, _ = merged(old, new, 3)

    assert [game_id for game_id, _ in records] == [1, 8, 2, 9]


def test_of_several_records_of_a_game_the_last_valid_one_is_taken(tmp_path: Path):
    old = stored(tmp_path / "old", [game(1, 50, name="First"), game(2, 40)], [game(1, 50, name="Last")])
    new = stored(tmp_path / "new", [game(2, 41, name="Good"), game(2, 41, name="Bad", rating=9)])

    records, _ = merged(old, new, 3)

    assert sorted(records) == [(1, "Last"), (2, "Good")]


def test_bad_records_stay_beside_their_neighbours_and_go_when_a_good_one_comes(tmp_path: Path):
    old = stored(tmp_path / "old", [game(1, 50), "no record", {**game(2, 0), "added": "many"}, game(3, 30)])
    nothing = stored(tmp_path / "nothing")

    records, merge = merged(old, nothing, 5)

    assert records == [(1, "Game 1"), (None, "no record"), (2, "Game 2"), (3, "Game 3")]
    assert (merge.updated, merge.new) == (0, 0)
    records, merge = merged(old, stored(tmp_path / "new", [game(2, 60, name="Good"), "no record"]), 5)
    assert records == [(2, "Good"), (None, "no record"), (1, "Game 1"), (3, "Game 3")]
    assert (merge.updated, merge.new) == (1, 1)


@pytest.mark.parametrize("odd", ["\ud83c", float("inf"), 10**400])
def test_odd_values_come_through_as_they_were(odd: object, tmp_path: Path):
    old = stored(tmp_path / "old", [game(1, 50, name=odd), game(2, 40)])

    records, _ = merged(old, stored(tmp_path / "new"), 5)

    assert records == [(1, odd), (2, "Game 2")]


@pytest.mark.parametrize(("games", "expected"), [(1, 50), (2, 40), (3, 30), (4, 0)])
def test_the_cut_off_is_what_the_last_game_that_is_asked_for_has(games: int, expected: int, tmp_path: Path):
    old = stored(tmp_path / "old", [game(3, 30), game(1, 50), game(9, 60, rating=9)], [game(2, 40)])

    assert Index.of(old.pages()).cut_off(games) == expected


def test_a_valid_game_below_the_kept_ones_is_left_out_in_the_middle_as_well(tmp_path: Path):
    out_of_order = stored(tmp_path / "old", [game(1, 50), game(2, 10), game(3, 30), game(4, 20)])

    records, _ = merged(out_of_order, stored(tmp_path / "new"), 2)

    assert [game_id for game_id, _ in records] == [1, 3, 4]
