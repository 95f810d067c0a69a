"""Item-based collaborative filtering by shrunk cosine."""

from dataclasses import dataclass

import scipy.sparse as sp

from app.core.item_item import ItemItemModel
from training.estimators.gram import Gram


@dataclass(frozen=True)
class CosineConfig:
    """The numbers that shape the model.

    `shrinkage`, in average plays, is added to the denominator of each cosine: what few players agree on is chance. Only
    the `longest_history` strongest plays of a player count.
    """

    neighbours: int = 100
    shrinkage: float = 20.0
    longest_history: int = 2000


def fit(matrix: sp.csr_array, config: CosineConfig | None = None) -> ItemItemModel:
    """Relate games by the players they share; `matrix` (players x games) holds weights of plays, none negative.

    The similarity is the cosine of Sarwar et al. (2001, "Item-based collaborative filtering recommendation
    algorithms"), shrunk as in Ferrari Dacrema et al. (2019, "Are we really making much progress?").

    Memory: 12 bytes a play, and the neighbour lists.
    """
    config = config or CosineConfig()
    gram = Gram.of(matrix, player_discount=0.0, longest_history=config.longest_history)
    return gram.nearest(config.neighbours, config.shrinkage * gram.average_play)
