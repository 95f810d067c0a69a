"""Lists of games that belong to no player: searched, filtered, sorted, in pages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.core.catalogue import Game, IntArray, fold
from app.core.filters import Filters
from app.core.labels import Mask
from app.core.orders import Order, Sort, reversed_order
from app.core.recommender import Recommender


@dataclass(frozen=True)
class Listing:
    """What a list holds, and in what order.

    `Sort.RELEVANCE` is how close the names are to `text`; without a text, the most-added game comes first. Games of the
    ids `first` stand before all others in an order by popularity; games of the ids `hidden` are left out.
    """

    text: str = ""
    filters: Filters = Filters()
    sort: Sort = Sort.RELEVANCE
    reverse: bool = False
    first: Sequence[int] = ()
    hidden: Collection[int] = ()


class Page(NamedTuple):
    """Some games of a list, and how many the whole list has."""

    games: list[Game]
    total: int


def browse(recommender: Recommender, listing: Listing, n: int, offset: int) -> Page:
    """Take `n` games of a list from `offset` on."""
    found = _listed(recommender, listing)
    page = found[offset : offset + n].tolist()
    return Page([recommender.catalogue.game(index) for index in page], len(found))


def _listed(recommender: Recommender, listing: Listing) -> IntArray | Order:
    found = recommender.names.search(listing.text) if fold(listing.text) else None
    if found is not None and listing.sort is Sort.RELEVANCE:
        order: IntArray | Order = found[::-1] if listing.reverse else found
    else:
        order = _order(recommender, listing)
        if found is not None:
            order = order[_marked(found, recommender)[order]]
    if listing.filters:
        order = order[recommender.facets.allowed(listing.filters)[order]]
    return order[~_marked(_known(recommender, listing.hidden), recommender)[order]] if listing.hidden else order


def _order(recommender: Recommender, listing: Listing) -> Order:
    if listing.sort is Sort.POPULARITY:
        popular = recommender.popular
        if listing.first:
            first = _known(recommender, listing.first).astype(popular.dtype)
            popular = np.concatenate([first, popular[~_marked(first, recommender)[popular]]])
        return reversed_order(popular, len(popular)) if listing.reverse else popular
    sort = Sort.ADDED if listing.sort is Sort.RELEVANCE else listing.sort
    return recommender.orders.get(sort, reverse=listing.reverse)


def _known(recommender: Recommender, game_ids: Collection[int]) -> IntArray:
    indices = recommender.catalogue.indices_of(list(game_ids))
    return indices[indices >= 0]


def _marked(indices: IntArray | Order, recommender: Recommender) -> Mask:
    mask = np.zeros(len(recommender.catalogue), dtype=bool)
    mask[indices] = True
    return mask
