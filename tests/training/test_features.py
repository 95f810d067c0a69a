import numpy as np
import pytest

from app.core.catalogue import Catalogue
from tests.worlds import game
from training import features
from training.estimators import content

GAMES = [
    game(
        1,
        genres=["RPG"],
        tags=["Magic", "Dark"],
        platforms=["PC"],
        playtime=50,
        esrb_rating="Teen",
        released="2010-01-01",
    ),
    game(2, genres=["RPG"], tags=["Magic"], platforms=["PC"], playtime=40, esrb_rating="Mature", metacritic=None),
    game(3, genres=["Racing"], tags=["Cars"], platforms=["PC"], playtime=0, rating=0.0, esrb_rating="Unheard of"),
    game(4, genres=["Racing"], tags=["Cars", "Magic"], platforms=[], playtime=3, released=None),
]


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.from_games(GAMES)


def column(found: features.ItemFeatures, name: str) -> list[float]:
    values: list[float] = found.matrix.toarray()[:, found.names.index(name)].tolist()
    return values


def test_labels_become_multi_hot_vectors_of_the_blocks_weight(catalogue: Catalogue):
    found = features.fit_transform(catalogue)

    assert found.matrix.shape == (4, len(found.names))
    assert found.matrix.dtype == np.float32
    assert column(found, "genre:RPG") == pytest.approx([1, 1, 0, 0])
    assert column(found, "platform:PC") == pytest.approx([0.3, 0.3, 0.3, 0])
    assert "tag:Dark" not in found.names  # one game alone relates nothing
    tags = found.matrix.toarray()[:, [found.names.index("tag:Cars"), found.names.index("tag:Magic")]]
    assert np.linalg.norm(tags, axis=1) == pytest.approx([1.5] * 4)
    assert tags[3, 0] > tags[3, 1] > 0  # the rarer tag weighs more


def test_numbers_are_standardised_and_what_is_unknown_is_said(catalogue: Catalogue):
    found = features.fit_transform(catalogue)

    playtime = column(found, "number:playtime")
    assert playtime[0] > playtime[1] > 0 > playtime[3]
    assert playtime[2] == pytest.approx(0, abs=1e-6)  # unknown: the mean
    assert np.argmax(column(found, "number:playtime:unknown")) == 2
    assert np.argmax(column(found, "number:year:unknown")) == 3
    assert np.argmax(column(found, "number:metacritic:unknown")) == 1
    assert column(found, "number:age")[1] > column(found, "number:age")[0]  # Mature is above Teen
    assert "number:added:unknown" not in found.names


def test_a_fact_that_no_game_has_is_left_out():
    bare = [game(number, genres=[], tags=[], platforms=[], metacritic=None, released=None) for number in (1, 2, 3)]

    found = features.fit_transform(Catalogue.from_games(bare))

    assert [name for name in found.names if ":" in name and "number" not in name] == []
    assert "number:metacritic" not in found.names
    assert "number:year" not in found.names
    assert np.isfinite(found.matrix.toarray()).all()


def test_like_games_are_neighbours(catalogue: Catalogue):
    model = content.fit(features.fit_transform(catalogue).dense(64), neighbours=1)

    assert [model.neighbours(index)[0].tolist() for index in range(4)] == [[1], [0], [3], [2]]


def test_few_dimensions_keep_what_is_alike_together():
    tags = [["Magic", "Sword"], ["Cars", "Speed"]]
    games = [game(number, genres=[], tags=[*tags[number % 2], f"tag {number // 4}"]) for number in range(1, 41)]
    found = features.fit_transform(Catalogue.from_games(games))

    vectors = found.dense(dimensions=4)

    assert vectors.shape == (40, 4)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(40), rel=1e-5)
    alike = vectors @ vectors.T
    assert alike[0, 2::2].mean() > alike[0, 1::2].mean() + 0.3
    assert np.array_equal(vectors, found.dense(dimensions=4))


def test_every_number_spreads_as_far_as_its_block_weighs(catalogue: Catalogue):
    found = features.fit_transform(catalogue)
    numbers = [name for name in found.names if name.startswith("number:")]

    for name in numbers:
        values = np.array(column(found, name))
        if len(set(values)) > 1:
            assert values.std() == pytest.approx(0.3 / np.sqrt(len(numbers)), rel=1e-4), name


def test_skewed_numbers_are_log_scaled_and_no_rating_is_unknown():
    games = [
        game(number, added=added, rating=rating) for number, added, rating in ((1, 9, 4.0), (2, 99, 0.0), (3, 999, 3))
    ]
    found = features.fit_transform(Catalogue.from_games(games))

    low, middle, high = column(found, "number:added")
    assert middle - low == pytest.approx(high - middle, rel=1e-4)
    assert np.argmax(column(found, "number:rating:unknown")) == 1


def test_age_ratings_stand_in_their_order():
    ages = ["Adults Only", "Mature", "Teen", "Everyone 10+", "Everyone"]
    games = [game(number, esrb_rating=age) for number, age in enumerate(ages, start=1)]

    values = column(features.fit_transform(Catalogue.from_games(games)), "number:age")

    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 5


def test_a_platform_of_one_game_relates_nothing():
    games = [game(1, platforms=["PC", "Jaguar"]), game(2, platforms=["PC"])]

    found = features.fit_transform(Catalogue.from_games(games))

    assert [name for name in found.names if name.startswith("platform:")] == ["platform:PC"]
