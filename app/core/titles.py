"""Finding games by the titles that others give them: a shop's, a data set's, a player's library's."""

import re
from collections.abc import Callable

from app.core.catalogue import Catalogue, fold

# "Tomb Raider (2013)": RAWG's way to keep names apart, which no shop has.
_YEAR = re.compile(r"\s*\((19|20)\d\d\)\s*$")
_MARKS = re.compile(r"\((tm|r|c)\)", re.IGNORECASE)
_SECOND_NAME = re.compile(r"\s+/\s+.*")  # "Resident Evil 5 / Biohazard 5"
_UNSPOKEN = frozenset(("the", "and"))
# A single "x" or "i" is more often a letter than a number.
_ROMAN = {
    numeral: str(number)
    for number, numeral in enumerate(
        ("ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "", "xi", "xii", "xiii", "xiv", "xv"), start=2
    )
    if numeral
}
# The same game in another box, or a part of it that a shop lists by itself; an add-on is another thing, and stays.
_ADJECTIVE = (
    "enhanced|special|definitive|complete|ultimate|gold|deluxe|digital|extended|steam|anniversary|collectors|legendary"
    "|premium|standard|hd|platinum|goty|remastered|classic|black|redux"
)
_EDITION = re.compile(
    rf"""\s(
        ((the\s)?game\sof\sthe\syear | (({_ADJECTIVE})\s)* ({_ADJECTIVE})) (\s(edition|collection))?
        | multiplayer | singleplayer | single\splayer | free\sto\splay | beta | unstable | ru | na | eu
    )$""",
    re.VERBOSE,
)


def _exact(name: str) -> str:
    return fold(_YEAR.sub("", _MARKS.sub("", name))).replace(" ", "")


def _spoken(name: str) -> str:
    """Leave out articles, and write every number in one way."""
    plain = fold(_YEAR.sub("", _MARKS.sub("", _SECOND_NAME.sub("", name))))
    return "".join(_ROMAN.get(word, word) for word in plain.split() if word not in _UNSPOKEN)


def _without_edition(name: str) -> str:
    plain = fold(_YEAR.sub("", _MARKS.sub(" ", _SECOND_NAME.sub("", name))))
    shorter = _EDITION.sub("", plain)
    while shorter != plain:
        plain, shorter = shorter, _EDITION.sub("", shorter)
    return _spoken(plain)


# From the strictest to the loosest; a title means what the first of them finds.
_WAYS: tuple[Callable[[str], str], ...] = (_exact, _spoken, _without_edition)


class Titles:
    """The names of a catalogue; of several games that go by one name the most-added is meant."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._games: tuple[dict[str, int], ...] = tuple({} for _ in _WAYS)
        added = catalogue.added
        # The last one that is written stays: the most-added, and of those the oldest.
        for index in sorted(range(len(catalogue)), key=lambda one: (added[one], -one)):
            game = catalogue.game(index)
            for games, way in zip(self._games, _WAYS, strict=True):
                games[way(game["name"])] = game["game_id"]

    def find(self, title: str) -> int | None:
        """Find the id of the game with a title; None where the catalogue has none."""
        for games, way in zip(self._games, _WAYS, strict=True):
            key = way(title)
            if key and key in games:
                return games[key]
        return None
