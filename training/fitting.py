"""From a catalogue and histories to the recommender that will serve, and every number that shapes it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from app.core.catalogue import Catalogue
from app.core.facets import Facets
from app.core.histories import Histories, PlayWeights
from app.core.name_search import NameIndex
from app.core.orders import Orders
from app.core.recommender import Recommender
from training import estimators, features
from training.estimators import EstimatorConfig, content
from training.estimators.neighbour_ridge import NeighbourRidgeConfig
from training.features import FeatureConfig
from training.hold_out import HoldOutConfig
from training.simulate import SimulationConfig


@dataclass(frozen=True)
class ContentConfig:
    """What likeness counts: how many alike games are kept, and how far a cold game gets the benefit of the doubt."""

    neighbours: int = 100
    optimism: float = 2.0


@dataclass(frozen=True)
class TrainingConfig:
    """Every number that shapes a model; it travels in the manifest."""

    weights: PlayWeights = PlayWeights()
    collaborative: EstimatorConfig = NeighbourRidgeConfig()
    features: FeatureConfig = FeatureConfig()
    content: ContentConfig = ContentConfig()
    simulation: SimulationConfig = SimulationConfig()
    hold_out: HoldOutConfig = HoldOutConfig()

    def to_dict(self) -> dict[str, Any]:
        """Write the configuration for machines."""
        return {**asdict(self), "collaborative": estimators.to_dict(self.collaborative)}


class Fitter:
    """Fits recommenders over one catalogue; what follows from the catalogue alone is worked out once."""

    def __init__(self, catalogue: Catalogue, config: TrainingConfig) -> None:
        self.catalogue = catalogue
        self._vectors = features.fit_transform(catalogue, config.features).dense(config.features.dimensions)
        self._content = content.fit(self._vectors, config.content.neighbours)
        self._facets = Facets.of(catalogue)
        self._orders = Orders.of(catalogue, self._facets)
        self._names = NameIndex.of(catalogue, self._orders)

    def fit(self, known: Histories, config: TrainingConfig) -> Recommender:
        """Learn from histories, and answer from them."""
        shape = (len(known), len(self.catalogue))
        # What somebody dislikes is like what they never played: estimators learn from what people choose.
        liking = np.maximum(known.weights, 0)
        collaborative = estimators.fit(
            sp.csr_array((liking, known.indices, known.indptr), shape=shape), config.collaborative
        )
        return Recommender(
            catalogue=self.catalogue,
            collaborative=collaborative,
            content=self._content,
            cold=content.for_cold_games(
                self._content, self._vectors, self.catalogue.added, collaborative, config.content.optimism
            ),
            histories=known,
            popular=_popular(known, self.catalogue),
            vectors=self._vectors,
            facets=self._facets,
            orders=self._orders,
            names=self._names,
        )


def _popular(histories: Histories, catalogue: Catalogue) -> npt.NDArray[np.int32]:
    """Order the games by how many players have and like them; others by how many people keep them on RAWG."""
    players = np.bincount(histories.indices[histories.weights > 0], minlength=len(catalogue))
    return np.lexsort((np.arange(len(catalogue)), -catalogue.added, -players)).astype(np.int32)
