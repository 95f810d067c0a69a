"""The version before the current one: what is remembered of it, and how it comes back."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from app.core.errors import ArtifactError, StoreNotWritableError, VersionNotFoundError
from app.core.store import ModelStore
from tests.worlds import artifact, publish

FIRST, SECOND, THIRD, FOURTH = (f"2026010{day}T000000-00000{day}" for day in (1, 2, 3, 4))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def store(root: Path) -> ModelStore:
    return ModelStore(root)


def test_the_pointer_remembers_the_version_before(store: ModelStore, root: Path):
    assert store.predecessor() is None
    publish(store, FIRST)
    assert (store.current_version(), store.predecessor()) == (FIRST, None)
    publish(store, SECOND)
    assert (store.current_version(), store.predecessor()) == (SECOND, FIRST)

    store.activate(SECOND)
    assert (store.current_version(), store.predecessor()) == (SECOND, FIRST)
    store.activate(FIRST)
    assert (store.current_version(), store.predecessor()) == (FIRST, SECOND)
    assert (root / "current").read_text() == f"{FIRST}\n{SECOND}\n"


@pytest.mark.parametrize("second_line", ["", "\n", "nonsense\n"])
def test_a_pointer_without_one_is_read_too(store: ModelStore, root: Path, second_line: str):
    publish(store, FIRST)
    (root / "current").write_text(f"{FIRST}\n{second_line}")

    assert (store.current_version(), store.predecessor()) == (FIRST, None)


def test_a_pointer_that_cannot_be_read_is_replaced_by_hand(store: ModelStore, root: Path):
    publish(store, FIRST)
    (root / "current").write_bytes(b"\xff\xfe")

    store.activate(FIRST)

    assert (store.current_version(), store.predecessor()) == (FIRST, None)


def test_rolling_back_rejects_the_version_and_takes_the_one_before(store: ModelStore):
    publish(store, FIRST)
    publish(store, SECOND)
    begun = time.time()

    assert store.roll_back(SECOND, "It answers nothing.") == FIRST

    assert (store.current_version(), store.predecessor()) == (FIRST, None)
    rejected = store.rejection(SECOND)
    assert rejected is not None
    assert begun <= rejected.at <= time.time()
    assert rejected.reason == "It answers nothing."
    assert store.rejection(FIRST) is None
    publish(store, THIRD)
    assert store.predecessor() == FIRST


def test_whoever_comes_second_changes_nothing(store: ModelStore):
    publish(store, FIRST)
    publish(store, SECOND)
    store.roll_back(SECOND, "first")

    assert store.roll_back(SECOND, "second") is None

    assert store.current_version() == FIRST
    assert store.rejections()[SECOND].reason == "first"


def test_of_many_at_once_one_rolls_back(store: ModelStore, root: Path):
    publish(store, FIRST)
    publish(store, SECOND)
    went: list[str | None] = []
    threads = [
        threading.Thread(target=lambda number=number: went.append(ModelStore(root).roll_back(SECOND, f"by {number}")))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, went)) == [FIRST, "None", "None", "None"]


def test_without_a_version_before_there_is_nothing_to_go_back_to(store: ModelStore):
    publish(store, FIRST)

    with pytest.raises(VersionNotFoundError, match=f"no version before {FIRST}"):
        store.roll_back(FIRST, "It answers nothing.")
    assert (store.current_version(), store.rejection(FIRST)) == (FIRST, None)


def test_a_broken_version_before_is_not_gone_back_to(store: ModelStore, root: Path):
    publish(store, FIRST)
    publish(store, SECOND)
    (root / FIRST / "popular.npy").write_bytes(b"damaged")

    with pytest.raises(ArtifactError):
        store.roll_back(SECOND, "It answers nothing.")
    assert (store.current_version(), store.rejection(SECOND)) == (SECOND, None)


def test_activating_a_rejected_version_by_hand_clears_the_mark(store: ModelStore):
    publish(store, FIRST)
    publish(store, SECOND)
    publish(store, THIRD)
    store.roll_back(THIRD, "third")
    store.activate(SECOND)
    assert store.rejections().keys() == {THIRD}

    store.activate(THIRD)

    assert (store.current_version(), store.rejections()) == (THIRD, {})


def test_pruning_keeps_the_version_before_and_forgets_rejections_of_what_goes(store: ModelStore):
    for version in (FIRST, SECOND):
        publish(store, version)
    store.roll_back(SECOND, "second")
    store.activate(SECOND)
    store.activate(FIRST)
    store.publish(artifact(THIRD))
    store.publish(artifact(FOURTH))

    assert store.prune(1) == [THIRD]
    assert store.versions() == [FOURTH, SECOND, FIRST]
    store.roll_back(FIRST, "first")
    assert store.prune(1) == [FIRST]
    assert store.rejections() == {}


@pytest.mark.parametrize(
    "written", [b"{", b"[]", b'{"a": 1}', b'{"a": {"at": 1}}', b'{"a": {"at": "x", "reason": ""}}']
)
def test_a_list_of_rejections_that_cannot_be_read_is_as_none(
    store: ModelStore, root: Path, written: bytes, caplog: pytest.LogCaptureFixture
):
    publish(store, FIRST)
    publish(store, SECOND)
    (root / "rejected.json").write_bytes(written)

    assert store.rejections() == {}
    assert "cannot be read" in caplog.text
    assert store.roll_back(SECOND, "It answers nothing.") == FIRST
    assert store.rejections().keys() == {SECOND}


def forbid(root: Path) -> None:
    """Let no process write: whoever tries finds a folder where the lock should be."""
    (root / ".lock").unlink()
    (root / ".lock").mkdir()


def test_a_store_that_takes_no_change_says_so_and_stays_as_it_is(
    store: ModelStore, root: Path, caplog: pytest.LogCaptureFixture
):
    publish(store, FIRST)
    publish(store, SECOND)
    publish(store, THIRD)
    forbid(root)

    changes: list[Callable[[], object]] = [
        lambda: store.activate(FIRST),
        lambda: store.roll_back(THIRD, "It answers nothing."),
        store.remove_left_behind,
    ]
    for change in changes:
        with pytest.raises(StoreNotWritableError, match="The model store cannot be written to: Is a directory"):
            change()

    assert store.prune(1) == []
    assert "old versions could not be removed" in caplog.text
    assert (store.versions(), store.current_version(), store.rejections()) == ([THIRD, SECOND, FIRST], THIRD, {})


def test_a_full_disk_leaves_the_current_version(store: ModelStore, monkeypatch: pytest.MonkeyPatch):
    publish(store, FIRST)
    publish(store, SECOND)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreNotWritableError, match="No space left on device"):
        store.roll_back(SECOND, "It answers nothing.")
    assert (store.current_version(), store.rejections()) == (SECOND, {})
    monkeypatch.undo()
    assert store.roll_back(SECOND, "It answers nothing.") == FIRST


def test_nothing_is_pruned_while_it_cannot_be_told_what_is_current(store: ModelStore, root: Path):
    publish(store, FIRST)
    store.publish(artifact(SECOND))
    (root / "current").write_text("nonsense")

    assert store.prune(1) == []
    assert store.versions() == [SECOND, FIRST]


def test_what_a_killed_process_left_is_removed_once_nobody_writes(store: ModelStore, root: Path):
    store.remove_left_behind()
    assert not root.exists()
    publish(store, FIRST)
    (root / f".aside-{SECOND}").mkdir()
    (root / ".current.abc.tmp").touch()
    (root / ".rejected.json.abc.tmp").touch()

    with FileLock(root / ".lock"):
        waiting = threading.Thread(target=store.remove_left_behind)
        waiting.start()
        waiting.join(0.1)
        assert (root / f".aside-{SECOND}").exists()
    waiting.join()

    assert {path.name for path in root.iterdir()} == {FIRST, "current", ".lock"}


def test_a_report_is_read_where_there_is_one(store: ModelStore):
    store.publish(artifact(FIRST), {"report.json": b'{"changes": {}}'})
    store.publish(artifact(SECOND))
    store.publish(artifact(THIRD), {"report.json": b"[1]"})
    store.publish(artifact(FOURTH), {"report.json": b"{"})

    assert store.report(FIRST) == {"changes": {}}
    assert [store.report(version) for version in (SECOND, THIRD, FOURTH)] == [{}, {}, {}]
