"""Small worlds whose answers are worked out by hand."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import numpy as np

from app.core.answer import Query, Recommendations
from app.core.artifact import Arrays, Artifact, Counts, Manifest
from app.core.catalogue import Catalogue, Game
from app.core.facets import Facets
from app.core.histories import Play, PlayWeights, number, pack
from app.core.interactions import InteractionStore, of_play
from app.core.item_item import ItemItemModel
from app.core.name_search import NameIndex
from app.core.orders import Orders
from app.core.recommender import Recommender
from app.core.store import ModelStore
from training.pages import Collection

_Found = TypeVar("_Found")


def within(seconds: float, check: Callable[[], _Found]) -> _Found:
    """Wait until a check holds, and return what it found."""
    until = time.monotonic() + seconds
    while True:
        try:
            return check()
        except (AssertionError, LookupError, ValueError):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def check(holds: object) -> None:
    """Assert, within an expression."""
    assert holds


def game(game_id: int, name: str = "", **facts: object) -> Game:
    """A game as the catalogue keeps it."""
    name = name or f"Game {game_id}"
    known = {
        "game_id": game_id,
        "slug": name.lower().replace(" ", "-"),
        "name": name,
        "released": "2011-04-18",
        "genres": ["Puzzle"],
        "platforms": ["PC"],
        "tags": [],
        "rating": 4.0,
        "ratings_count": 10,
        "reviews_count": 11,
        "added": 1000 - game_id,
        "metacritic": 90,
        "playtime": 5,
        "esrb_rating": None,
        "background_image": None,
    }
    return Game(**{**known, **facts})  # type: ignore[typeddict-item]


def ids(collection: Collection) -> list[int]:
    """The ids of the records of a collection, in order."""
    return [record["id"] for page in collection.pages() for record in page.games]  # type: ignore[index]


def weight(play: Play, weights: PlayWeights | None = None) -> float:
    """How strongly one play counts by itself."""
    facts = (np.array([number(fact)]) for fact in (play.hours, play.rating, None))
    return float((weights or PlayWeights()).weigh(*facts)[0])


def put(store: InteractionStore, plays: Iterable[Play]) -> None:
    """Write plays to a store."""
    store.write([interaction for play in plays for interaction in of_play(play)])


def neighbours(*rows: dict[int, float]) -> ItemItemModel:
    """Neighbour lists, each written as {index: weight}, strongest first."""
    lengths = [len(row) for row in rows]
    return ItemItemModel(
        indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        indices=np.array([index for row in rows for index in row], dtype=np.int32),
        weights=np.array([weight for row in rows for weight in row.values()], dtype=np.float32),
    )


def browsable(catalogue: Catalogue) -> dict[str, Any]:
    """What a recommender has for browsing, as arguments; every game is like every other."""
    facets = Facets.of(catalogue)
    orders = Orders.of(catalogue, facets)
    return {
        "vectors": np.ones((len(catalogue), 1), dtype=np.float32),
        "facets": facets,
        "orders": orders,
        "names": NameIndex.of(catalogue, orders),
    }


def six_games() -> Recommender:
    """Games 10 to 60 (indices 0 to 5) and three players.

    Playing 10 speaks for 20 (0.5) and 30 (0.25), playing 20 for 30 (0.5) and 10 (0.5); 60 and 20 are like 10. The plays
    relate 40 to none, and likeness 40 to 50 (0.5). Popularity falls from 60 to 10. Ann played 10 (weight 2) and 20
    (weight 1), Bob 40, "Zoë/1" all six.
    """
    catalogue = Catalogue.from_games(game(game_id) for game_id in (10, 20, 30, 40, 50, 60))
    plays = [
        Play("ann", 10),
        Play("ann", 20),
        Play("bob", 40),
        *(Play("zoë/1", game_id) for game_id in (10, 20, 30, 40, 50, 60)),
    ]
    histories = pack(plays, catalogue, PlayWeights()).histories
    histories.weights[:] = [2, 1, 1, 1, 1, 1, 1, 1, 1]
    return Recommender(
        catalogue=catalogue,
        collaborative=neighbours({1: 0.5, 2: 0.25}, {2: 0.5, 0: 0.5}, {}, {}, {}, {}),
        content=neighbours({5: 0.9, 1: 0.8}, {}, {}, {}, {}, {}),
        cold=neighbours({}, {}, {}, {4: 0.5}, {}, {}),
        histories=histories,
        popular=np.array([5, 4, 3, 2, 1, 0], dtype=np.int32),
        **browsable(catalogue),
    )


def asked(world: Recommender, user_id: str, n: int = 10, **wishes: Any) -> Recommendations:
    """What a world answers to a player of its own."""
    return world.recommend(world.taste_of(user_id), Query(n, **wishes))


def manifest(version: str = "20260101T000000-000000", **fields: object) -> Manifest:
    """A manifest of the six games."""
    known = {
        "version": version,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "git_commit": None,
        "data_kind": "simulated",
        "catalogue_source": "starter",
        "data_fingerprint": "f" * 64,
        "counts": Counts(games=6, players=3, plays=9, plays_left_out=0, neighbours=4),
        "config": {},
        "metrics": {"model": {"ndcg@10": {"value": 0.25, "low": 0.2, "high": 0.3}}},
        "gate": {"promoted": True, "reason": "There is no other version to serve.", "forced": False},
    }
    return Manifest(**{**known, **fields})


def artifact(version: str = "20260101T000000-000000", **fields: object) -> Artifact:
    """The six games as they are published; Zoë's 30 and 60 are held out."""
    held_out: Arrays = {
        "held_out_players": np.array([2], dtype=np.int32),
        "held_out_indptr": np.array([0, 2], dtype=np.int64),
        "held_out_indices": np.array([2, 5], dtype=np.int32),
    }
    return Artifact(manifest(version, **fields), {**_six_games_as_arrays(), **held_out})


@cache
def _six_games_as_arrays() -> Arrays:
    return six_games().to_arrays()


def publish(store: ModelStore, version: str = "20260101T000000-000000", **fields: object) -> str:
    """Publish the six games and make them current."""
    store.publish(artifact(version, **fields))
    store.activate(version)
    return version
