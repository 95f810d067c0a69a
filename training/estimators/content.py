"""Neighbours by what games are like, for games that too few people have played."""

import numpy as np
import numpy.typing as npt

from app.core.item_item import ItemItemModel
from training.estimators.top_k import top_k
from training.features import FeatureConfig, ItemFeatures


def fit(features: ItemFeatures, config: FeatureConfig, neighbours: int) -> ItemItemModel:
    """Relate games by the cosine of their features, projected to few dimensions."""
    vectors = features.dense(config.dimensions)

    def similarities(rows: slice) -> npt.NDArray[np.floating]:
        return vectors[rows] @ vectors.T

    return top_k(len(vectors), similarities, neighbours)
