import numpy as np

from tests.worlds import neighbours

MODEL = neighbours({1: 0.5, 2: 0.25}, {2: 0.5}, {})


def test_scores_are_the_sums_of_what_each_played_game_adds():
    pairs = MODEL.contributions(np.array([0, 1], dtype=np.int32), [2.0, 1.0])

    assert pairs.played.tolist() == [0, 0, 1]
    assert pairs.candidates.tolist() == [1, 2, 2]
    assert pairs.values.tolist() == [1.0, 0.5, 0.5]
    candidates, scores = pairs.totals()
    assert (candidates.tolist(), scores.tolist()) == ([1, 2], [1.0, 1.0])


def test_no_plays_and_no_neighbours_speak_for_nothing():
    for played in ([], [2]):
        candidates, scores = MODEL.contributions(np.array(played, dtype=np.int32), [1.0] * len(played)).totals()
        assert (len(candidates), len(scores)) == (0, 0)


def test_neighbours():
    indices, weights = MODEL.neighbours(0)

    assert (indices.tolist(), weights.tolist(), len(MODEL)) == ([1, 2], [0.5, 0.25], 3)
