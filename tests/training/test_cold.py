import numpy as np
import pytest

from app.core.catalogue import Catalogue
from app.core.histories import Histories, Play, PlayWeights, pack
from tests.worlds import game
from training import cold
from training.cold import evaluate_cold
from training.fitting import Fitter, TrainingConfig

GENRES = ("Puzzle", "Racing", "Shooter", "Sports")
CATALOGUE = Catalogue.from_games(
    game(number, genres=[GENRES[number % 4]], tags=[f"{GENRES[number % 4]} tag"], added=1000 + number)
    for number in range(1, 201)
)


def fans(players: int = 80) -> list[Play]:
    """Players each of whom plays eight games of one genre."""
    rng = np.random.default_rng(0)
    return [
        Play(f"{player:03}", int(number) * 4 + player % 4)
        for player in range(players)
        for number in sorted(rng.choice(np.arange(1, 50), 8, replace=False))
    ]


def test_games_that_lost_all_their_plays_are_found_by_what_they_are_like():
    config = TrainingConfig()
    histories = pack(fans(), CATALOGUE, config.weights).histories

    found = evaluate_cold(Fitter(CATALOGUE, config), histories, config) or pytest.fail("not judged")

    assert found.games == round(0.1 * len(np.unique(histories.indices)))
    assert found.by_chance == pytest.approx(20 / 193, rel=0.02)
    assert found.recall.value > 3 * found.by_chance  # half a genre is shown in 20 places of 200
    assert found.to_dict() == {
        "games": found.games,
        "players": found.players,
        "recall@20": found.recall._asdict(),
        "recall@20_by_chance": found.by_chance,
    }


def test_the_hidden_games_have_no_plays_in_what_is_fitted(fitted: list[Histories]):
    config = TrainingConfig()
    histories = pack(fans(), CATALOGUE, config.weights).histories

    found = evaluate_cold(Fitter(CATALOGUE, config), histories, config) or pytest.fail("not judged")

    [known] = fitted
    assert len(np.unique(histories.indices)) - len(np.unique(known.indices)) == found.games


def test_a_game_that_its_player_rated_0_is_not_to_be_found():
    """Forty players have forty games, and each likes one of them alone."""
    config = TrainingConfig()
    plays = [
        Play(f"{player:03}", number, rating=5.0 if number == player else 0.0)
        for player in range(1, 41)
        for number in range(1, 41)
    ]

    found = evaluate_cold(Fitter(CATALOGUE, config), pack(plays, CATALOGUE, config.weights).histories, config)

    assert found is not None
    assert (found.games, found.players) == (4, 4)


def test_no_more_players_than_the_most(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cold, "_MOST_PLAYERS", 7)
    config = TrainingConfig()
    histories = pack(fans(), CATALOGUE, config.weights).histories

    found = evaluate_cold(Fitter(CATALOGUE, config), histories, config) or pytest.fail("not judged")

    assert found.players == 7


def test_where_nobody_has_another_game_nobody_could_find_one():
    histories = pack([Play(f"{number:03}", number) for number in range(1, 40)], CATALOGUE, PlayWeights()).histories
    config = TrainingConfig()

    assert evaluate_cold(Fitter(CATALOGUE, config), histories, config) is None
