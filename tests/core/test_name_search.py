import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import name_search
from app.core.catalogue import Catalogue, fold
from app.core.name_search import NameIndex
from tests.worlds import browsable, game

NAMES = {
    4200: ("Portal 2", 20),
    13536: ("Portal", 10),
    99: ("Bridge Constructor Portal", 99),
    7: ("Pokémon™: Let's Go!", 1),
    8: ("Half-Life 2", 2),
    9: ("Por", 3),
}


def index_of(*games: tuple[int, str, int]) -> NameIndex:
    """Names by id, and how many people keep each game."""
    catalogue = Catalogue.from_games(game(game_id, name, added=added) for game_id, name, added in games)
    return browsable(catalogue)["names"]  # type: ignore[no-any-return]


def ids(index: NameIndex, text: str) -> list[int]:
    return index.catalogue.game_ids[index.search(text)].tolist()  # type: ignore[no-any-return]


INDEX = index_of(*((game_id, *rest) for game_id, rest in NAMES.items()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("portal", [13536, 4200, 99]),  # itself, then what begins with it, then what holds it
        ("PORTAL  2", [4200]),
        ("2 portal", [4200]),  # words in any order
        ("por", [9, 4200, 13536, 99]),  # among equals the most-added first
        ("pokemon lets go", [7]),
        ("half life", [8]),
        ("l", [99, 4200, 13536, 8, 7]),
        ("rt", [99, 4200, 13536]),
        ("bridge tal", [99]),
        ("zelda", []),
        ("portal zelda", []),
        ("2\nportal", [4200]),
        ("constructor\x00portal", [99]),
        ("漢字", []),
    ],
)
def test_names_that_hold_every_word(text: str, expected: list[int]):
    assert ids(INDEX, text) == expected


@pytest.mark.parametrize("text", ["", "   ", "!?"])
def test_a_search_for_nothing_lists_everything_most_added_first(text: str):
    assert ids(INDEX, text) == [99, 4200, 13536, 9, 8, 7]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("protal 2", [4200]),  # two letters changed places
        ("portl", [99, 4200, 13536]),  # one is missing; equals by `added`
        ("constrctor portaal", [99]),  # one in each word
        ("konstrcutor", [99]),  # two in a long one
        ("konstrcutr", []),  # three are too many
        ("halflife", [8]),  # spaces are no typos
        ("half-lief 2", [8]),
        ("pr", []),  # a word of two letters must be right
        ("portal 3", []),  # so must a number
        ("protal zelda", []),
    ],
)
def test_names_that_hold_every_word_but_for_typos(text: str, expected: list[int]):
    assert ids(INDEX, text) == expected


def test_what_is_found_to_the_letter_comes_before_what_is_not_and_fewer_typos_first():
    index = index_of((1, "Mortal", 500), (2, "Portal", 1), (3, "Postel", 900), (4, "Portals", 2))

    assert ids(index, "portal") == [2, 4, 1, 3]


def test_equals_stand_in_the_order_of_their_ids():
    index = index_of((2, "Zelda B", 5), (1, "Zelda A", 5))

    assert ids(index, "zelda") == ids(index, "zleda") == [1, 2]


def test_words_are_not_found_across_two_names():
    assert ids(index_of((1, "ends with por", 1), (2, "tal begins", 1)), "portal") == []
    assert ids(index_of((1, "ab", 1), (2, "cd", 1)), "bc") == []


def test_names_without_a_letter_are_found_by_nothing():
    index = index_of((1, "???", 1), (2, "Go", 1))

    assert ids(index, "go") == [2]
    assert ids(index, "?") == [1, 2]  # a search for nothing


def test_an_empty_catalogue_has_no_names():
    assert ids(index_of(), "portal") == []


def test_where_every_part_of_a_text_is_everywhere_its_typos_are_not_looked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(name_search, "_MOST_POSTINGS", 0)

    assert ids(INDEX, "protal") == []
    assert ids(INDEX, "portal") == [13536, 4200, 99]


WORDS = st.text("abcé ", min_size=1, max_size=6)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=8), WORDS)
def test_a_search_finds_what_a_look_at_every_name_finds(names: list[str], text: str):
    index = index_of(*((number, name, number % 3) for number, name in enumerate(names, start=1)))
    words = fold(text).split()

    found = index.search(text).tolist()

    holding = {place for place, name in enumerate(names) if all(word in fold(name) for word in words)}
    assert set(found[: len(holding)]) == holding
    assert len(set(found)) == len(found)
    assert np.array_equal(found, index.search(text))
