"""The facts that games are filtered and sorted by, as arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from app.core.artifact import Arrays
from app.core.catalogue import Catalogue
from app.core.filters import AGE_RATINGS, Filters
from app.core.labels import Labels, Mask
from app.core.packed import PackedStrings
from app.core.postings import Postings

UNKNOWN_DATE = 0
UNKNOWN_RATING = 0.0
UNKNOWN_METACRITIC = -1
UNKNOWN_AGE = -1

_MASKS_KEPT = 32
_AGES: Mapping[str | None, int] = {name: rank for rank, name in enumerate(AGE_RATINGS)}


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _released(day: str | None) -> int:
    return UNKNOWN_DATE if day is None else int(day.replace("-", ""))


@dataclass(frozen=True, eq=False)
class Facets:
    """One number a game and fact, in the order of the indices, and the games of each label.

    `released` (int32) is a date as yyyymmdd, 0 unknown; `rating` (float32) goes to 5, 0 unknown; `metacritic` (int16)
    to 100, -1 unknown; `age` (int8) is the place of the ESRB rating in `AGE_RATINGS`, -1 unknown. The sorts of labels
    bear the names of the query's parameters.
    """

    released: npt.NDArray[np.int32]
    rating: npt.NDArray[np.float32]
    metacritic: npt.NDArray[np.int16]
    age: npt.NDArray[np.int8]
    genre: Labels
    platform: Labels
    tag: Labels
    _masks: dict[Filters, Mask] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Gather the facts of a catalogue."""
        games = list(catalogue)
        metacritic = [UNKNOWN_METACRITIC if game["metacritic"] is None else game["metacritic"] for game in games]
        return cls(
            released=np.array([_released(game["released"]) for game in games], dtype=np.int32),
            rating=np.array([game["rating"] for game in games], dtype=np.float32),
            metacritic=np.array(metacritic, dtype=np.int16),
            age=np.array([_AGES.get(game["esrb_rating"], UNKNOWN_AGE) for game in games], dtype=np.int8),
            genre=Labels.of(game["genres"] for game in games),
            platform=Labels.of(game["platforms"] for game in games),
            tag=Labels.of(game["tags"] for game in games),
        )

    def to_arrays(self) -> Arrays:
        """Name the arrays as an artifact keeps them."""
        facts = {name: getattr(self, name) for name in ("released", "rating", "metacritic", "age")}
        for sort, labels in self.labels().items():
            facts[f"{sort}_blob"], facts[f"{sort}_offsets"] = labels.names.blob, labels.names.offsets
            facts[f"{sort}_indptr"], facts[f"{sort}_indices"] = labels.games.indptr, labels.games.indices
        return facts

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Read the facts from an artifact's arrays, where they are."""
        a: Mapping[str, Any] = arrays

        def labels(sort: str) -> Labels:
            names = PackedStrings(a[f"{sort}_blob"], a[f"{sort}_offsets"])
            return Labels(names, Postings(a[f"{sort}_indptr"], a[f"{sort}_indices"]))

        return cls(
            released=a["released"],
            rating=a["rating"],
            metacritic=a["metacritic"],
            age=a["age"],
            genre=labels("genre"),
            platform=labels("platform"),
            tag=labels("tag"),
        )

    def __len__(self) -> int:
        """Count the games."""
        return len(self.released)

    def labels(self) -> dict[str, Labels]:
        """List the sorts of labels by the names of the query's parameters."""
        return {"genre": self.genre, "platform": self.platform, "tag": self.tag}

    def allowed(self, filters: Filters) -> Mask:
        """Mark the games (bool, one a game, not to be written to) that pass all filters.

        What was asked for lately is kept: those who filter page through, and many ask the same.
        """
        mask = self._masks.pop(filters, None)
        if mask is None:
            mask = np.ones(len(self), dtype=bool)
            for _, passing in self._tests(filters, range(len(self))):
                mask &= passing
            mask.setflags(write=False)
        self._masks[filters] = mask
        if len(self._masks) > _MASKS_KEPT:
            del self._masks[next(iter(self._masks))]
        return mask

    def failing(self, index: int, filters: Filters) -> list[str]:
        """Name the query's parameters that keep the game at an index out."""
        return [name for name, passing in self._tests(filters, range(index, index + 1)) if not passing[0]]

    def unknown_labels(self, filters: Filters) -> list[tuple[str, str]]:
        """List the parameters and values that name a label which no game has."""
        asked = {"genre": filters.genres, "platform": filters.platforms, "tag": filters.tags}
        return [
            (sort, value)
            for sort, labels in self.labels().items()
            for value in dict.fromkeys(asked[sort])
            if not labels.find(value)
        ]

    def _tests(self, filters: Filters, span: range) -> Iterator[tuple[str, Mask]]:
        """Name each parameter that was given, and mark the games of a span of indices that pass it."""
        games = slice(span.start, span.stop)
        for sort, names in (("genre", filters.genres), ("platform", filters.platforms), ("tag", filters.tags)):
            if names:
                yield sort, self.labels()[sort].mask(names, span)
        released, rating, age = self.released[games], self.rating[games], self.age[games]
        if filters.released_after is not None:
            yield "released_after", released >= _number(filters.released_after)
        if filters.released_before is not None:
            yield "released_before", (released > UNKNOWN_DATE) & (released <= _number(filters.released_before))
        if filters.min_rating is not None:
            # As float32, like the facts: 4.4 is to pass 4.4.
            yield "min_rating", (rating > UNKNOWN_RATING) & (rating >= np.float32(filters.min_rating))
        if filters.min_metacritic is not None:
            yield "min_metacritic", self.metacritic[games] >= filters.min_metacritic
        if filters.age_max is not None:
            yield "age_max", (age > UNKNOWN_AGE) & (age <= _AGES[filters.age_max])
