"""What is new in a catalogue, gone and changed."""

from typing import Any

import pytest

from app.core.catalogue import Catalogue, Game
from tests.worlds import game
from training.catalogue_changes import Example, Fact, compare


def catalogue(*games: Game) -> Catalogue:
    return Catalogue.from_games(games)


def changed(before: dict[str, Any], after: dict[str, Any]) -> tuple[Fact, ...]:
    """The facts that differ of one game."""
    found = compare(catalogue(game(1, **before)), catalogue(game(1, **after))).changed
    return found.examples[0].facts if found.count else ()


def test_games_come_and_go():
    found = compare(
        catalogue(game(1, "One", added=5), game(2, "Two", added=9), game(3, "Three")),
        catalogue(game(3, "Three"), game(4, "Four", added=1), game(5, "Five", added=7)),
    )

    assert found.gone.to_dict() == {
        "count": 2,
        "examples": [{"game_id": 2, "name": "Two"}, {"game_id": 1, "name": "One"}],
    }
    assert found.new.to_dict() == {
        "count": 2,
        "examples": [{"game_id": 5, "name": "Five"}, {"game_id": 4, "name": "Four"}],
    }
    assert (found.changed.count, found.facts) == (0, {})


@pytest.mark.parametrize(
    ("fact", "before", "after"),
    [
        ("name", "Portal", "Portal (2007)"),
        ("released", None, "2027-01-01"),
        ("released", "2026-12-01", "2027-01-01"),
        ("metacritic", 90, 89),
        ("metacritic", 90, None),
        ("esrb_rating", None, "Mature"),
        ("genres", ["RPG"], ["RPG", "Puzzle"]),
        ("platforms", ["PC"], []),
        ("rating", 4.3, 4.2),
        ("rating", 0.0, 0.05),
    ],
)
def test_a_fact_that_matters_is_a_change(fact: str, before: Any, after: Any):
    assert changed({fact: before}, {fact: after}) == (Fact(fact, before, after),)


@pytest.mark.parametrize(
    ("fact", "before", "after"),
    [
        ("added", 10, 5000),
        ("ratings_count", 10, 11),
        ("reviews_count", 10, 11),
        ("playtime", 3, 4),
        ("tags", ["Funny"], ["Funny", "Co-op"]),
        ("background_image", None, "https://media.rawg.io/media/a.jpg"),
        ("slug", "portal", "portal-2007"),
        ("rating", 4.31, 4.22),
        ("genres", ["RPG", "Puzzle"], ["Puzzle", "RPG"]),
        ("metacritic", 90, 90),
    ],
)
def test_what_moves_any_day_is_none(fact: str, before: Any, after: Any):
    assert changed({fact: before}, {fact: after}) == ()


def test_the_best_known_are_the_examples_and_all_are_counted():
    before = catalogue(*(game(number, metacritic=50) for number in range(1, 13)))
    after = catalogue(*(game(number, metacritic=60, rating=2.0 if number > 8 else 4.0) for number in range(1, 13)))

    found = compare(before, after)

    assert found.changed.count == 12
    assert found.facts == {"metacritic": 12, "rating": 4}
    assert [example.game_id for example in found.changed.examples] == list(range(1, 11))
    assert found.changed.examples[9] == Example(10, "Game 10", (Fact("metacritic", 50, 60), Fact("rating", 4.0, 2.0)))
    assert found.to_dict()["changed"] == {
        "count": 12,
        "examples": [example.to_dict() for example in found.changed.examples],
        "facts": {"metacritic": 12, "rating": 4},
    }
    assert found.changed.examples[0].to_dict()["facts"] == [{"name": "metacritic", "before": 50, "after": 60}]


def test_an_empty_catalogue_can_be_compared():
    found = compare(catalogue(), catalogue(game(1)))

    assert (found.new.count, found.gone.count) == (1, 0)
    assert compare(catalogue(game(1)), catalogue()).gone.count == 1
