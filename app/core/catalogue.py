"""The validated games, and the one translator between `game_id` and `index`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypedDict

import numpy as np
import numpy.typing as npt
import orjson

from app.core.packed import PackedStrings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

# Left out rather than turned into spaces: "Baldur's" is found as "baldurs".
_NOT_SPOKEN = dict.fromkeys(map(ord, "'\u2019\u2122\u00ae\u00a9"))

IntArray = npt.NDArray[np.int64]


class Game(TypedDict):
    """What is known of one game: facts from RAWG, in RAWG's units (`playtime` in hours, `rating` 0 to 5)."""

    game_id: int
    slug: str
    name: str
    released: str | None
    genres: list[str]
    platforms: list[str]
    tags: list[str]
    rating: float
    ratings_count: int
    reviews_count: int
    added: int
    metacritic: int | None
    playtime: int
    esrb_rating: str | None
    background_image: str | None


_ON_CARDS = (
    "game_id",
    "slug",
    "name",
    "released",
    "genres",
    "platforms",
    "rating",
    "metacritic",
    "playtime",
    "background_image",
)


def rawg_url(slug: str) -> str:
    """Address a game's page on RAWG, which must be linked wherever the game is shown."""
    return f"https://rawg.io/games/{slug}"


def fold(text: str) -> str:
    """Reduce a name to what a search compares: letters and digits without case and accents, and single spaces."""
    plain = unicodedata.normalize("NFKD", text.translate(_NOT_SPOKEN).casefold())
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All known games, ordered by `game_id`; a game's `index` is its row in every array of the same model.

    `game_ids` (int64, ascending) and `added` (int64, how many people keep the game on RAWG) have one entry a game,
    `records` holds each `Game` as JSON, `cards` what an answer tells of it, as JSON without the last brace so that more
    can be told, and `names` each name as `fold` leaves it, with a line end behind it so that nothing is found across
    two names.
    """

    game_ids: IntArray
    added: IntArray
    records: PackedStrings
    cards: PackedStrings
    names: PackedStrings

    @classmethod
    def from_games(cls, games: Iterable[Game]) -> Self:
        """Pack games that are already valid; the ids must be distinct."""
        ordered = sorted(games, key=lambda game: game["game_id"])
        return cls(
            game_ids=np.array([game["game_id"] for game in ordered], dtype=np.int64),
            added=np.array([game["added"] for game in ordered], dtype=np.int64),
            records=PackedStrings.pack(orjson.dumps(game) for game in ordered),
            cards=PackedStrings.pack(_card(game) for game in ordered),
            names=PackedStrings.pack(f"{fold(game['name'])}\n".encode() for game in ordered),
        )

    @classmethod
    def from_frame(cls, valid: pd.DataFrame) -> Self:
        """Pack the valid rows of `training.validation`, whose columns are the fields of `Game`."""
        columns = list(Game.__annotations__)
        return cls.from_games(valid[columns].to_dict("records"))  # type: ignore[arg-type]  # keys are Game's

    def __len__(self) -> int:
        """Count the games."""
        return len(self.game_ids)

    def __iter__(self) -> Iterator[Game]:
        """Read every game, in the order of the indices."""
        return map(self.game, range(len(self)))

    def game(self, index: int) -> Game:
        """Read the game at an index."""
        game: Game = orjson.loads(self.records[index])
        return game

    def index_of(self, game_id: int) -> int | None:
        """Translate an id; None where the catalogue has no such game."""
        index = int(np.searchsorted(self.game_ids, game_id))
        return index if index < len(self) and self.game_ids[index] == game_id else None

    def indices_of(self, game_ids: npt.ArrayLike) -> IntArray:
        """Translate many ids at once; -1 stands for a game that the catalogue does not have."""
        wanted = np.array(game_ids, dtype=np.int64)
        if not len(self):
            return np.full(wanted.shape, -1, dtype=np.int64)
        nearest = self.game_ids.searchsorted(wanted)
        nearest[self.game_ids.take(nearest, mode="clip") != wanted] = -1
        return nearest


def _card(game: Game) -> bytes:
    facts = {name: game[name] for name in _ON_CARDS}  # type: ignore[literal-required]  # each is a key of Game
    return orjson.dumps({**facts, "rawg_url": rawg_url(game["slug"])})[:-1]
