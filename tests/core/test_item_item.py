from tests.worlds import neighbours

MODEL = neighbours({1: 0.5, 2: 0.25}, {2: 0.5}, {})


def test_neighbours():
    indices, weights = MODEL.neighbours(0)

    assert (indices.tolist(), weights.tolist(), len(MODEL)) == ([1, 2], [0.5, 0.25], 3)
