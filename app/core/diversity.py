"""Lists that do not repeat themselves."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def most_diverse_first(
    scores: Sequence[float], vectors: npt.NDArray[np.float32], diversity: float, wanted: int
) -> list[int]:
    """Order the first `wanted` games of a ranking anew: positions in `scores`, which fall.

    Maximal marginal relevance (Carbonell and Goldstein 1998): the next game is the one with the most of its score, as a
    part of the best, less its likeness to the game it is most like among those before it; `diversity` (0 to 1) weighs
    the two. `vectors` (games x dimensions, rows of length 1) say what the games are like. The order of the first games
    is the same however many are wanted.
    """
    worth = (1.0 - diversity) * np.array(scores) / scores[0]
    likeness = np.full(len(scores), -1.0)
    chosen: list[int] = []
    for _ in range(min(wanted, len(scores))):
        value = worth - diversity * np.maximum(likeness, 0.0)
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
        likeness = np.maximum(likeness, vectors @ vectors[chosen[-1]])
    return chosen
