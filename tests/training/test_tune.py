from dataclasses import replace

import numpy as np
import pytest

from app.core.catalogue import Catalogue
from app.core.errors import TrainingError
from app.core.histories import Histories, Play, PlayWeights, pack
from app.core.recommender import Recommender
from tests.worlds import game
from training import tune as tuning
from training.estimators.cosine import CosineConfig
from training.evaluate import rank
from training.fitting import Fitter, TrainingConfig
from training.tune import Tuning, tune

CATALOGUE = Catalogue.from_games(game(number) for number in range(1, 31))
DEFAULT = TrainingConfig()


def plays(*, dated: bool = False) -> list[Play]:
    rng = np.random.default_rng(0)
    return [
        Play(f"{player:02}", int(number) * 2 + player % 2 + 1, at=number * 86_400.0 if dated else None)
        for player in range(40)
        for number in sorted(rng.choice(15, 7, replace=False))
    ]


def searched(trials: int, default: TrainingConfig = DEFAULT, *, dated: bool = False) -> Tuning:
    packed = pack(plays(dated=dated), CATALOGUE, PlayWeights())
    unknown = np.zeros(len(packed.times), dtype=bool)
    return tune(Fitter(CATALOGUE, default), packed, unknown, default, trials)


def test_the_default_is_tried_first_and_the_best_is_kept():
    found = searched(4)

    assert len(found.trials) == 4
    assert found.trials[0].numbers == {
        "weights.emphasis": 0.3,
        "collaborative.sources": 200,
        "collaborative.l2": 20.0,
        "collaborative.player_discount": 0.5,
        "collaborative.popularity_discount": 0.1,
    }
    best = max(found.trials, key=lambda trial: trial.score)
    assert found.best.weights.emphasis == best.numbers["weights.emphasis"]
    assert vars(found.best.collaborative).items() >= {
        (name.split(".")[1], number) for name, number in best.numbers.items() if name.startswith("collaborative")
    }
    assert replace(found.best, weights=DEFAULT.weights, collaborative=DEFAULT.collaborative) == DEFAULT
    assert found.to_dict()["trials"][0] == vars(found.trials[0])


def test_the_same_data_are_searched_in_the_same_way():
    assert searched(3) == searched(3)


def test_plays_with_times_may_fade():
    [trial] = searched(1, dated=True).trials

    assert trial.numbers["weights.half_life_days"] is None


def test_another_estimator_has_other_numbers():
    [trial] = searched(1, TrainingConfig(collaborative=CosineConfig())).trials

    assert set(trial.numbers) == {"weights.emphasis", "collaborative.neighbours", "collaborative.shrinkage"}


def test_an_interrupted_search_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Ctrl-C comes in the third trial."""
    scored = 0

    def interrupted(*arguments):
        nonlocal scored
        scored += 1
        if scored == 3:
            raise KeyboardInterrupt
        return rank(*arguments)

    monkeypatch.setattr(tuning, "rank", interrupted)

    found = searched(50)

    assert len(found.trials) == 2
    assert "Tuning interrupted: going on with the best so far." in capsys.readouterr().err


def test_interrupted_at_once_the_default_is_the_best(monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "rank", interrupted)

    assert searched(50) == Tuning(DEFAULT, ())


def test_plays_that_are_not_for_training_are_in_no_trial(fitted: list[Histories]):
    whole = pack(plays(), CATALOGUE, PlayWeights())
    unknown = np.zeros(len(whole.times), dtype=bool)
    unknown[::3] = True

    tune(Fitter(CATALOGUE, DEFAULT), whole, unknown, DEFAULT, 2)

    pairs = {(player, index) for player in range(40) for index in whole.histories.row(player)[0]}
    hidden = {pair for pair, out in zip(sorted(pairs), unknown, strict=True) if out}
    for known in fitted:
        seen = {(player, index) for player in range(40) for index in known.row(player)[0]}
        assert not seen & hidden
        assert len(seen) < len(pairs) - len(hidden)


def test_where_nobody_has_games_enough_nothing_can_be_tried():
    few = pack([Play("a", 1), Play("a", 2)], CATALOGUE, PlayWeights())

    with pytest.raises(TrainingError, match="Trials cannot be judged: nobody has 5 games to train on"):
        tune(Fitter(CATALOGUE, DEFAULT), few, np.zeros(2, dtype=bool), DEFAULT, 3)


def test_a_trial_without_a_model_is_left_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    fit = Fitter.fit
    asked = 0

    def second_fails(fitter: Fitter, known: Histories, config: TrainingConfig) -> Recommender:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise TrainingError("The penalty is too small.")
        return fit(fitter, known, config)

    monkeypatch.setattr(Fitter, "fit", second_fails)

    assert len(searched(3).trials) == 2
    assert "Tuning: trial 2 has no result. The penalty is too small." in capsys.readouterr().err
