"""The model store: published versions side by side in a folder, and a pointer to the current one."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from filelock import BaseFileLock, FileLock

from app.core.artifact import Artifact, Manifest
from app.core.errors import ArtifactError, PublishError, VersionNotFoundError
from app.core.files import flush, write_atomically

_VERSION = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9]{6}")
_POINTER = "current"
_ASIDE = ".aside-"  # what is not a version yet, or not any more
_LOCK = ".lock"


class ModelStore:
    """Versions in a folder.

    A version is a folder that appears complete, by one rename, and never changes; the pointer is a file replaced by
    one rename. Whatever is killed in between leaves the current version current and whole.
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
            with self._one_writer():
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

    def activate(self, version: str) -> None:
        """Make a published version the current one, once it has been found whole."""
        with self._one_writer():
            self.load(version)
            write_atomically(self._root / _POINTER, f"{version}\n".encode())

    def current_version(self) -> str | None:
        """Name the current version; None before the first."""
        try:
            version = (self._root / _POINTER).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            version = ""
        if not _VERSION.fullmatch(version):
            raise ArtifactError("The pointer to the current version does not name one.")
        return version

    def current(self) -> Artifact | None:
        """Load the current version; None before the first."""
        version = self.current_version()
        return None if version is None else self.load(version)

    def load(self, version: str) -> Artifact:
        """Load a version, checked; `VersionNotFoundError` or `ArtifactError` where that cannot be."""
        return Artifact.load(self._folder(version))

    def manifest(self, version: str) -> Manifest:
        """Read a version's manifest alone."""
        return Manifest.read(self._folder(version))

    def versions(self) -> list[str]:
        """Name all published versions, the newest first."""
        if not self._root.is_dir():
            return []
        return sorted((entry.name for entry in self._root.iterdir() if _VERSION.fullmatch(entry.name)), reverse=True)

    def prune(self, keep: int) -> list[str]:
        """Remove all but the `keep` newest versions and the current one; returns what was removed."""
        with self._one_writer():
            current = self.current_version()
            removed = [version for version in self.versions()[keep:] if version != current]
            for version in removed:
                # One rename, so that no part of a version is ever taken for one.
                shutil.rmtree((self._root / version).rename(self._root / f"{_ASIDE}{version}"))
        return removed

    def remove_left_behind(self) -> None:
        """Remove what publications that were killed left behind."""
        with self._one_writer():
            self._remove_left_behind()

    def _one_writer(self) -> BaseFileLock:
        """Let one process write at a time; readers need no lock."""
        self._root.mkdir(parents=True, exist_ok=True)
        return FileLock(self._root / _LOCK)

    def _folder(self, version: str) -> Path:
        folder = self._root / version
        if not _VERSION.fullmatch(version) or not folder.is_dir():
            raise VersionNotFoundError(f"There is no version {version!r} in {self._root}.")
        return folder

    def _remove_left_behind(self) -> None:
        for folder in self._root.glob(f"{_ASIDE}*"):
            shutil.rmtree(folder)
        for pointer in self._root.glob(f".{_POINTER}.*.tmp"):
            pointer.unlink(missing_ok=True)
