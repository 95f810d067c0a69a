"""The population stability index, against values worked out by hand."""

from math import inf, log, nan

import numpy as np
import pytest

from app.core.labels import Labels
from training.drift import Binned, Moved, Sizes, by_label, by_popularity, by_value, measure, parts

MANY = Sizes(1000, 1000)


def counts(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def binned(before: tuple[int, ...], after: tuple[int, ...]) -> Binned:
    return Binned([f"bin {place}" for place in range(len(before))], counts(*before), counts(*after))


def test_the_index_is_what_siddiqi_says_with_half_a_sample_more_in_each_bin():
    # (9 + 0.5) / (18 + 1) = 0.5 each, then (2 + 0.5) / 10 = 0.25 and 0.75.
    found = parts(counts(9, 9), counts(2, 7))

    assert found.tolist() == pytest.approx([-0.25 * log(0.5), 0.25 * log(1.5)])


def test_an_empty_bin_makes_the_index_great_and_not_infinite():
    # 0.95 and 0.05, then the other way round.
    assert parts(counts(9, 0), counts(0, 9)).tolist() == pytest.approx([0.9 * log(19)] * 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [((5, 7), (50, 70)), ((5, 0, 7), (5, 0, 7)), ((3,), (4,)), ((0, 0), (0, 0)), ((0, 4), (0, 0))],
    ids=["ten times as many", "a bin that is always empty", "one bin", "nothing", "nothing after"],
)
def test_what_has_not_moved_has_an_index_of_about_0(before: tuple[int, ...], after: tuple[int, ...]):
    assert parts(counts(*before), counts(*after)).sum() == pytest.approx(0, abs=0.01)


def test_a_feature_has_drifted_above_the_warning():
    found = measure("x", binned((500, 500), (200, 800)), MANY, warning=0.2)

    # 0.3 * log(2.5) + 0.3 * log(1.6), and chi-squared's 1 % (6.635 with one degree) * 2 / 1000.
    assert found.psi == pytest.approx(0.4159, abs=0.002)
    assert found.by_chance == pytest.approx(0.01327, abs=1e-5)
    assert found.drifted
    assert found.moved == Moved("bin 0", 0.5, 0.2)
    assert not measure("x", binned((500, 500), (200, 800)), MANY, warning=0.5).drifted


def test_what_chance_does_is_no_drift():
    found = measure("x", binned((50, 50, 0), (30, 70, 0)), Sizes(100, 20), warning=0.1)

    assert found.psi > 0.1
    assert found.by_chance == pytest.approx(6.6349 * (1 / 100 + 1 / 20), abs=1e-4)
    assert not found.drifted


def test_too_few_samples_are_told_from_enough():
    assert [Sizes(*both).enough() for both in ((100, 100), (99, 500), (500, 99), (0, 0))] == [True, False, False, False]
    assert [Sizes(*both).bins() for both in ((0, 0), (100, 500), (10**6, 10**6))] == [1, 5, 10]


def test_the_false_alarms_are_as_rare_as_they_are_said_to_be():
    rng = np.random.default_rng(0)
    sizes = Sizes(100, 100)
    found = [
        measure("x", by_value(rng.normal(size=100), rng.normal(size=100), sizes.bins()), sizes, warning=0.0)
        for _ in range(1000)
    ]

    assert np.mean([drift.psi for drift in found]) == pytest.approx(4 * 2 / 100, abs=0.01)
    assert np.mean([drift.drifted for drift in found]) < 0.02


def test_numbers_go_into_bins_of_as_many_each():
    before = np.arange(1, 101)

    found = by_value(before, np.array([20, 20.5, 1000, nan, -inf, inf]), 5)

    assert found.names == ["up to 20", "20 to 40", "40 to 60", "60 to 80", "above 80", "unknown"]
    assert found.before.tolist() == [20, 20, 20, 20, 20, 0]
    assert found.after.tolist() == [2, 1, 0, 0, 2, 1]


def test_a_constant_has_a_bin_to_itself():
    found = by_value(np.full(100, 4.5), np.array([4.4, 4.5, 4.6]), 10)

    assert found.names == ["below 4.5", "4.5", "above 4.5", "unknown"]
    assert found.before.tolist() == [0, 100, 0, 0]
    assert found.after.tolist() == [1, 1, 1, 0]


def test_numbers_that_are_not_known_are_a_bin():
    found = by_value(np.full(3, nan, dtype=np.float32), np.array([1, nan], dtype=np.float32), 10)

    assert (found.names, found.before.tolist(), found.after.tolist()) == (["known", "unknown"], [0, 3], [1, 1])
    assert by_value(np.zeros(0), np.zeros(0), 10).before.tolist() == [0, 0]


def test_labels_are_bins_but_for_rare_ones():
    before = Labels.of([["RPG"]] * 150 + [["RPG", "Puzzle"]] * 50 + [["Card"]] + [[]] * 9)
    after = Labels.of([["RPG"]] * 100 + [["Sports"]] * 10 + [[]] * 2)

    found = by_label(before, after, Sizes(210, 112))

    assert found.names == ["Puzzle", "RPG", "others", "none"]
    assert found.before.tolist() == [50, 200, 1, 9]
    assert found.after.tolist() == [0, 100, 10, 2]


def test_plays_are_binned_by_how_popular_their_games_were():
    found = by_popularity(counts(6, 40, 30, 20, 4, 0), counts(1, 2, 3, 4, 5, 6), elsewhere=10, bins=3)

    assert found.names == ["place 1 by plays", "place 2 by plays", "the other games"]
    assert found.before.tolist() == [40, 30, 30]
    assert found.after.tolist() == [2, 3, 26]


def test_the_most_popular_games_are_told_together():
    assert by_popularity(counts(*[1] * 10), counts(*[2] * 10), 0, bins=2).names == [
        "places 1 to 5 by plays",
        "the other games",
    ]
    assert by_popularity(counts(0, 0), counts(0, 1), 0, bins=2).after.tolist() == [1]
