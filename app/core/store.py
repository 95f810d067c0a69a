"""The model store: published versions side by side in a folder, and a pointer to the current one."""

import re
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson
import structlog
from filelock import FileLock

from app.core.artifact import Artifact, Manifest, Rest, no_rest
from app.core.errors import ArtifactError, PublishError, StoreNotWritableError, VersionNotFoundError
from app.core.files import flush, write_atomically

_VERSION = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9]{6}")
POINTER = "current"
_REJECTED = "rejected.json"
_REPORT = "report.json"
_ASIDE = ".aside-"  # what is not a version yet, or not any more
_LOCK = ".lock"

log = structlog.get_logger(__name__)


class Rejection(NamedTuple):
    """When a version was taken back (seconds since 1970), and why."""

    at: float
    reason: str


class ModelStore:
    """Versions in a folder.

    A version is a folder that appears complete, by one rename, and never changes; the pointer is a file replaced by
    one rename: the current version, and on a second line the one before it. Whatever is killed in between leaves the
    current version current and whole.
    """

    def __init__(self, root: Path) -> None:
        """Use a folder, which need not exist yet."""
        self._root = root

    def publish(self, artifact: Artifact, report: Mapping[str, bytes] | None = None) -> str:
        """Write a new version and return its name; it is not current yet.

        The files of its report (name -> content) lie beside the arrays, for people. What a killed publication left
        behind is removed first.
        """
        version = artifact.manifest.version
        aside = self._root / f"{_ASIDE}{version}"
        try:
            with self._locked():
                self._remove_left_behind()
                aside.mkdir()
                artifact.write(aside)
                for name, content in (report or {}).items():
                    (aside / name).write_bytes(content)
                for file in aside.iterdir():
                    flush(file)
                flush(aside)
                aside.rename(self._root / version)
                flush(self._root)
        except OSError as failed:
            raise PublishError(f"{version} could not be written to {self._root}: {failed.strerror}.") from failed
        finally:
            shutil.rmtree(aside, ignore_errors=True)  # gone already where all went well
        return version

    def activate(self, version: str, rest: Rest = no_rest) -> None:
        """Make a published version the current one, once it has been found whole; a mark of rejection goes.

        Raises `VersionNotFoundError`, `ArtifactError`, or `StoreNotWritableError` where nothing can be written.
        """
        with self.one_writer():
            self.load(version, rest)
            before = self._pointed_at()
            if before[:1] != [version]:
                self._point_at(version, *before[:1])
            self._write_rejections(
                {rejected: why for rejected, why in self.rejections().items() if rejected != version}
            )

    def roll_back(self, from_version: str, reason: str) -> str | None:
        """Reject the current version, and make the one before it current again; returns the latter's name.

        None where `from_version` is not current any more: somebody else was first. Raises `VersionNotFoundError` where
        there is none before it, `ArtifactError` where that one is broken, or `StoreNotWritableError`.
        """
        with self.one_writer():
            if self.current_version() != from_version:
                return None
            version = self.predecessor()
            if version is None:
                raise VersionNotFoundError(f"There is no version before {from_version} to go back to.")
            self.load(version)
            # The mark first: whoever is killed in between leaves something that the next one does again, whole.
            self._write_rejections({**self.rejections(), from_version: Rejection(time.time(), reason)})
            self._point_at(version)
        return version

    def current_version(self) -> str | None:
        """Name the current version; None before the first."""
        lines = self._lines()
        if lines is None:
            return None
        if not lines or not _VERSION.fullmatch(lines[0]):
            raise ArtifactError("The pointer to the current version does not name one.")
        return lines[0]

    def predecessor(self) -> str | None:
        """Name the version that was current before the current one; None where there was none, or it was rejected."""
        return next((line for line in (self._lines() or [])[1:2] if _VERSION.fullmatch(line)), None)

    def rejections(self) -> Mapping[str, Rejection]:
        """Tell which versions were taken back."""
        try:
            found = orjson.loads((self._root / _REJECTED).read_bytes())
            return {version: Rejection(float(why["at"]), str(why["reason"])) for version, why in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as unreadable:
            log.warning("the list of rejected versions cannot be read", reason=str(unreadable))
            return {}

    def rejection(self, version: str) -> Rejection | None:
        """Tell when and why a version was taken back; None where it was not."""
        return self.rejections().get(version)

    def current(self) -> Artifact | None:
        """Load the current version; None before the first."""
        version = self.current_version()
        return None if version is None else self.load(version)

    def load(self, version: str, rest: Rest = no_rest) -> Artifact:
        """Load a version, checked; `VersionNotFoundError` or `ArtifactError` where that cannot be."""
        return Artifact.load(self._folder(version), rest)

    def manifest(self, version: str) -> Manifest:
        """Read a version's manifest alone."""
        return Manifest.read(self._folder(version))

    def report(self, version: str) -> Mapping[str, Any]:
        """Read what was found out about a version, for machines; empty where there is nothing that can be read."""
        try:
            found = orjson.loads((self._folder(version) / _REPORT).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def versions(self) -> list[str]:
        """Name all published versions, the newest first."""
        if not self._root.is_dir():
            return []
        return sorted((entry.name for entry in self._root.iterdir() if _VERSION.fullmatch(entry.name)), reverse=True)

    def prune(self, keep: int) -> list[str]:
        """Remove all but the `keep` newest versions, the current one and the one before it; returns what was removed.

        Where nothing can be removed, or it cannot be told what is current, all stays, and the log says so.
        """
        removed: list[str] = []
        try:
            with self._locked():
                wanted = {self.current_version(), self.predecessor()}
                for version in self.versions()[keep:]:
                    if version not in wanted:
                        self._remove(version)
                        removed.append(version)
                self._write_rejections(_without(self.rejections(), *removed))
        except (OSError, ArtifactError) as failed:
            log.warning("old versions could not be removed", reason=str(failed))
        return removed

    def remove_left_behind(self) -> None:
        """Remove what a killed process left that is no version; waits while another process writes.

        Raises `StoreNotWritableError` where that cannot be done.
        """
        if self._root.is_dir():
            with self.one_writer():
                self._remove_left_behind()

    def state(self) -> dict[str, bytes]:
        """Read the files beside the versions: which one is current, and which were taken back."""
        files = (self._root / POINTER, self._root / _REJECTED)
        return {file.name: file.read_bytes() for file in files if file.exists()}

    @contextmanager
    def opened(self, version: str) -> Iterator[Mapping[str, BinaryIO]]:
        """Open all files of a version by their names: they can be read to the end though it is removed meanwhile.

        Raises `VersionNotFoundError` where it is being removed.
        """
        with ExitStack() as open_files:
            try:
                paths = [path for path in self._folder(version).iterdir() if not path.name.startswith(".")]
                files = {path.name: open_files.enter_context(path.open("rb")) for path in sorted(paths)}
            except FileNotFoundError as going:
                raise VersionNotFoundError(f"The version {version!r} was removed from {self._root}.") from going
            yield files

    def place(self, folder: Path) -> None:
        """Put the versions that lie in a folder of the same disk in place, also of those with the same name.

        To be called within `one_writer`, as is `take_over`.
        """
        self._remove_left_behind()
        for whole in sorted(path for path in folder.iterdir() if _VERSION.fullmatch(path.name)):
            if (self._root / whole.name).exists():
                (self._root / whole.name).rename(self._root / f"{_ASIDE}{whole.name}")
            whole.rename(self._root / whole.name)
        flush(self._root)
        self._remove_left_behind()

    def take_over(self, state: Mapping[str, bytes], versions: Collection[str]) -> None:
        """Let the store be as another was: with its `state`, and no versions but these."""
        for name in (_REJECTED, POINTER):  # the pointer last
            if name in state:
                write_atomically(self._root / name, state[name])
            else:
                (self._root / name).unlink(missing_ok=True)
        for version in self.versions():
            if version not in versions:
                self._remove(version)

    @contextmanager
    def one_writer(self) -> Iterator[None]:
        """Let one process write at a time; whatever the operating system refuses is a `StoreNotWritableError`."""
        try:
            with self._locked():
                yield
        except OSError as failed:
            raise StoreNotWritableError(f"The model store cannot be written to: {failed.strerror}.") from failed

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process write at a time; readers need no lock."""
        self._root.mkdir(parents=True, exist_ok=True)
        with FileLock(self._root / _LOCK):
            yield

    def _folder(self, version: str) -> Path:
        folder = self._root / version
        if not _VERSION.fullmatch(version) or not folder.is_dir():
            raise VersionNotFoundError(f"There is no version {version!r} in {self._root}.")
        return folder

    def _lines(self) -> list[str] | None:
        """Read the pointer; None where there is none."""
        try:
            return (self._root / POINTER).read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            return []

    def _pointed_at(self) -> list[str]:
        """Name the current version and the one before it, as far as the pointer tells."""
        return [line for line in self._lines() or [] if _VERSION.fullmatch(line)]

    def _point_at(self, *versions: str) -> None:
        write_atomically(self._root / POINTER, "".join(f"{version}\n" for version in versions).encode())

    def _write_rejections(self, rejections: Mapping[str, Rejection]) -> None:
        if rejections != self.rejections():
            written = orjson.dumps({version: why._asdict() for version, why in rejections.items()})
            write_atomically(self._root / _REJECTED, written)

    def _remove(self, version: str) -> None:
        # One rename, so that no part of a version is ever taken for one.
        shutil.rmtree((self._root / version).rename(self._root / f"{_ASIDE}{version}"))

    def _remove_left_behind(self) -> None:
        for folder in self._root.glob(f"{_ASIDE}*"):
            shutil.rmtree(folder)
        for name in (POINTER, _REJECTED):
            for aside in self._root.glob(f".{name}.*.tmp"):
                aside.unlink(missing_ok=True)


def _without(rejections: Mapping[str, Rejection], *versions: str) -> Mapping[str, Rejection]:
    return {version: why for version, why in rejections.items() if version not in versions}
