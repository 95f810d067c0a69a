"""What a caller asks of games, whatever the list."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

AgeRating = Literal["Everyone", "Everyone 10+", "Teen", "Mature", "Adults Only"]

# From the youngest players to the oldest.
AGE_RATINGS: tuple[AgeRating, ...] = get_args(AgeRating)


@dataclass(frozen=True)
class Filters:
    """What a game must be; an empty one lets every game pass, and is falsy.

    Of the names in `genres`, `platforms` and `tags` any one is enough, and all fields must hold. Dates are inclusive;
    `min_rating` goes from 0 to 5, `min_metacritic` from 0 to 100. A game of which a
    fact is unknown passes no filter on it.
    """

    genres: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    released_after: date | None = None
    released_before: date | None = None
    min_rating: float | None = None
    min_metacritic: int | None = None
    age_max: AgeRating | None = None

    def __bool__(self) -> bool:
        """Tell whether anything is asked for."""
        return self != Filters()
