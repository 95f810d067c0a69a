"""What the straight line hands from step to step."""

from pathlib import Path

import numpy as np
import pytest

from app.core.artifact import Manifest
from app.core.catalogue import Catalogue
from app.core.interactions import Histories, InteractionStore, Play, PlayWeights
from app.core.recommender import Recommender
from app.core.settings import Settings
from app.core.store import ModelStore
from tests.fakes import rawg
from tests.training.conftest import MakeSettings
from tests.worlds import game
from training import evaluate, pipeline
from training.collection import collect
from training.features import FeatureConfig
from training.pipeline import TrainingConfig, train
from training.simulate import simulate

SETTINGS = Settings()


def published(manifest: Manifest) -> Recommender:
    return Recommender.from_arrays(ModelStore(SETTINGS.model_store).load(manifest.version).arrays)


def test_the_published_model_knows_every_play_and_is_evaluated_on_plays_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
):
    evaluated: list[tuple[Recommender, evaluate.HoldOut]] = []

    def watched(recommender: Recommender, split: evaluate.HoldOut) -> None:
        evaluated.append((recommender, split))

    monkeypatch.setattr(pipeline, "evaluate", watched)
    manifest = train(SETTINGS, None)

    model = published(manifest)
    plays = list(simulate(model.catalogue))
    assert manifest.counts.plays == len(model.histories.indices) == len(plays)
    for user_id in ("1", "12", "100"):
        mine = {play.game_id for play in plays if play.user_id == user_id}
        assert not mine & {scored.game["game_id"] for scored in model.recommend(user_id, 100).games}
    [(recommender, split)] = evaluated
    assert recommender.histories is split.train
    assert len(split.train.indices) + sum(map(len, split.test.values())) == len(plays)


def test_popularity_is_by_players_and_then_by_what_people_keep_on_rawg():
    added = (1, 9, 5, 3)
    catalogue = Catalogue.from_games(game(number, added=added[number - 1]) for number in (1, 2, 3, 4))
    plays = [Play("a", 1), Play("a", 3), Play("b", 1), Play("b", 3)]
    histories, _ = Histories.pack(plays, catalogue, PlayWeights())

    assert pipeline._popular(histories, catalogue).tolist() == [2, 0, 1, 3]


def test_other_plays_or_another_catalogue_are_other_data(make_settings: MakeSettings, fake_rawg: rawg.FakeRawg):
    settings = make_settings(rawg_max_games=40)
    store = InteractionStore(settings.data_dir / "interactions.db")
    store.put([Play("a", 1), Play("a", 2)])
    first = train(settings, collect(settings))
    store.put([Play("b", 3)])
    with_a_play = train(settings, collect(settings))
    fake_rawg.games[0] = rawg.game(1, name="Renamed")
    with_a_name = train(settings, collect(settings))

    fingerprints = {manifest.data_fingerprint for manifest in (first, with_a_play, with_a_name)}
    assert len(fingerprints) == 3


def test_a_replay_takes_as_many_games_as_asked_for_now(make_settings: MakeSettings):
    collection = collect(make_settings())

    assert train(make_settings(rawg_max_games=50), collection).counts.games == 50


def test_the_configuration_shapes_the_model_and_travels_with_it():
    config = TrainingConfig(features=FeatureConfig(genres=0, platforms=0, numbers=1), content_neighbours=3)

    manifest, usual = train(SETTINGS, None, config), train(SETTINGS, None)

    features = manifest.config["features"]
    assert isinstance(features, dict)
    assert features["numbers"] == 1
    assert np.diff(published(manifest).content.indptr).max() == 3
    assert not np.array_equal(published(manifest).content.indices[:3], published(usual).content.indices[:3])


def test_a_store_may_lie_deeper_than_what_exists():
    settings = Settings(model_store=Path("a/b/models"))

    manifest = train(settings, None)

    assert ModelStore(Path("a/b/models")).current_version() == manifest.version
