from dataclasses import replace

import numpy as np
import pytest

from app.core.answer import Recommendations, Source
from app.core.catalogue import Catalogue
from app.core.diversity import most_diverse_first
from app.core.histories import Play, PlayWeights, pack
from app.core.recommender import Recommender
from tests.worlds import asked, browsable, game, neighbours

X, Y = (1.0, 0.0), (0.0, 1.0)


def vectors(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def ids(answer: Recommendations) -> list[int]:
    return [scored.game_id for scored in answer.games]


def world_of(games: int, speaking: int) -> Recommender:
    """Game 1 speaks for those after it, the first the most; the even ones are like each other, and so are the odd."""
    catalogue = Catalogue.from_games(game(number) for number in range(1, games + 1))
    said = {index: 1.0 - index / (2 * games) for index in range(1, speaking + 1)}
    nothing: list[dict[int, float]] = [{} for _ in range(games)]
    world = Recommender(
        catalogue=catalogue,
        collaborative=neighbours(said, *nothing[1:]),
        content=neighbours(*nothing),
        cold=neighbours(*nothing),
        histories=pack([Play("ann", 1)], catalogue, PlayWeights()).histories,
        popular=np.arange(games, dtype=np.int32),
        **browsable(catalogue),
    )
    return replace(world, vectors=vectors(*(X if index % 2 else Y for index in range(games))))


@pytest.mark.parametrize(
    ("diversity", "order"),
    [
        (0.0, [0, 1, 2]),
        # The second is as good as the first and the same: 0.7 x 0.9 - 0.3 x 1; the third 0.7 x 0.6 - 0.3 x 0.
        (0.3, [0, 2, 1]),
        (1.0, [0, 2, 1]),
        (0.1, [0, 1, 2]),  # 0.9 x 0.9 - 0.1 x 1 is more than 0.9 x 0.6
    ],
)
def test_the_next_game_is_good_and_unlike_those_before(diversity: float, order: list[int]):
    assert most_diverse_first([1.0, 0.9, 0.6], vectors(X, X, Y), diversity, 3) == order


def test_games_that_are_the_opposite_of_each_other_are_no_better_than_unlike_ones():
    assert most_diverse_first([1.0, 0.9, 0.5], vectors(X, Y, (-1.0, 0.0)), 0.9, 3) == [0, 1, 2]


def test_fewer_may_be_wanted_or_more_than_there_are():
    assert most_diverse_first([1.0, 0.9, 0.6], vectors(X, X, Y), 1.0, 2) == [0, 2]
    assert most_diverse_first([1.0], vectors(X), 1.0, 9) == [0]


def test_the_size_of_scores_does_not_matter():
    found = [most_diverse_first([s * 1.0, s * 0.9, s * 0.6], vectors(X, X, Y), 0.3, 3) for s in (1e-9, 1.0, 1e9)]

    assert found == [[0, 2, 1]] * 3


def test_a_diverse_list_takes_from_both_sorts_in_turn():
    world = world_of(9, 6)

    assert ids(asked(world, "ann", 6)) == [2, 3, 4, 5, 6, 7]
    assert ids(asked(world, "ann", 3, diversity=1.0)) == [2, 3, 4]
    assert ids(asked(replace(world, vectors=vectors(X, X, X, X, Y, Y, Y, X, X)), "ann", 2, diversity=0.9)) == [2, 5]


def test_a_list_that_is_longer_than_what_the_plays_say_is_filled_up():
    answer = asked(world_of(9, 3), "ann", 6, diversity=0.5)

    assert sorted(ids(answer)[:3]) == [2, 3, 4]
    assert ids(answer)[3:] == [5, 6, 7]
    assert [scored.source for scored in answer.games] == [Source.COLLABORATIVE] * 3 + [Source.POPULARITY] * 3
    assert [scored.rank for scored in answer.games] == [1, 2, 3, 4, 5, 6]


def test_nothing_to_order_is_no_trouble():
    assert ids(asked(world_of(4, 0), "ann", 2, diversity=1.0)) == [2, 3]
    assert ids(asked(world_of(4, 2), "nobody", 2, diversity=1.0)) == [1, 2]


@pytest.mark.parametrize("diversity", [0.0, 0.3, 1.0])
def test_pages_of_a_diverse_list_neither_repeat_nor_skip_past_the_games_that_are_mixed(diversity: float):
    """Of 700 games, 650 follow from the plays, 500 are mixed, and the rest is popular."""
    world = world_of(700, 650)
    everything = asked(world, "ann", 700, diversity=diversity).games

    pages = [asked(world, "ann", 100, offset=offset, diversity=diversity).games for offset in range(0, 700, 100)]

    assert [scored for page in pages for scored in page] == list(everything)
    assert sorted(scored.game_id for scored in everything) == list(range(2, 701))
    assert [scored.game_id for scored in everything[500:]] == list(range(502, 701))
    assert {scored.game_id for scored in everything[:500]} == set(range(2, 502))
