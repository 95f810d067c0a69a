import numpy as np
import pytest

from training import bootstrap


def test_of_what_is_the_same_for_all_there_is_no_doubt():
    assert bootstrap.of_mean(np.full(50, 0.25)) == pytest.approx((0.25, 0.25, 0.25))


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation():
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)

    found = bootstrap.of_mean(values)

    spread = 1.96 * values.std() / np.sqrt(400)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - spread, abs=0.1 * spread)
    assert found.high == pytest.approx(values.mean() + spread, abs=0.1 * spread)


def test_the_same_players_have_the_same_interval():
    values = np.arange(30.0)

    assert bootstrap.of_mean(values) == bootstrap.of_mean(values)


def test_an_interval_holds_its_number_where_resampling_is_biased():
    """With replacement only some 63 % of the players are drawn: as many different games are seen."""

    def different(counts: np.ndarray) -> float:
        return float((counts > 0).mean())

    found = bootstrap.of_all(different, 100)

    assert found.value == 1.0
    assert 0.9 < found.low < found.high == 1.0
