from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.browsing import Listing, browse
from app.core.catalogue import Catalogue
from app.core.filters import Filters
from app.core.orders import Sort
from tests.worlds import browsable, game, six_games

CATALOGUE = Catalogue.from_games(
    [
        game(1, "Beta", released="2001-01-01", rating=3.0, metacritic=None, added=5, genres=["RPG"]),
        game(2, "alpha beta", released=None, rating=0.0, metacritic=50, added=9),
        game(3, "Gamma", released="2003-01-01", rating=3.0, metacritic=80, added=7, genres=["RPG"]),
        game(4, "Betta", released="2002-01-01", rating=5.0, metacritic=None, added=5, genres=["RPG"]),
    ]
)


WORLD = replace(
    six_games(), catalogue=CATALOGUE, popular=np.array([2, 0, 1, 3], dtype=np.int32), **browsable(CATALOGUE)
)


def ids(listing: Listing, n: int = 10, offset: int = 0) -> list[int]:
    return [game["game_id"] for game in browse(WORLD, listing, n, offset).games]


@pytest.mark.parametrize(
    ("sort", "usual", "reverse"),
    [
        (Sort.RELEVANCE, [2, 3, 1, 4], [4, 1, 3, 2]),  # without a text, by added
        (Sort.POPULARITY, [3, 1, 2, 4], [4, 2, 1, 3]),
        (Sort.NAME, [2, 1, 4, 3], [3, 4, 1, 2]),
        (Sort.RELEASED, [3, 4, 1, 2], [1, 4, 3, 2]),  # what is unknown stays last
        (Sort.RATING, [4, 3, 1, 2], [1, 3, 4, 2]),
        (Sort.METACRITIC, [3, 2, 1, 4], [2, 3, 1, 4]),
        (Sort.ADDED, [2, 3, 1, 4], [4, 1, 3, 2]),
    ],
)
def test_every_order_and_its_reverse(sort: Sort, usual: list[int], reverse: list[int]):
    assert ids(Listing(sort=sort)) == usual
    assert ids(Listing(sort=sort, reverse=True)) == reverse
    assert ids(Listing(sort=sort), 2, 1) == usual[1:3]


def test_the_closest_names_come_first_unless_something_else_is_asked_for():
    assert ids(Listing("beta")) == [1, 2, 4]
    assert ids(Listing("beta", reverse=True)) == [4, 2, 1]
    assert ids(Listing("beta", sort=Sort.RATING)) == [4, 1, 2]


def test_filters_apply_to_what_is_searched_and_to_what_is_not():
    roles = Filters(genres=("rpg",))

    assert ids(Listing("beta", roles)) == [1, 4]
    assert ids(Listing(filters=roles, sort=Sort.POPULARITY)) == [3, 1, 4]
    assert browse(WORLD, Listing(filters=roles), 1, 0).total == 3


def test_hidden_games_are_in_no_list_and_in_no_total():
    assert ids(Listing(hidden=[3, 99])) == [2, 1, 4]
    assert ids(Listing("beta", hidden=[1])) == [2, 4]
    assert browse(WORLD, Listing(filters=Filters(genres=("RPG",)), hidden=[1, 2]), 1, 0).total == 2


def test_some_games_stand_first():
    assert ids(Listing(sort=Sort.POPULARITY, first=[4, 99, 2])) == [4, 2, 3, 1]
    assert ids(Listing(sort=Sort.POPULARITY, first=[4, 2], hidden=[4], filters=Filters(genres=("RPG",)))) == [3, 1]


@settings(deadline=None)
@given(
    st.sampled_from(["", "beta", "betta", "a"]),
    st.sampled_from([Filters(), Filters(genres=("RPG",)), Filters(min_rating=4)]),
    st.sampled_from(Sort),
    st.booleans(),
    st.integers(1, 5),
)
def test_pages_neither_repeat_nor_skip(text: str, filters: Filters, sort: Sort, reverse: bool, n: int):  # noqa: FBT001
    listing = Listing(text, filters, sort, reverse)
    everything = ids(listing)

    pages = [ids(listing, n, offset) for offset in range(0, len(everything) + n, n)]

    assert [game_id for page in pages for game_id in page] == everything
    assert browse(WORLD, listing, n, 0).total == len(everything)
