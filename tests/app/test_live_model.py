import logging
from pathlib import Path

import pytest

from app.core.artifact import Artifact, Rest
from app.core.errors import ModelNotLoadedError
from app.core.store import ModelStore
from app.live_model import LiveModel
from tests.worlds import asked, publish

FIRST, SECOND = "20260101T000000-000000", "20260102T000000-000000"


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Path("models"))


def test_before_the_first_version_there_is_no_model(store: ModelStore):
    live = LiveModel(store)

    assert live.refresh() is False
    with pytest.raises(ModelNotLoadedError):
        _ = live.loaded


def test_a_refresh_swaps_recommender_and_manifest_together_once(store: ModelStore):
    live = LiveModel(store)
    publish(store, FIRST)
    assert live.refresh() is True
    assert live.refresh() is False
    before = live.loaded
    publish(store, SECOND)

    assert live.refresh() is True

    assert (before.manifest.version, live.loaded.manifest.version) == (FIRST, SECOND)
    assert live.loaded.recommender is not before.recommender
    assert asked(before.recommender, "ann", 1).games[0].game["game_id"] == 30


def test_going_back_is_a_refresh_too(store: ModelStore):
    live = LiveModel(store)
    publish(store, FIRST)
    publish(store, SECOND)
    live.refresh()
    store.activate(FIRST)

    assert live.refresh() is True
    assert live.loaded.manifest.version == FIRST


def test_a_broken_version_is_refused_once_and_the_old_model_serves(store: ModelStore, caplog: pytest.LogCaptureFixture):
    live = LiveModel(store)
    publish(store, FIRST)
    live.refresh()
    publish(store, SECOND)
    (Path("models") / SECOND / "popular.npy").write_bytes(b"broken")

    with caplog.at_level(logging.ERROR):
        assert [live.refresh() for _ in range(3)] == [False, False, False]

    assert live.loaded.manifest.version == FIRST
    assert caplog.text.count("model refused") == 1
    publish(store, "20260103T000000-000000")
    assert live.refresh() is True


def test_a_refused_version_is_tried_again_after_a_while(store: ModelStore):
    clock = [0.0]
    live = LiveModel(store, lambda: clock[0])
    publish(store, FIRST)
    array = Path("models") / FIRST / "popular.npy"
    array.rename("away.npy")
    assert live.refresh() is False
    Path("away.npy").rename(array)

    assert live.refresh() is False
    clock[0] = 30.0
    assert live.refresh() is True


def test_a_version_that_stays_broken_is_not_loaded_at_every_look(store: ModelStore, monkeypatch: pytest.MonkeyPatch):
    clock = [0.0]
    live = LiveModel(store, lambda: clock[0])
    publish(store, FIRST)
    (Path("models") / FIRST / "popular.npy").unlink()
    loads: list[str] = []
    load = ModelStore.load

    def watched(self: ModelStore, version: str, rest: Rest) -> Artifact:
        loads.append(version)
        return load(self, version, rest)

    monkeypatch.setattr(ModelStore, "load", watched)

    for clock[0] in range(0, 61, 2):
        live.refresh()

    assert len(loads) == 3  # at 0, 30 and 60 seconds


def test_a_version_that_was_refused_and_repaired_can_come_back_after_another(store: ModelStore):
    live = LiveModel(store)
    publish(store, FIRST)
    array = Path("models") / FIRST / "popular.npy"
    array.rename("away.npy")
    live.refresh()
    publish(store, SECOND)
    assert live.refresh() is True
    Path("away.npy").rename(array)
    store.activate(FIRST)

    assert live.refresh() is True


def test_a_folder_that_cannot_be_read_is_no_reason_to_stop(store: ModelStore):
    live = LiveModel(store)
    publish(store, FIRST)
    live.refresh()
    (Path("models") / "current").unlink()
    (Path("models") / "current").mkdir()

    assert live.refresh() is False
    assert live.loaded.manifest.version == FIRST


@pytest.mark.parametrize("pointer", ["nonsense", "20990101T000000-000000"])
def test_a_wrong_pointer_is_refused_once(store: ModelStore, pointer: str, caplog: pytest.LogCaptureFixture):
    live = LiveModel(store)
    publish(store, FIRST)
    live.refresh()
    (Path("models") / "current").write_text(pointer)

    with caplog.at_level(logging.ERROR):
        assert [live.refresh(), live.refresh()] == [False, False]

    assert live.loaded.manifest.version == FIRST
    assert caplog.text.count("model refused") == 1
