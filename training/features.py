"""What a game is like, as numbers: the item feature matrix."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MultiLabelBinarizer, OrdinalEncoder, StandardScaler, normalize

from app.core.catalogue import Catalogue
from app.core.filters import AGE_RATINGS

_SKEWED = ("added", "ratings_count", "reviews_count", "playtime")
_EVEN = ("rating", "metacritic", "year", "age")
_ZERO_MEANS_UNKNOWN = ("rating", "playtime")


@dataclass(frozen=True)
class FeatureConfig:
    """How much each block of features says about likeness; a block is one row of length `weight` a game.

    A genre, tag or platform that fewer than `min_games` games have relates nothing, and is left out.
    """

    genres: float = 1.0
    tags: float = 1.5
    platforms: float = 0.3
    numbers: float = 0.3
    min_games: int = 2
    dimensions: int = 64


@dataclass(frozen=True, eq=False)
class ItemFeatures:
    """The feature matrix (games x features, float32) and the names of its columns, `block:name`."""

    matrix: sp.csr_array
    names: list[str]

    def dense(self, dimensions: int) -> npt.NDArray[np.float32]:
        """Project to few dimensions (games x dimensions, rows of length 1), keeping what sets the games apart most.

        Truncated SVD (Halko, Martinsson, Tropp 2011); where there are no more features than dimensions, all of them.
        """
        projected: npt.NDArray[np.float32]
        if min(self.matrix.shape) <= dimensions:
            projected = self.matrix.toarray()
        else:
            projected = TruncatedSVD(dimensions, random_state=0).fit_transform(self.matrix)
        return normalize(projected).astype(np.float32)  # type: ignore[no-any-return]  # scikit-learn has no types


def fit_transform(catalogue: Catalogue, config: FeatureConfig | None = None) -> ItemFeatures:
    """Encode every game of a catalogue, one row each, in the order of the indices.

    Genres, tags and platforms become multi-hot vectors, the rarer the heavier (TF-IDF); the age rating its rank;
    numbers are log-scaled where skewed and standardised, unknown ones the mean with an indicator beside it.
    """
    config = config or FeatureConfig()
    games = pd.DataFrame(list(catalogue))
    blocks = [
        _multi_hot(games["genres"], "genre", config.genres, config.min_games),
        _multi_hot(games["tags"], "tag", config.tags, config.min_games),
        _multi_hot(games["platforms"], "platform", config.platforms, config.min_games),
        _numbers(games, config.numbers),
    ]
    matrix = sp.hstack([block for block, _ in blocks], format="csr", dtype=np.float32)
    return ItemFeatures(sp.csr_array(matrix), [name for _, names in blocks for name in names])


def _multi_hot(lists: Iterable[list[str]], block: str, weight: float, min_games: int) -> tuple[sp.csr_array, list[str]]:
    encoder = MultiLabelBinarizer(sparse_output=True)
    hot = sp.csr_array(encoder.fit_transform(lists), dtype=np.float64)
    common = np.flatnonzero(hot.sum(axis=0) >= min_games)
    if not len(common):
        return sp.csr_array((hot.shape[0], 0)), []
    # The transformer leaves rows of length 1, so a block weighs the same for games with many tags and with few.
    weighted = weight * sp.csr_array(TfidfTransformer().fit_transform(hot[:, common]))
    return weighted, [f"{block}:{encoder.classes_[column]}" for column in common]


def _numbers(games: pd.DataFrame, weight: float) -> tuple[sp.csr_array, list[str]]:
    ages = OrdinalEncoder(categories=[AGE_RATINGS], handle_unknown="use_encoded_value", unknown_value=np.nan)
    table = games[[*_SKEWED, "rating", "metacritic"]].astype(float)
    table["year"] = pd.to_datetime(games["released"], errors="coerce").dt.year
    table["age"] = ages.fit_transform(games[["esrb_rating"]])[:, 0]
    table[list(_ZERO_MEANS_UNKNOWN)] = table[list(_ZERO_MEANS_UNKNOWN)].replace(0, np.nan)
    names = [*_SKEWED, *_EVEN]
    known = [name for name in names if table[name].notna().any()]
    table[list(_SKEWED)] = FunctionTransformer(np.log1p).fit_transform(table[list(_SKEWED)])
    scaled = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()).fit(table[known])
    indicators = [f"{known[column]}:unknown" for column in scaled[0].indicator_.features_]
    columns = [f"number:{name}" for name in [*known, *indicators]]
    # Standardised columns have length sqrt(games): a row's expected length is sqrt(columns).
    rows = scaled.transform(table[known]) * (weight / np.sqrt(len(columns)))
    return sp.csr_array(rows), columns
