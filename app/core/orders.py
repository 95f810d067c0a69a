"""The orders that lists of games can have, worked out once, so that a page of a sorted list is a slice."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from app.core.artifact import Arrays
from app.core.catalogue import Catalogue
from app.core.facets import UNKNOWN_DATE, UNKNOWN_METACRITIC, UNKNOWN_RATING, Facets

Order = npt.NDArray[np.int32]


class Sort(StrEnum):
    """What a list of games can be sorted by."""

    RELEVANCE = "relevance"
    POPULARITY = "popularity"
    NAME = "name"
    RELEASED = "released"
    RATING = "rating"
    METACRITIC = "metacritic"
    ADDED = "added"


# What is a matter of the catalogue alone.
_KEPT = (Sort.NAME, Sort.RELEASED, Sort.RATING, Sort.METACRITIC, Sort.ADDED)


@dataclass(frozen=True, eq=False)
class Orders:
    """All games (indices, int32) in the order of each fact.

    Names from A on, everything else from the highest down: the latest, best and most-added come first, games of which
    the fact is unknown last. Among equals the most-added comes first. `known` counts the games with the fact.
    """

    by: Mapping[Sort, Order]
    known: Mapping[Sort, int]

    @classmethod
    def of(cls, catalogue: Catalogue, facets: Facets) -> Self:
        """Sort a catalogue by everything."""
        most_added = np.lexsort((np.arange(len(catalogue)), -catalogue.added))
        names = list(catalogue.names)
        orders: dict[Sort, npt.NDArray[np.intp]] = {
            Sort.NAME: np.array(sorted(most_added.tolist(), key=names.__getitem__), dtype=np.intp),
            Sort.ADDED: most_added,
        }
        for sort, fact in _facts(facets).items():
            orders[sort] = most_added[np.argsort(-fact[most_added], kind="stable")]
        return cls({sort: order.astype(np.int32) for sort, order in orders.items()}, _known(facets))

    def to_arrays(self) -> Arrays:
        """Name the arrays as an artifact keeps them."""
        return {f"by_{sort}": self.by[sort] for sort in _KEPT}

    @classmethod
    def from_arrays(cls, arrays: Arrays, facets: Facets) -> Self:
        """Read the orders from an artifact's arrays, where they are."""
        a: Mapping[str, Any] = arrays
        return cls({sort: a[f"by_{sort}"] for sort in _KEPT}, _known(facets))

    def get(self, sort: Sort, *, reverse: bool = False) -> Order:
        """List all games in an order or its reverse; games of which the fact is unknown stand last in both."""
        return reversed_order(self.by[sort], self.known[sort]) if reverse else self.by[sort]


def reversed_order(order: Order, known: int) -> Order:
    """Turn the first `known` games of an order round."""
    return np.concatenate([order[:known][::-1], order[known:]])


def _facts(facets: Facets) -> dict[Sort, npt.NDArray[Any]]:
    return {Sort.RELEASED: facets.released, Sort.RATING: facets.rating, Sort.METACRITIC: facets.metacritic}


def _known(facets: Facets) -> dict[Sort, int]:
    unknown = {Sort.RELEASED: UNKNOWN_DATE, Sort.RATING: UNKNOWN_RATING, Sort.METACRITIC: UNKNOWN_METACRITIC}
    counts = {sort: int(np.count_nonzero(fact > unknown[sort])) for sort, fact in _facts(facets).items()}
    return {Sort.NAME: len(facets), Sort.ADDED: len(facets), **counts}
