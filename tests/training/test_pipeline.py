"""What the straight line hands from step to step."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from app.core.artifact import Manifest
from app.core.catalogue import Catalogue
from app.core.histories import Histories, Play, PlayWeights, pack
from app.core.interactions import InteractionStore
from app.core.recommender import Recommender
from app.core.settings import Settings
from app.core.store import ModelStore
from tests.fakes import rawg
from tests.training.conftest import MakeSettings
from tests.worlds import asked, game, put
from training import gate, pipeline
from training.collection import collect
from training.estimators.cosine import CosineConfig
from training.evaluate import evaluate
from training.features import FeatureConfig
from training.fitting import ContentConfig, Fitter, TrainingConfig
from training.hold_out import HeldOut
from training.pipeline import Wishes
from training.simulate import simulate

SETTINGS = Settings()


def train(*arguments: Any, **more: Any) -> Manifest:
    return pipeline.train(*arguments, **more).manifest


def published(manifest: Manifest) -> Recommender:
    return Recommender.from_arrays(ModelStore(SETTINGS.model_store).load(manifest.version).arrays)


def test_the_published_model_knows_every_play_and_learned_from_all_but_those_it_is_judged_by(
    fitted: list[Histories],
):
    manifest = train(SETTINGS, None)

    model = published(manifest)
    plays = list(simulate(model.catalogue))
    assert manifest.counts.plays == len(model.histories.indices) == len(plays)
    for user_id in ("1", "12", "100"):
        mine = {play.game_id for play in plays if play.user_id == user_id}
        assert not mine & {scored.game["game_id"] for scored in asked(model, user_id, 100).games}
    held_out = HeldOut.from_arrays(ModelStore(SETTINGS.model_store).load(manifest.version).arrays)
    assert len(held_out) == 50
    known = {(player, index) for player in range(100) for index in fitted[0].row(player)[0].tolist()}
    for player, start, stop in zip(held_out.players, held_out.indptr, held_out.indptr[1:], strict=False):
        assert not known & {(int(player), index) for index in held_out.indices[start:stop].tolist()}
    assert len(known) + len(held_out.indices) == len(plays)


def test_what_is_published_scores_what_its_manifest_says():
    manifest = train(SETTINGS, None)

    arrays = ModelStore(SETTINGS.model_store).load(manifest.version).arrays
    found = evaluate(Recommender.from_arrays(arrays), HeldOut.from_arrays(arrays)) or pytest.fail("not judged")

    assert found.to_dict().items() <= manifest.metrics.items()


def test_popularity_is_by_players_and_then_by_what_people_keep_on_rawg():
    added = (1, 9, 5, 3)
    catalogue = Catalogue.from_games(game(number, added=added[number - 1]) for number in (1, 2, 3, 4))
    plays = [Play("a", 1), Play("a", 3), Play("b", 1), Play("b", 3)]
    histories = pack(plays, catalogue, PlayWeights()).histories

    assert Fitter(catalogue, TrainingConfig()).fit(histories, TrainingConfig()).popular.tolist() == [2, 0, 1, 3]


class TestGate:
    """Runs one after the other, on the plays of players of two tastes."""

    @staticmethod
    def plays(*, shuffled: bool = False) -> list[Play]:
        rng = np.random.default_rng(0)
        pairs = [
            (f"{player:03}", int(number) * 2 + player % 2)
            for player in range(80)
            for number in sorted(rng.choice(np.arange(1, 45), 10, replace=False))
        ]
        games = rng.permutation([game_id for _, game_id in pairs]) if shuffled else [game_id for _, game_id in pairs]
        return [Play(user_id, int(game_id)) for (user_id, _), game_id in zip(pairs, games, strict=True)]

    @pytest.fixture
    def settings(self, make_settings: MakeSettings) -> Settings:
        """Settings with a finished collection and imported plays."""
        settings = make_settings(rawg_max_games=100)
        self.put(settings, self.plays())
        return settings

    @staticmethod
    def put(settings: Settings, plays: list[Play]) -> None:
        (settings.data_dir / "interactions.db").unlink(missing_ok=True)
        put(InteractionStore.open(settings.database), plays)

    def test_an_equal_model_takes_its_turn(self, settings: Settings):
        collection = collect(settings)
        first, second = train(settings, collection), train(settings, collection)

        assert first.gate["reason"] == "There is no other version to serve."
        assert second.gate["promoted"]
        assert second.gate["against_champion"] == {"value": 0.0, "low": 0.0, "high": 0.0}
        assert ModelStore(settings.model_store).current_version() == second.version

    def test_a_model_of_shuffled_plays_is_published_and_not_promoted(self, settings: Settings):
        collection = collect(settings)
        first = train(settings, collection)
        self.put(settings, self.plays(shuffled=True))

        broken = train(settings, collection)

        store = ModelStore(settings.model_store)
        assert not broken.gate["promoted"]
        assert store.current_version() == first.version
        assert store.versions() == [broken.version, first.version]
        assert "Not promoted" in (settings.model_store / broken.version / "report.md").read_text()

        forced = train(settings, collection, wishes=Wishes(force=True))
        assert (forced.gate["promoted"], forced.gate["forced"]) == (True, True)
        assert forced.gate["reason"] == broken.gate["reason"]
        assert store.current_version() == forced.version

    def test_the_champion_s_hold_out_stays_out_of_the_challenger_s_training(
        self, settings: Settings, fitted: list[Histories]
    ):
        """Each player got twenty games more; the plays that the champion is judged by are not learned from."""
        collection = collect(settings)
        first = train(settings, collection)
        arrays = ModelStore(settings.model_store).load(first.version).arrays
        champion = Recommender.from_arrays(arrays)
        rng = np.random.default_rng(1)
        more = [Play(f"{player:03}", int(number)) for player in range(80) for number in rng.choice(100, 20) + 1]
        self.put(settings, [*self.plays(), *more])
        fitted.clear()

        train(settings, collection)

        frozen = HeldOut.from_arrays(arrays)
        assert len(frozen) == 40
        for case, player in zip(frozen.cases(champion.histories), frozen.players.tolist(), strict=True):
            position = fitted[0].users.find_sorted(champion.histories.users[player])
            assert position is not None
            assert not np.isin(case.wanted, fitted[0].row(position)[0]).any()

    def test_a_broken_current_version_is_replaced(self, settings: Settings, capsys: pytest.CaptureFixture[str]):
        collection = collect(settings)
        first = train(settings, collection)
        (settings.model_store / first.version / "popular.npy").write_bytes(b"broken")

        second = train(settings, collection)

        assert second.gate["promoted"]
        assert f"The current version cannot be used: popular.npy of {first.version} was altered" in (
            capsys.readouterr().err
        )

    def test_the_best_of_some_trials_is_trained(self, settings: Settings):
        manifest = train(settings, collect(settings), wishes=Wishes(trials=2))

        report = orjson.loads((settings.model_store / manifest.version / "report.json").read_bytes())
        trials = report["tuning"]["trials"]
        best = max(trials, key=lambda trial: trial["score"])["numbers"]
        assert len(trials) == 2
        config: Any = manifest.config
        assert config["weights"]["emphasis"] == best["weights.emphasis"]
        assert config["collaborative"]["l2"] == best["collaborative.l2"]


def test_other_plays_or_another_catalogue_are_other_data(make_settings: MakeSettings, fake_rawg: rawg.FakeRawg):
    settings = make_settings(rawg_max_games=40)
    store = InteractionStore.open(settings.database)
    put(store, [Play("a", 1), Play("a", 2)])
    first = train(settings, collect(settings))
    put(store, [Play("b", 3)])
    with_a_play = train(settings, collect(settings))
    fake_rawg.games[0] = rawg.game(1, name="Renamed")
    with_a_name = train(settings, collect(settings, full=True))

    fingerprints = {manifest.data_fingerprint for manifest in (first, with_a_play, with_a_name)}
    assert len(fingerprints) == 3


def test_a_replay_takes_as_many_games_as_asked_for_now(make_settings: MakeSettings):
    collection = collect(make_settings())

    assert train(make_settings(rawg_max_games=50), collection).counts.games == 50


def test_the_configuration_shapes_the_model_and_travels_with_it():
    config = TrainingConfig(
        features=FeatureConfig(genres=0, platforms=0, numbers=1),
        content=ContentConfig(neighbours=3),
        collaborative=CosineConfig(),
    )

    manifest, usual = train(SETTINGS, None, config), train(SETTINGS, None)

    features = manifest.config["features"]
    assert isinstance(features, dict)
    assert features["numbers"] == 1
    estimator: Any = manifest.config["collaborative"]
    assert estimator["estimator"] == "cosine"
    assert np.diff(published(manifest).content.indptr).max() == 3
    assert not np.array_equal(published(manifest).content.indices[:3], published(usual).content.indices[:3])


def test_a_store_may_lie_deeper_than_what_exists():
    settings = Settings(model_store=Path("a/b/models"))

    manifest = train(settings, None)

    assert ModelStore(Path("a/b/models")).current_version() == manifest.version


def test_an_erased_name_is_never_invented_again():
    InteractionStore.open(SETTINGS.database).erase("12")

    model = published(train(SETTINGS, None))

    assert len(model.histories) == 99
    assert model.histories.of("12") is None


def test_a_player_erased_while_a_run_is_going_on_is_not_in_what_it_publishes(monkeypatch: pytest.MonkeyPatch):
    """The erasure comes after the model was fitted and judged."""
    erased: list[str] = []

    def decide(recommender: Recommender, *rest: Any) -> gate.Decision:
        found = gate_decide(recommender, *rest)
        store = InteractionStore.open(SETTINGS.database)
        erased.extend(recommender.histories.users[player].decode() for player in (0, 7))
        for user_id in erased:
            store.erase(user_id)
        return found

    gate_decide = gate.decide
    monkeypatch.setattr(gate, "decide", decide)

    manifest = train(SETTINGS, None)

    model = published(manifest)
    assert manifest.counts.players == len(model.histories) == 98
    assert [model.histories.of(user_id) for user_id in erased] == [None, None]
    arrays = ModelStore(SETTINGS.model_store).load(manifest.version).arrays
    assert evaluate(Recommender.from_arrays(arrays), HeldOut.from_arrays(arrays)) is not None
