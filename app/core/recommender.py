"""Answers from one model version: taste -> candidates -> score -> filter -> rank -> explain."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from app.core.answer import Query, Reason, Recommendations, Source, Warned, of_unknown_labels
from app.core.artifact import Arrays
from app.core.catalogue import Catalogue, Game
from app.core.diversity import most_diverse_first
from app.core.errors import GameNotFoundError
from app.core.facets import Facets
from app.core.histories import Histories, WeightArray
from app.core.item_item import ItemItemModel
from app.core.name_search import NameIndex
from app.core.orders import Orders
from app.core.packed import PackedStrings
from app.core.ranking import Best, Question, Ranker, Ranking, Voices
from app.core.tastes import Bar, Taste

_ALL = Query().filters
_MIXED = 500  # so many of the best games are ordered anew for diversity


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
            "cards_blob": self.catalogue.cards.blob,
            "cards_offsets": self.catalogue.cards.offsets,
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
            cards=PackedStrings(a["cards_blob"], a["cards_offsets"]),
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

    @cached_property
    def ranker(self) -> Ranker:
        """Rank by this model's arrays."""
        return Ranker(self.collaborative, self.cold, self.popular)

    def recommend(self, taste: Taste, query: Query) -> Recommendations:
        """Rank the games a player does not have, and take `n` of them from `offset` on.

        Games that follow from what the player played come first; the most popular others fill up the answer, marked
        as such, and what speaks against the player's taste comes last. Ids that the catalogue does not have are
        ignored.
        """
        voices, question = self.translate(taste, query)
        ranking = self._ranking(voices, question, query)
        answer = self.describe(ranking, query, known=taste.known)
        if query.explain:
            reasons = self.reasons(voices, ranking.scored)
            answer = answer._replace(
                reasons=[*(reasons[index] for index in ranking.scored), *([()] * len(ranking.others))]
            )
        return answer

    def translate(self, taste: Taste, query: Query) -> tuple[Voices, Question]:
        """Turn a taste and what is asked for into indices."""
        indices, strengths, bars = self.catalogue.indices_of(taste.game_ids), taste.strengths, taste.bars
        if len(indices) and indices.min() < 0:
            there = [position for position, index in enumerate(indices.tolist()) if index >= 0]
            indices = indices[there]
            strengths, bars = [strengths[position] for position in there], [bars[position] for position in there]
        least = Bar.VETO if query.include_played else Bar.KNOWN
        barred = indices if min(bars, default=least) >= least else indices[[bar >= least for bar in bars]]
        if query.exclude:
            excluded = self.catalogue.indices_of(query.exclude)
            barred = np.concatenate([barred, excluded[excluded >= 0]])
        allowed = self.facets.allowed(query.filters) if query.filters is not _ALL and query.filters else None
        return Voices(indices, np.array(strengths, dtype=np.float64)), Question(barred, allowed)

    def describe(self, ranking: Ranking, query: Query, *, known: bool) -> Recommendations:
        """Say what the games of a ranking are, and what is to be known about the answer."""
        indices, scores = ranking.scored, ranking.scores
        sources = [Source.CONTENT if alike else Source.COLLABORATIVE for alike in ranking.alike]
        if missing := len(ranking.others):
            indices = [*indices, *ranking.others]
            scores = [*scores, *([0.0] * missing)]
            sources += [Source.POPULARITY] * missing
        answer = self._answer(indices, scores, sources, query.offset + 1)
        if missing or not known or query.filters is not _ALL or len(indices) < query.n:
            unknown = of_unknown_labels(self.facets.unknown_labels(query.filters))
            answer = answer._replace(warnings=(*unknown, *_warnings(ranking, query.n, known=known)))
        return answer

    def _ranking(self, voices: Voices, question: Question, query: Query) -> Ranking:
        if not query.diversity:
            return self.ranker.rank(voices, question, query.n, query.offset)
        best = self.ranker.best(voices, question, max(query.offset + query.n, _MIXED))
        return self.ranker.page(self.mixed(best, query), voices, question, query.n, query.offset)

    def mixed(self, best: Best, query: Query) -> Best:
        """Order the first games of a ranking anew, as `query` asks for diversity; a page needs no more of them."""
        if not query.diversity or not best.games:
            return best
        wanted = query.offset + query.n
        vectors = self.vectors[best.games[:_MIXED]]
        order = most_diverse_first(best.scores[:_MIXED], vectors, query.diversity, wanted)
        return best.in_order([*order, *range(len(order), min(wanted, len(best.games)))])

    def taste_of(self, user_id: str) -> Taste:
        """Read what the model was trained on of a player."""
        return Taste.trained_on(self.histories, user_id, self.catalogue.game_ids) or Taste()

    def rank(
        self, played: npt.NDArray[np.int32], strength: WeightArray, n: int, barred: npt.ArrayLike = ()
    ) -> list[int]:
        """Rank the games outside a history, given as indices and weights, and not `barred`; take the first `n`."""
        question = Question(np.concatenate([played, np.asarray(barred, dtype=np.intp)]))
        ranking = self.ranker.rank(Voices(played, strength.astype(np.float64)), question, n)
        return [*ranking.scored, *ranking.others]

    def similar(self, game_id: int, n: int = 10, offset: int = 0, hidden: Collection[int] = ()) -> Recommendations:
        """List the games that go with one game, but for hidden ones: by what players play, then by what they are like.

        Raises `GameNotFoundError` for a game outside the catalogue.
        """
        index = self._index(game_id)
        found: dict[int, tuple[float, Source]] = {}
        for model, source in ((self.collaborative, Source.COLLABORATIVE), (self.content, Source.CONTENT)):
            neighbours, weights = model.neighbours(index)
            for neighbour, weight in zip(neighbours.tolist(), weights.tolist(), strict=True):
                found.setdefault(neighbour, (weight, source))
        for out in self.catalogue.indices_of(list(hidden)).tolist() if hidden else ():
            found.pop(out, None)
        page = list(found.items())[offset : offset + n]
        scores, sources = [score for _, (score, _) in page], [source for _, (_, source) in page]
        answer = self._answer([neighbour for neighbour, _ in page], scores, sources, offset + 1)
        return answer._replace(warnings=tuple(_too_few(len(page), n)))

    def game(self, game_id: int) -> Game:
        """Read one game, or raise `GameNotFoundError`."""
        return self.catalogue.game(self._index(game_id))

    def _index(self, game_id: int) -> int:
        index = self.catalogue.index_of(game_id)
        if index is None:
            raise GameNotFoundError(game_id)
        return index

    def played(self, taste: Taste) -> list[Game]:
        """List what a player played, the strongest play first."""
        strongest = sorted(zip(taste.strengths, taste.game_ids, taste.bars, strict=True), key=lambda play: -play[0])
        indices = [self.catalogue.index_of(game_id) for _, game_id, bar in strongest if bar == Bar.KNOWN]
        return [self.catalogue.game(index) for index in indices if index is not None]

    def _answer(self, indices: list[int], scores: list[float], sources: list[Source], rank: int) -> Recommendations:
        catalogue = self.catalogue
        game_ids = catalogue.game_ids[indices].tolist() if indices else []
        return Recommendations(game_ids, catalogue.cards.take(indices), scores, sources, rank)

    def reasons(self, voices: Voices, scored: Sequence[int]) -> dict[int, tuple[Reason, ...]]:
        """Tell what each played game adds to the scores of some games, given as indices, the most first."""
        shares = self.ranker.shares(voices, scored)
        names = {voice: self.catalogue.game(voice) for of in shares.values() for voice in of}
        return {
            index: tuple(
                Reason(names[voice]["game_id"], names[voice]["name"], share)
                for voice, share in sorted(of.items(), key=lambda found: (-found[1], found[0]))
            )
            for index, of in shares.items()
        }


def _warnings(ranking: Ranking, n: int, *, known: bool) -> Iterator[Warned]:
    if not known:
        yield Warned("unknown_player", "Nothing is known of this player; these are the most popular games.")
    elif ranking.others:
        yield Warned(
            "padded_with_popular",
            f"{len(ranking.scored)} of these {len(ranking)} games follow from what the player played; the others are "
            "popular ones.",
        )
    yield from _too_few(len(ranking), n)


def _too_few(games: int, n: int) -> Iterator[Warned]:
    if games < n:
        yield Warned("fewer_than_asked", f"Only {games} of the {n} games asked for are left.")
