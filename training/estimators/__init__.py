"""One file per way to fit an `ItemItemModel`; here the choice among those that learn from plays."""

from dataclasses import asdict
from typing import TypeAlias

import scipy.sparse as sp
from pydantic import JsonValue

from app.core.item_item import ItemItemModel
from training.estimators import cosine, neighbour_ridge
from training.estimators.cosine import CosineConfig
from training.estimators.neighbour_ridge import NeighbourRidgeConfig

EstimatorConfig: TypeAlias = NeighbourRidgeConfig | CosineConfig

CONFIGS: dict[str, type[EstimatorConfig]] = {"neighbour_ridge": NeighbourRidgeConfig, "cosine": CosineConfig}


def fit(matrix: sp.csr_array, config: EstimatorConfig) -> ItemItemModel:
    """Fit the model that a configuration is for, on a user-item matrix (players x games, weights >= 0)."""
    if isinstance(config, CosineConfig):
        return cosine.fit(matrix, config)
    return neighbour_ridge.fit(matrix, config)


def to_dict(config: EstimatorConfig) -> dict[str, JsonValue]:
    """Write a configuration with the name of its estimator."""
    [name] = [name for name, kind in CONFIGS.items() if isinstance(config, kind)]
    return {"estimator": name, **asdict(config)}
