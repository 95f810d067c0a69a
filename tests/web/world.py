"""A world of 300 games with names of all kinds, and 100 invented players, for the pages."""

import numpy as np

from app.core.artifact import Arrays, Artifact, Counts
from app.core.catalogue import Catalogue, Game
from app.core.histories import Play, PlayWeights, pack
from app.core.recommender import Recommender
from app.core.store import ModelStore
from tests.worlds import browsable, game, manifest, neighbours

VERSION = "20260101T000000-000000"
COVERS = "https://media.rawg.io/media"
GAMES = 300
PLAYERS = 100

# They are in the first rows of what player 12 is recommended.
HTML = "<img src=x onerror=alert(1)>"
QUOTES = """The "Best" of '90s & <b>bold</b> {name}"""
ARABIC = "أمير بلاد فارس: التاج المفقود"
EMOJI = "🎮👩‍👩‍👧‍👦 Emoji Party 🇰🇷"
LONG = "Supercalifragilistic" * 10
KOREAN = "다크 소울 리마스터드"
STRANGE = (HTML, QUOTES, ARABIC, EMOJI, LONG, KOREAN)

_GENRES = (["RPG"], ["Shooter", "Action"], ["Puzzle"], ["Strategy", "Simulation", "Massively Multiplayer"])
_PLATFORMS = (["PC"], ["PC", "PlayStation 5", "Xbox Series S/X", "Nintendo Switch"], ["Nintendo Switch"])
_WORDS = ("Iron", "Silent", "Lost", "Crimson", "Star", "Hollow", "Wild", "Frozen", "Last", "Neon")
_THINGS = ("Harbour", "Kingdom", "Signal", "Garden", "Circuit", "Legends", "Odyssey", "Tactics", "Drift", "Echo")


def build(store: ModelStore) -> None:
    """Publish the world."""
    catalogue = Catalogue.from_games(_game(index) for index in range(GAMES))
    plays = [
        Play(str(player), _id((7 * player + 3 * played) % GAMES), 2.5)
        for player in sorted(range(1, PLAYERS + 1), key=str)
        for played in range(12)
    ]
    histories = pack(plays, catalogue, PlayWeights()).histories
    content = neighbours(*({(index + 150) % GAMES: 0.5} for index in range(GAMES)))
    recommender = Recommender(
        catalogue=catalogue,
        collaborative=neighbours(*(_neighbours(index) for index in range(GAMES))),
        content=content,
        cold=content,
        histories=histories,
        popular=np.arange(GAMES, dtype=np.int32),
        **browsable(catalogue),
    )
    counts = Counts(games=GAMES, players=PLAYERS, plays=len(plays), plays_left_out=0, neighbours=10)
    held_out: Arrays = {
        "held_out_players": np.array([0], dtype=np.int32),
        "held_out_indptr": np.array([0, 1], dtype=np.int64),
        "held_out_indices": np.array([7], dtype=np.int32),
    }
    store.publish(Artifact(manifest(VERSION, counts=counts), {**recommender.to_arrays(), **held_out}))
    store.activate(VERSION)


def _id(index: int) -> int:
    return 1000 + index


def _neighbours(index: int) -> dict[int, float]:
    """Likes what follows it, and a little of it speaks against what comes after that."""
    following = {(index + step) % GAMES: round(1.1 - step / 10, 2) for step in range(1, 10)}
    return {**following, (index + 10) % GAMES: -0.05}


def _game(index: int) -> Game:
    strange = {85 + 3 * place: name for place, name in enumerate(STRANGE)}
    name = strange.get(index, f"{_WORDS[index % 10]} {_THINGS[index // 10 % 10]} {index // 100 + 1}")
    return game(
        _id(index),
        name,
        slug=f"game-{index}",
        released=None if index % 50 == 49 else f"{1990 + index % 35}-03-14",
        genres=_GENRES[index % 4],
        platforms=_PLATFORMS[index % 3],
        tags=["Singleplayer", "Co-op"],
        rating=round(3 + index % 20 / 10, 2),
        metacritic=None if index % 7 == 6 else 60 + index % 40,
        background_image=_cover(index),
    )


def _cover(index: int) -> str | None:
    """Of all kinds: one that is there, one whose small picture is not, none, one that fails, one that is not safe."""
    return (
        f"{COVERS}/games/there/{index}.jpg",
        f"{COVERS}/games/large-only/{index}.jpg",
        None,
        f"{COVERS}/games/lost/{index}.jpg",
        f"http://media.rawg.io/media/games/plain/{index}.jpg",
    )[index % 5]
