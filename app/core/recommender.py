"""An answer: candidates, score, filter, rank, explain."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from app.core.artifact import Arrays
from app.core.catalogue import Catalogue, Game
from app.core.errors import GameNotFoundError
from app.core.facets import Facets
from app.core.interactions import Histories, WeightArray
from app.core.item_item import Contributions, ItemItemModel, ScoreArray
from app.core.name_search import NameIndex
from app.core.orders import Orders
from app.core.packed import PackedStrings

NO_PLAYS = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)


class Source(StrEnum):
    """Where a game in an answer comes from."""

    COLLABORATIVE = "collaborative"
    CONTENT = "content"
    POPULARITY = "popularity"


class Warned(NamedTuple):
    """Something the caller should know about an answer: a stable code and a sentence."""

    code: Literal["unknown_player", "padded_with_popular", "fewer_than_asked"]
    message: str


class Reason(NamedTuple):
    """The part that one played game has in a score; the shares of all reasons add up to the score."""

    game_id: int
    name: str
    share: float


class Scored(NamedTuple):
    """One game of an answer, `rank` 1 being the best of the whole ranking."""

    game: Game
    score: float
    rank: int
    source: Source
    reasons: tuple[Reason, ...]


class Recommendations(NamedTuple):
    """One answer: games in ranked order, and what to know about them."""

    games: tuple[Scored, ...]
    warnings: tuple[Warned, ...]


class _Pairs(NamedTuple):
    """What the played games say for candidates: by what players play, and in all."""

    by_plays: Contributions
    all: Contributions


@dataclass(frozen=True, eq=False)
class Ranking:
    """A slice of all games ranked for one history, as indices: first the scored ones, then popular ones.

    `alike` marks the scored ones that follow from what games are like alone.
    """

    scored: npt.NDArray[np.int32]
    scores: ScoreArray
    alike: npt.NDArray[np.bool_]
    popular: npt.NDArray[np.int32]

    def __iter__(self) -> Iterator[int]:
        """Read the indices in ranked order."""
        return iter([*self.scored.tolist(), *self.popular.tolist()])


@dataclass(frozen=True, eq=False)
class Recommender:
    """Everything an answer needs, of one model version; game ids go in and out, an index never leaves.

    A score is the sum of what the played games say for a candidate in `collaborative`, and in `cold` for games that the
    plays relate to none; `content` lists the games that are alike. `popular` (int32) lists every game, the most
    popular first. `vectors` (float32, games x dimensions, rows of length 1) says what each game is like.
    """

    catalogue: Catalogue
    collaborative: ItemItemModel
    content: ItemItemModel
    cold: ItemItemModel
    histories: Histories
    popular: npt.NDArray[np.int32]
    vectors: npt.NDArray[np.float32]
    facets: Facets
    orders: Orders
    names: NameIndex

    def to_arrays(self) -> Arrays:
        """Name the arrays as an artifact keeps them."""
        return {
            "game_ids": self.catalogue.game_ids,
            "added": self.catalogue.added,
            "records_blob": self.catalogue.records.blob,
            "records_offsets": self.catalogue.records.offsets,
            "names_blob": self.catalogue.names.blob,
            "names_offsets": self.catalogue.names.offsets,
            **self.facets.to_arrays(),
            **self.orders.to_arrays(),
            **self.names.to_arrays(),
            "vectors": self.vectors.ravel(),
            "popular": self.popular,
            "collaborative_indptr": self.collaborative.indptr,
            "collaborative_indices": self.collaborative.indices,
            "collaborative_weights": self.collaborative.weights,
            "content_indptr": self.content.indptr,
            "content_indices": self.content.indices,
            "content_weights": self.content.weights,
            "cold_indptr": self.cold.indptr,
            "cold_indices": self.cold.indices,
            "cold_weights": self.cold.weights,
            "users_blob": self.histories.users.blob,
            "users_offsets": self.histories.users.offsets,
            "histories_indptr": self.histories.indptr,
            "histories_indices": self.histories.indices,
            "histories_weights": self.histories.weights,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Build the recommender over an artifact's arrays, where they are."""
        a: Mapping[str, Any] = arrays
        catalogue = Catalogue(
            game_ids=a["game_ids"],
            added=a["added"],
            records=PackedStrings(a["records_blob"], a["records_offsets"]),
            names=PackedStrings(a["names_blob"], a["names_offsets"]),
        )
        facets = Facets.from_arrays(arrays)
        orders = Orders.from_arrays(arrays, facets)
        return cls(
            catalogue=catalogue,
            collaborative=ItemItemModel(
                a["collaborative_indptr"], a["collaborative_indices"], a["collaborative_weights"]
            ),
            content=ItemItemModel(a["content_indptr"], a["content_indices"], a["content_weights"]),
            cold=ItemItemModel(a["cold_indptr"], a["cold_indices"], a["cold_weights"]),
            histories=Histories(
                users=PackedStrings(a["users_blob"], a["users_offsets"]),
                indptr=a["histories_indptr"],
                indices=a["histories_indices"],
                weights=a["histories_weights"],
            ),
            popular=a["popular"],
            vectors=a["vectors"].reshape(len(catalogue), len(a["vectors"]) // max(len(catalogue), 1)),
            facets=facets,
            orders=orders,
            names=NameIndex.from_arrays(arrays, catalogue, orders),
        )

    def recommend(
        self,
        user_id: str,
        n: int = 10,
        *,
        offset: int = 0,
        exclude: Collection[int] = (),
        explain: bool = False,
    ) -> Recommendations:
        """Rank the games a player has not played, and take `n` of them from `offset` on.

        Games that follow from what the player played come first; the most popular others fill up the answer, marked
        as such. Ids in `exclude` that the catalogue does not have are ignored.
        """
        history = self.histories.of(user_id)
        played, strength = history or NO_PLAYS
        excluded = self.catalogue.indices_of(list(exclude))
        pairs = self._pairs(played, strength)
        ranking = self._rank(pairs, np.union1d(played, excluded), n, offset)
        reasons = self._reasons(pairs, ranking.scored) if explain else {}
        games = tuple(self._scored(ranking, offset + 1, reasons))
        return Recommendations(games, tuple(_warnings(games, n, known=history is not None)))

    def rank(self, played: npt.NDArray[np.int32], strength: WeightArray, n: int, barred: npt.ArrayLike = ()) -> Ranking:
        """Rank the games outside a history, given as indices and weights, and not `barred`; take the first `n`."""
        return self._rank(self._pairs(played, strength), np.union1d(played, barred).astype(np.int64), n, 0)

    def _pairs(self, played: npt.NDArray[np.int32], strength: WeightArray) -> _Pairs:
        by_plays = self.collaborative.contributions(played, strength)
        by_likeness = self.cold.contributions(played, strength)
        return _Pairs(by_plays, by_plays.and_also(by_likeness))

    def _rank(self, pairs: _Pairs, barred: npt.NDArray[np.integer], n: int, offset: int) -> Ranking:
        candidates, scores = pairs.all.totals()
        allowed = (scores > 0) & ~np.isin(candidates, barred)
        candidates, scores = candidates[allowed], scores[allowed]
        best_first = np.lexsort((candidates, -scores))
        page = best_first[offset : offset + n]
        padding = self.most_popular(np.union1d(barred, candidates), n - len(page), max(0, offset - len(candidates)))
        alike = ~np.isin(candidates[page], pairs.by_plays.candidates[pairs.by_plays.values > 0])
        return Ranking(candidates[page], scores[page], alike, padding)

    def most_popular(self, left_out: npt.NDArray[np.integer], n: int, offset: int = 0) -> npt.NDArray[np.int32]:
        """Take `n` of the most popular games but some, as indices."""
        if not n:
            return self.popular[:0]
        # Of the games in front at most those left out drop away, so it is enough to look at so many more.
        ahead = self.popular[: offset + n + len(left_out)]
        return ahead[~np.isin(ahead, left_out)][offset : offset + n]

    def similar(self, game_id: int, n: int = 10, offset: int = 0) -> Recommendations:
        """List the games that go with one game: by what players play, then by what the games are like.

        Raises `GameNotFoundError` for a game outside the catalogue.
        """
        index = self._index(game_id)
        found: dict[int, tuple[float, Source]] = {}
        for model, source in ((self.collaborative, Source.COLLABORATIVE), (self.content, Source.CONTENT)):
            neighbours, weights = model.neighbours(index)
            for neighbour, weight in zip(neighbours.tolist(), weights.tolist(), strict=True):
                found.setdefault(neighbour, (weight, source))
        page = list(found.items())[offset : offset + n]
        games = tuple(
            Scored(self.catalogue.game(neighbour), score, rank, source, ())
            for rank, (neighbour, (score, source)) in enumerate(page, start=offset + 1)
        )
        return Recommendations(games, tuple(_too_few(games, n)))

    def game(self, game_id: int) -> Game:
        """Read one game, or raise `GameNotFoundError`."""
        return self.catalogue.game(self._index(game_id))

    def _index(self, game_id: int) -> int:
        index = self.catalogue.index_of(game_id)
        if index is None:
            raise GameNotFoundError(game_id)
        return index

    def played(self, user_id: str) -> list[Game]:
        """List what a player played, the strongest play first; empty for an unknown player."""
        played, strength = self.histories.of(user_id) or NO_PLAYS
        return [self.catalogue.game(index) for index in played[np.argsort(-strength, kind="stable")]]

    def _scored(self, ranking: Ranking, first: int, reasons: dict[int, tuple[Reason, ...]]) -> Iterable[Scored]:
        scores = ranking.scores.tolist()
        for place, index in enumerate(ranking):
            game, rank = self.catalogue.game(index), first + place
            if place < len(scores):
                source = Source.CONTENT if ranking.alike[place] else Source.COLLABORATIVE
                yield Scored(game, scores[place], rank, source, reasons.get(index, ()))
            else:
                yield Scored(game, 0.0, rank, Source.POPULARITY, ())

    def _reasons(self, pairs: _Pairs, ranked: npt.NDArray[np.int32]) -> dict[int, tuple[Reason, ...]]:
        named: dict[int, tuple[int, str]] = {}
        reasons: dict[int, list[Reason]] = {}
        wanted = np.isin(pairs.all.candidates, ranked) & (pairs.all.values > 0)
        for candidate, played, share in zip(*(column[wanted].tolist() for column in pairs.all), strict=True):
            if played not in named:
                game = self.catalogue.game(played)
                named[played] = game["game_id"], game["name"]
            reasons.setdefault(candidate, []).append(Reason(*named[played], share))
        return {
            candidate: tuple(sorted(found, key=lambda reason: (-reason.share, reason.game_id)))
            for candidate, found in reasons.items()
        }


def _warnings(games: tuple[Scored, ...], n: int, *, known: bool) -> Iterator[Warned]:
    personal = sum(scored.source is not Source.POPULARITY for scored in games)
    if not known:
        yield Warned("unknown_player", "Nothing is known of this player; these are the most popular games.")
    elif personal < len(games):
        yield Warned(
            "padded_with_popular",
            f"{personal} of these {len(games)} games follow from what the player played; the others are popular ones.",
        )
    yield from _too_few(games, n)


def _too_few(games: tuple[Scored, ...], n: int) -> Iterator[Warned]:
    if len(games) < n:
        yield Warned("fewer_than_asked", f"Only {len(games)} of the {n} games asked for are left.")
