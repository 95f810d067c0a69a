"""A published model and a database of players, for measuring how the service serves them."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from app.core.artifact import Artifact, Counts, Manifest
from app.core.catalogue import Catalogue, Game
from app.core.facets import Facets
from app.core.histories import Play, PlayWeights, pack
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.item_item import ItemItemModel
from app.core.name_search import NameIndex
from app.core.orders import Orders
from app.core.recommender import Recommender
from app.core.store import ModelStore
from benchmarks import synthetic
from tests.fakes import rawg
from training.estimators import neighbour_ridge
from training.estimators.neighbour_ridge import NeighbourRidgeConfig
from training.hold_out import HeldOut

_NEIGHBOURS = 100
_DIMENSIONS = 64
_PLAYERS, _PLAYED = 8_000, 2_700  # as many as there are in the Steam plays of the README
_WORDS = ("Star", "Dark", "Lost", "Last", "Iron", "Deep", "Wild", "Old", "Red", "Far")
_GENRES = ("Action", "RPG", "Puzzle", "Shooter", "Indie", "Strategy")
_PLATFORMS = ("PC", "macOS", "Linux", "PlayStation 4", "Xbox One")
_ROWS_AT_ONCE = 5_000


class World(NamedTuple):
    """Where the model is, and who the players are."""

    model_store: Path
    players: list[str]


def steam_plays(path: Path) -> list[Play]:
    """Read `user_id,game_id,hours` from a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [Play(row["user_id"], int(row["game_id"]), float(row["hours"])) for row in csv.DictReader(file)]
    return sorted(rows, key=lambda play: (play.user_id.encode(), play.game_id))


def synthetic_plays() -> list[Play]:
    """Draw plays of as many players and games as Steam's."""
    drawn = synthetic.plays(45_000, _PLAYERS, _PLAYED).tocoo()
    rows = zip(drawn.row.tolist(), drawn.col.tolist(), drawn.data.tolist(), strict=True)
    found = [Play(str(player + 1), game + 1, hours * 10) for player, game, hours in rows]
    return sorted(found, key=lambda play: (play.user_id.encode(), play.game_id))


def publish(folder: Path, plays: list[Play], games: int) -> World:
    """Train on plays over a catalogue of so many games, most of which nobody has played, and publish."""
    store = ModelStore(folder / f"models-{games}")
    (version,) = publish_versions(store, plays, games, [NeighbourRidgeConfig()])
    store.activate(version)
    return World(folder / f"models-{games}", sorted({play.user_id for play in plays}))


def publish_versions(
    store: ModelStore, plays: list[Play], games: int, configs: Iterable[NeighbourRidgeConfig]
) -> list[str]:
    """Train a version by each configuration over one catalogue, as `publish` does; returns their names.

    Neighbours by plays are trained; those by likeness, of which the service has as many whatever they say, are drawn.
    """
    catalogue = _catalogue({play.game_id for play in plays}, games)
    histories = pack(plays, catalogue, PlayWeights()).histories
    matrix = sp.csr_array((histories.weights, histories.indices, histories.indptr), shape=(len(histories), games))
    rng = np.random.default_rng(0)
    likeness = _drawn_neighbours(rng, games)
    facets = Facets.of(catalogue)
    orders = Orders.of(catalogue, facets)
    recommender = Recommender(
        catalogue=catalogue,
        collaborative=likeness,
        content=likeness,
        cold=likeness,
        histories=histories,
        popular=np.argsort(-np.bincount(histories.indices, minlength=games), kind="stable").astype(np.int32),
        vectors=normalize(rng.random((games, _DIMENSIONS), dtype=np.float32)),
        facets=facets,
        orders=orders,
        names=NameIndex.of(catalogue, orders),
    )
    nothing = HeldOut.of(histories, np.zeros(len(histories.indices), dtype=bool)).to_arrays()
    made = (replace(recommender, collaborative=neighbour_ridge.fit(matrix, config)) for config in configs)
    return [
        store.publish(Artifact(_manifest(one, number), {**one.to_arrays(), **nothing}))
        for number, one in enumerate(made)
    ]


def records(plays: list[Play], games: int) -> list[object]:
    """Draw the records of a catalogue of so many games, all those played among them, as RAWG lists them."""
    return [_record(game) for game in _catalogue({play.game_id for play in plays}, games)]


def fill(url: str, plays: Iterable[Play], copies: int = 1) -> None:
    """Write the plays into an empty database, `copies` times as players of other names."""
    store = InteractionStore.open(url)
    rows = [
        Interaction(play.user_id if not copy else f"{play.user_id}-{copy}", play.game_id, Kind.PLAY, play.hours)
        for copy in range(copies)
        for play in plays
    ]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        store.write(rows[start : start + _ROWS_AT_ONCE])
    store.database.close()


def _catalogue(played: set[int], games: int) -> Catalogue:
    rng = np.random.default_rng(1)
    more = range(max(played) + 1, max(played) + 1 + games - len(played))
    return Catalogue.from_games(_game(rng, game_id) for game_id in (*sorted(played), *more))


def _game(rng: np.random.Generator, game_id: int) -> Game:
    name = f"{' '.join(rng.choice(_WORDS, 3))} {game_id}"
    slug = name.lower().replace(" ", "-")
    return Game(
        game_id=game_id,
        slug=slug,
        name=name,
        released=f"{rng.integers(1990, 2026)}-06-01",
        genres=rng.choice(_GENRES, 2, replace=False).tolist(),
        platforms=list(_PLATFORMS),
        tags=[f"Tag {number}" for number in rng.integers(0, 300, 8)],
        rating=float(rng.integers(10, 50)) / 10,
        ratings_count=10,
        reviews_count=10,
        added=int(rng.integers(0, 20_000)),
        metacritic=int(rng.integers(40, 100)),
        playtime=5,
        esrb_rating="Everyone",
        background_image=f"https://media.rawg.io/media/games/000/{slug}.jpg",
    )


def _record(game: Game) -> dict[str, object]:
    return rawg.game(
        game["game_id"],
        slug=game["slug"],
        name=game["name"],
        released=game["released"],
        genres=[{"name": name} for name in game["genres"]],
        platforms=[{"platform": {"name": name}} for name in game["platforms"]],
        tags=[{"name": name, "language": "eng"} for name in game["tags"]],
    )


def _drawn_neighbours(rng: np.random.Generator, games: int) -> ItemItemModel:
    """Draw neighbours that are too weak to come before any by plays, as those of cold games mostly are."""
    weights = np.sort(rng.random((games, _NEIGHBOURS), dtype=np.float32) * np.float32(1e-3), axis=1)[:, ::-1]
    return ItemItemModel(
        indptr=np.arange(games + 1, dtype=np.int64) * _NEIGHBOURS,
        indices=rng.integers(0, games, games * _NEIGHBOURS).astype(np.int32),
        weights=np.ascontiguousarray(weights).ravel(),
    )


def _manifest(recommender: Recommender, number: int) -> Manifest:
    return Manifest(
        version=f"20260101T000000-{number:06d}",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        git_commit=None,
        data_kind="observed",
        catalogue_source="rawg",
        data_fingerprint="",
        counts=Counts(
            games=len(recommender.catalogue),
            players=len(recommender.histories),
            plays=len(recommender.histories.indices),
            plays_left_out=0,
            neighbours=len(recommender.collaborative.indices),
        ),
        config={},
        metrics={},
        gate={},
    )
