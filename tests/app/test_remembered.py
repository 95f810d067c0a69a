"""Answers that are given again while a player's rows are the same."""

import pytest

from app.core.histories import PlayWeights
from app.remembered import MOST_GAMES, RememberedAnswers
from tests.worlds import six_games

ANN = [(10, 1, 9.0, None), (20, 1, 1.0, None)]


class Counting:
    """The six games, and how often they were ranked."""

    def __init__(self, most: int) -> None:
        world = six_games()
        self.ranked = 0
        self.answers = RememberedAnswers(world, PlayWeights(), most)
        recommend = type(world).recommend

        def counted(recommender, taste, query):
            self.ranked += 1
            return recommend(recommender, taste, query)

        self.patch = ("app.core.recommender.Recommender.recommend", counted)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch):
    def counting(most: int) -> Counting:
        world = Counting(most)
        monkeypatch.setattr(*world.patch)
        return world

    return counting


def test_the_same_rows_are_ranked_once_and_answered_alike(make):
    world = make(10)

    first, again = (world.answers.recommend("ann", list(ANN), 3) for _ in range(2))

    assert world.ranked == 1
    assert first[:2] == again[:2]
    assert list(first.sources) == list(again.sources)
    assert first.warnings == again.warnings


def test_other_rows_and_another_number_of_games_are_ranked_anew(make):
    world = make(10)

    world.answers.recommend("ann", ANN, 3)
    changed = world.answers.recommend("ann", [*ANN, (30, 5, None, None)], 3)
    world.answers.recommend("ann", ANN, 2)

    assert world.ranked == 3
    assert not any(b'"game_id":30,' in card for card in changed.cards)


def test_long_answers_are_not_kept(make):
    world = make(10)

    for _ in range(2):
        world.answers.recommend("ann", ANN, MOST_GAMES + 1)

    assert world.ranked == 2


@pytest.mark.parametrize("most", [0, 1])
def test_the_oldest_make_room(make, most: int):
    world = make(most)

    for user_id in ("ann", "bob", "bob", "ann"):
        world.answers.recommend(user_id, ANN, 3)

    assert world.ranked == 4 - most


def test_long_histories_count_against_the_number(make):
    world = make(2)
    long = [(game_id, 1, 1.5, None) for game_id in range(1000, 1060)]

    for user_id in ("ann", "bob", "ann"):
        world.answers.recommend(user_id, long, 3)

    assert world.ranked == 3


def test_an_answer_without_games_is_kept_too(make):
    world = make(10)
    everything = [(game_id, 1, 1.0, None) for game_id in (10, 20, 30, 40, 50, 60)]

    answers = [world.answers.recommend("zoe", everything, 3) for _ in range(2)]

    assert (world.ranked, [answer.cards for answer in answers]) == (1, [[], []])
