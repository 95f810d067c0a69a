from collections import Counter

import numpy as np
import pytest

from app.core.catalogue import Catalogue
from app.core.histories import PlayWeights, pack
from app.core.settings import Settings
from tests.worlds import game
from training.ingest import starter_frame
from training.simulate import SimulationConfig, _tastes, simulate
from training.validation import validate


@pytest.fixture(scope="module")
def starter() -> Catalogue:
    valid, _ = validate(starter_frame(), Settings())
    return Catalogue.from_frame(valid)


def test_there_are_players_1_to_100_in_the_order_that_histories_need(starter: Catalogue):
    histories, *_, left_out = pack(simulate(starter), starter, PlayWeights())

    assert {user.decode() for user in histories.users} == {str(player) for player in range(1, 101)}
    assert left_out == 0
    assert 12 <= np.diff(histories.indptr).min() <= np.diff(histories.indptr).max() <= 32


def test_the_same_catalogue_has_the_same_players(starter: Catalogue):
    assert list(simulate(starter)) == list(simulate(starter))


def test_nobody_plays_a_game_twice(starter: Catalogue):
    assert max(Counter((play.user_id, play.game_id) for play in simulate(starter)).values()) == 1


def test_hours_lie_around_the_games_average(starter: Catalogue):
    ratios = []
    for play in simulate(starter):
        index = starter.index_of(play.game_id)
        assert index is not None
        assert play.hours is not None
        assert play.hours >= 0.1
        ratios.append(play.hours / (starter.game(index)["playtime"] or 5.0))
    assert 0.9 < np.median(ratios) < 1.1
    assert np.quantile(ratios, 0.9) > 1.8


def test_popular_games_are_played_more(starter: Catalogue):
    counts = Counter(play.game_id for play in simulate(starter))
    by_added = starter.game_ids[np.argsort(-starter.added)]

    assert sum(counts[int(g)] for g in by_added[:100]) > 1.5 * sum(counts[int(g)] for g in by_added[-100:])


def test_there_are_no_more_tastes_than_configured():
    labels = ("RPG", "Racing", "Puzzle", "Shooter")
    catalogue = Catalogue.from_games(game(number, genres=[labels[number % 4]]) for number in range(1, 81))

    plays = simulate(catalogue, SimulationConfig(tastes=2, pool=20, stray=0))

    assert len({play.game_id % 4 for play in plays}) == 2


@pytest.mark.parametrize("size", [1, 2, 5, 13])
def test_a_tiny_catalogue_leaves_everyone_something_to_be_recommended(size: int):
    catalogue = Catalogue.from_games(game(number, genres=[]) for number in range(1, size + 1))

    counts = Counter(play.user_id for play in simulate(catalogue))

    assert len(counts) == 100
    assert max(counts.values()) <= max(1, size // 2)


def test_tastes_have_no_game_in_common_and_are_not_everybodys(starter: Catalogue):
    config = SimulationConfig()
    pools = _tastes(starter, config)

    assert 5 <= len(pools) <= 8
    assert all(12 <= len(pool) <= 30 for pool in pools)
    assert len(np.unique(np.concatenate(pools))) == sum(map(len, pools))
    for pool in pools:
        shared = set.intersection(*({*starter.game(int(index))["genres"]} for index in pool))
        assert any(sum(label in game["genres"] for game in starter) <= 0.3 * len(starter) for label in shared)


def test_a_tag_makes_a_taste_as_well_as_a_genre():
    catalogue = Catalogue.from_games(
        game(number, genres=["Action"], tags=["Space"] if number % 4 == 0 else []) for number in range(1, 81)
    )

    [pool] = _tastes(catalogue, SimulationConfig())

    assert {starter["tags"][0] for starter in (catalogue.game(int(index)) for index in pool)} == {"Space"}


def test_within_a_taste_the_popular_games_are_played_more():
    catalogue = Catalogue.from_games(game(number, genres=[], added=10_000 // number) for number in range(1, 31))
    counts = Counter(play.game_id for play in simulate(catalogue, SimulationConfig(fewest=5, most=8, stray=0)))

    assert sum(counts[number] for number in range(1, 11)) > 2 * sum(counts[number] for number in range(21, 31))


def test_a_player_likes_the_first_taste_best_the_second_next_and_little_else(starter: Catalogue):
    pools = _tastes(starter, SimulationConfig())
    shares = []
    for player in ("1", "12", "77", "100"):
        played = {starter.index_of(play.game_id) for play in simulate(starter) if play.user_id == player}
        shares.append(sorted((len(played & set(pool.tolist())) / len(played) for pool in pools), reverse=True)[:3])

    first, second, third = np.mean(shares, axis=0)
    assert first > 0.45
    assert 0.1 < second < first
    assert third < 0.15
