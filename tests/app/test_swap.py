"""What is refused, what is told of a swap, and what is freed after it."""

import asyncio
import gc
import pickle
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from app.answer_log import AnswerLog
from app.core.artifact import ARRAYS, FORMAT_VERSION, Artifact
from app.core.interactions import InteractionStore
from app.core.outcomes import OutcomeStore
from app.core.player_rows import open_player_rows
from app.core.store import ModelStore
from app.live_model import LiveModel, LoadedModel
from app.players import Players
from app.recommending import Recommending
from app.tally import Tally
from tests.core.test_artifact import Bomb, flip_a_bit, forge, pickled_bomb, replace_array
from tests.worlds import asked, manifest, publish

FIRST, SECOND = "20260101T000000-000000", "20260102T000000-000000"


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Path("models"))


def other_byte_order(folder: Path) -> None:
    replace_array("popular", np.arange(6, dtype=">i4"))(folder)


def other_width(folder: Path) -> None:
    replace_array("game_ids", np.arange(10, 70, 10, dtype="<i4"))(folder)


def future_format(folder: Path) -> None:
    forge(lambda fields: fields.update(format_version=FORMAT_VERSION + 1))(folder)


def missing_file(folder: Path) -> None:
    (folder / "popular.npy").unlink()


def objects(folder: Path) -> None:
    replace_array("popular", np.array([Bomb()], dtype=object))(folder)


def pickle_in_its_place(folder: Path) -> None:
    missing_file(folder)
    (folder / "popular.pkl").write_bytes(pickle.dumps(Bomb()))


def weights_of_another_program(folder: Path) -> None:
    forge(lambda fields: fields.update(config={"weights": {"surprise": 1}}))(folder)


def names_that_are_no_text(folder: Path) -> None:
    blob = np.load(folder / "users_blob.npy")
    blob[:] = 0xFF
    replace_array("users_blob", blob)(folder)


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_bit,
        missing_file,
        future_format,
        other_byte_order,
        other_width,
        objects,
        pickled_bomb,
        pickle_in_its_place,
        weights_of_another_program,
        names_that_are_no_text,
    ],
)
def test_whatever_is_wrong_with_a_version_it_is_refused_and_the_old_model_serves(
    store: ModelStore, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
):
    live = LiveModel(store)
    publish(store, FIRST)
    live.refresh()
    publish(store, SECOND)
    damage(Path("models") / SECOND)

    assert [live.refresh(), live.refresh()] == [False, False]

    assert live.loaded.manifest.version == FIRST
    assert asked(live.loaded.recommender, "ann", 1).games[0].game["game_id"] == 30
    assert (live.refusals, live.swaps) == (1, 0)
    assert caplog.text.count("model refused") == 1
    assert not Path("exploded").exists()


def test_a_pickle_beside_the_arrays_is_not_looked_at(store: ModelStore):
    live = LiveModel(store)
    publish(store, FIRST)
    (Path("models") / FIRST / "popular.pkl").write_bytes(pickle.dumps(Bomb()))

    assert live.refresh() is True
    assert not Path("exploded").exists()


def test_who_wants_to_know_is_told_of_each_swap(store: ModelStore):
    live = LiveModel(store)
    told: list[tuple[str | None, str, str]] = []

    def swapped(before: LoadedModel | None, after: LoadedModel) -> None:
        told.append((before.manifest.version if before else None, after.manifest.version, live.loaded.manifest.version))

    live.tell(swapped)
    live.refresh()
    publish(store, FIRST)
    live.refresh()
    publish(store, SECOND)
    live.refresh()
    live.refresh()

    assert told == [(None, FIRST, FIRST), (FIRST, SECOND, SECOND)]
    assert live.swaps == 1


def test_a_model_is_warm_before_it_is_live(store: ModelStore):
    live = LiveModel(store)
    publish(store, FIRST)
    live.refresh()

    assert {"weights", "rendered", "trained_at", "is_simulated"} <= vars(live.loaded).keys()
    assert "ranker" in vars(live.loaded.recommender)


def test_an_empty_model_is_warmed_too(store: ModelStore):
    arrays = {name: np.zeros(int(name.endswith(("offsets", "indptr"))), dtype) for name, dtype in ARRAYS.items()}
    store.publish(Artifact(manifest(FIRST), arrays))
    store.activate(FIRST)

    assert LiveModel(store).refresh() is True


def mapped(version: str) -> int:
    """How many files of a version this process has in its memory."""
    return Path("/proc/self/maps").read_text().count(f"{Path('models').resolve()}/{version}/")


def opened(version: str) -> int:
    """How many files of a version this process has open."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found += entry.readlink().is_relative_to(Path("models").resolve() / version)
    return found


def test_what_was_live_before_is_freed_though_nobody_asks_again(store: ModelStore, tmp_path: Path):
    live = LiveModel(store)
    publish(store, FIRST)
    live.refresh()
    database = InteractionStore.open(f"sqlite:///{tmp_path}/data/interactions.db")
    players = Players(open_player_rows(database.database.url), database)
    log = AnswerLog(OutcomeStore(database.database))
    recommending = Recommending(live, players, log, Tally(), most_remembered=10)

    async def ask() -> None:
        await recommending.for_player_plainly("ann", 3)
        await players.close()

    publish(store, SECOND, data_kind="observed")
    live.refresh()
    asyncio.run(ask())
    freed = weakref.ref(live.loaded)
    arrays = weakref.ref(live.loaded.recommender.popular)
    publish(store, "20260103T000000-000000")
    gc.disable()
    try:
        assert live.refresh() is True
        assert mapped(SECOND) > 0
        live.refresh()
        assert (freed(), arrays(), mapped(SECOND), opened(SECOND)) == (None, None, 0, 0)
    finally:
        gc.enable()
    database.database.close()


def test_of_several_who_look_at_once_one_loads(store: ModelStore):
    live = LiveModel(store)
    publish(store, FIRST)
    went: list[bool] = []
    threads = [threading.Thread(target=lambda: went.append(live.refresh())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(went) == [False, False, False, True]
