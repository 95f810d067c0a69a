"""Games found by the titles of others."""

import pytest

from app.core.catalogue import Catalogue
from app.core.titles import Titles
from tests.worlds import game

NAMES = {
    1: "The Witcher 3: Wild Hunt",
    2: "Tomb Raider (2013)",
    3: "Tomb Raider",
    4: "ArmA II: Operation Arrowhead",
    5: "Command & Conquer 4: Tiberian Twilight",
    6: "Batman: Arkham City - Game of the Year Edition",
    7: "The Elder Scrolls V: Skyrim",
    8: "Resident Evil 5",
    9: "Call of Duty: Black Ops",
    10: "Age of Empires III: Complete Collection",
    11: "Red Faction",
    12: "Red Faction: Guerrilla",
    13: "Mega Man X",
    14: "Bloons TD 5",
    15: "!!!",
    16: "Plants vs. Zombies GOTY Edition",
}


@pytest.fixture(scope="module")
def titles() -> Titles:
    return Titles(Catalogue.from_games(game(number, name) for number, name in NAMES.items()))


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("The Witcher 3 Wild Hunt", 1),
        ("WITCHER 3 - WILD HUNT™", 1),
        ("Tomb Raider", 2),  # the most-added of the two
        ("Arma 2 Operation Arrowhead", 4),
        ("Command and Conquer 4 Tiberian Twilight", 5),
        ("Batman Arkham City GOTY", 6),
        ("Batman Arkham City", 6),
        ("Resident Evil 5 / Biohazard 5", 8),
        ("Call of Duty Black Ops - Multiplayer", 9),
        ("Call of Duty(R) Black Ops", 9),
        ("Age of Empires II HD Edition", None),
        ("Age of Empires III", 10),
        ("Red Faction Guerrilla Steam Edition", 12),
        ("Mega Man 10", None),
        ("Bloons TD5", 14),
        ("Plants vs. Zombies Game of the Year", 16),
        ("The Elder Scrolls V Skyrim - Dawnguard", None),  # an add-on is another thing
        ("???", None),
        ("", None),
    ],
)
def test_a_title_means_a_game(titles: Titles, title: str, found: int | None):
    assert titles.find(title) == found
