from datetime import date
from typing import Any

import numpy as np
import pytest

from app.core import facets as module
from app.core.catalogue import Catalogue
from app.core.facets import Facets
from app.core.filters import AGE_RATINGS, Filters
from tests.worlds import game

UNKNOWN: dict[str, Any] = {"released": None, "rating": 0.0, "metacritic": None, "genres": [], "platforms": []}

CATALOGUE = Catalogue.from_games(
    [
        game(1, genres=["Action", "RPG"], platforms=["PC"], tags=["Co-op"], rating=4.4, esrb_rating="Teen"),
        game(2, genres=["Action"], platforms=["PC", "PlayStation 4"], released="2020-02-29", metacritic=70),
        game(3, genres=["Puzzle"], rating=3.0, tags=["co op", "Pokémon"], esrb_rating="Everyone 10+"),
        game(4, esrb_rating="Rating Pending", **UNKNOWN),
    ]
)
FACETS = Facets.of(CATALOGUE)


def test_facts_are_numbers_and_what_is_unknown_has_one_too():
    assert FACETS.released.tolist() == [20110418, 20200229, 20110418, 0]
    assert FACETS.rating.tolist() == pytest.approx([4.4, 4.0, 3.0, 0.0])
    assert FACETS.metacritic.tolist() == [90, 70, 90, -1]
    assert FACETS.age.tolist() == [2, -1, 1, -1]
    assert AGE_RATINGS[2] == "Teen"


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (Filters(), [1, 2, 3, 4]),
        (Filters(genres=("rpg",)), [1]),
        (Filters(genres=("RPG", "Puzzle", "no such")), [1, 3]),  # any of one parameter
        (Filters(genres=("Action",), platforms=("playstation-4",)), [2]),  # all of different ones
        (Filters(genres=("no such",)), []),
        (Filters(tags=("CO OP",)), [1, 3]),  # two tags of one folded name
        (Filters(tags=("pokemon",)), [3]),
        (Filters(released_after=date(2011, 4, 18)), [1, 2, 3]),
        (Filters(released_after=date(2011, 4, 19)), [2]),
        (Filters(released_before=date(2011, 4, 18)), [1, 3]),
        (Filters(released_before=date(2011, 4, 17)), []),
        (Filters(min_rating=4.4), [1]),
        (Filters(min_rating=0), [1, 2, 3]),  # what is unknown passes nothing
        (Filters(min_metacritic=71), [1, 3]),
        (Filters(min_metacritic=0), [1, 2, 3]),
        (Filters(age_max="Everyone"), []),
        (Filters(age_max="Everyone 10+"), [3]),
        (Filters(age_max="Adults Only"), [1, 3]),
    ],
)
def test_games_that_pass(filters: Filters, ids: list[int]):
    mask = FACETS.allowed(filters)

    assert CATALOGUE.game_ids[mask].tolist() == ids
    assert [not FACETS.failing(index, filters) for index in range(4)] == mask.tolist()
    assert bool(filters) == (filters != Filters())


def test_the_filters_that_keep_a_game_out_are_named():
    asked = Filters(
        genres=("Puzzle",),
        platforms=("PC",),
        tags=("x",),
        released_after=date(2012, 1, 1),
        released_before=date(2010, 1, 1),
        min_rating=4.5,
        min_metacritic=91,
        age_max="Everyone",
    )

    assert FACETS.failing(0, asked) == [
        "genre",
        "tag",
        "released_after",
        "released_before",
        "min_rating",
        "min_metacritic",
        "age_max",
    ]
    assert FACETS.failing(3, Filters(platforms=("PC",), min_rating=1)) == ["platform", "min_rating"]


def test_values_that_no_game_has_are_told():
    asked = Filters(genres=("puzzle", "Zen", "Zen"), platforms=("Amiga",), tags=("co-op",))

    assert FACETS.unknown_labels(asked) == [("genre", "Zen"), ("platform", "Amiga")]


def test_what_was_asked_lately_is_kept_and_the_rest_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MASKS_KEPT", 2)
    facets = Facets.of(CATALOGUE)
    first, second, third = (Filters(min_metacritic=number) for number in (1, 2, 3))

    mask = facets.allowed(first)
    facets.allowed(second)
    assert facets.allowed(first) is mask
    facets.allowed(third)

    assert list(facets._masks) == [first, third]
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = False


def test_labels_stand_by_their_folded_names_and_the_common_ones_come_first():
    tags = FACETS.tag

    assert [tags.name(label) for label in range(len(tags))] == ["Co-op", "co op", "Pokémon"]
    assert FACETS.genre.most_common(2) == [("Action", 2), ("Puzzle", 1)]
    assert FACETS.genre.most_common(2, 1) == [("Puzzle", 1), ("RPG", 1)]


def test_a_label_without_a_letter_is_found_as_it_is_written():
    facets = Facets.of(Catalogue.from_games([game(1, tags=["???", "!"]), game(2, tags=["!", "!"])]))

    assert np.flatnonzero(facets.allowed(Filters(tags=("!",)))).tolist() == [0, 1]
    assert np.flatnonzero(facets.allowed(Filters(tags=("???",)))).tolist() == [0]
    assert facets.tag.most_common(9) == [("!", 2), ("???", 1)]
    assert len(facets.tag.games) == 2


def test_a_catalogue_without_games_has_no_facts():
    empty = Facets.of(Catalogue.from_games([]))

    assert len(empty.allowed(Filters(genres=("RPG",), min_rating=1))) == 0
    assert empty.unknown_labels(Filters(tags=("x",))) == [("tag", "x")]
