"""The file of a backup: a compressed tar that can be written and read in one go, with digests of all that is in it.

backup.json                           what it is a backup of, and the tables with their columns and rows
database/TABLE/000001.jsonl           rows, each an array of its columns' values; bytes are written in hexadecimal
models/VERSION/…, current, rejected.json   the versions' files, and the model store's own
rawg/COLLECTION/…, requests.json      the kept pages, and how many requests RAWG had
SHA256SUMS                            the digests of all files before it, as `sha256sum --check` reads them
"""

import gzip
import hashlib
import io
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from app.core.errors import RestoreRefusedError

FORMAT = 1
DATABASE, MODELS, PAGES = "database", "models", "rawg"  # the folders
RECORD = "collection.json"  # without it a folder of pages is no collection
PAGE_FILES = re.compile(r"requests\.json|[\w-]+/(collection\.json|(updates/)?[0-9]+\.json\.gz)", re.ASCII)

_DESCRIPTION = "backup.json"
_SUMS = "SHA256SUMS"
_NAMES = re.compile(
    rf"{DATABASE}/[a-z_]+/[0-9]{{6}}\.jsonl"
    rf"|{MODELS}/(current|rejected\.json|[0-9]{{8}}T[0-9]{{6}}-[0-9]{{6}}/[^./\0-\x1f][^/\0-\x1f]*)"
    rf"|{PAGES}/({PAGE_FILES.pattern})",
    re.ASCII,
)
_LEVEL = 3  # half the time of gzip's own, for a tenth more bytes
_PIECE = 1 << 20
_LARGEST_TEXT = 64 << 20  # bytes of what is read into memory as a whole

_FOREIGN = "This is no backup of this program."
_DAMAGED = "The backup is cut off or damaged ({}); nothing was changed."
_BROKEN = (gzip.BadGzipFile, tarfile.TarError, zlib.error, EOFError)


class Rows(BaseModel):
    """A table in a backup: its columns, and how many rows it has."""

    model_config = ConfigDict(frozen=True)

    columns: tuple[str, ...]
    rows: int


class Description(BaseModel):
    """What a backup is of: the program's version, the database's revision, when (seconds since 1970), the tables."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    program: str
    revision: str
    created_at: float
    tables: Mapping[str, Rows]


class Writer:
    """Adds files to a backup."""

    def __init__(self, tar: tarfile.TarFile, description: Description) -> None:
        """Begin with the description."""
        self._tar = tar
        self._created_at = description.created_at
        self._sums: dict[str, str] = {}
        self.add(_DESCRIPTION, description.model_dump_json(indent=2).encode())

    def add(self, name: str, content: bytes) -> None:
        """Add a file of this content."""
        self.copy(name, io.BytesIO(content), len(content))

    def copy(self, name: str, file: BinaryIO, size: int) -> None:
        """Add a file of so many bytes, which are read piece by piece."""
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, self._created_at, 0o600
        digesting = _Digesting(file)
        self._tar.addfile(member, cast("BinaryIO", digesting))
        self._sums[name] = digesting.hexdigest()

    def seal(self) -> None:
        """Add the digests, without which nothing is restored."""
        self.add(_SUMS, "".join(f"{digest}  {name}\n" for name, digest in self._sums.items()).encode())


@contextmanager
def writing(to: BinaryIO, description: Description) -> Iterator[Writer]:
    """Write a backup; where the block raises, what was written is known for a part."""
    with (
        gzip.GzipFile("", "wb", _LEVEL, to, description.created_at) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        writer = Writer(tar, description)
        yield writer
        writer.seal()


def unpack(source: BinaryIO, folders: Mapping[str, Path]) -> Description:
    """Read a backup into folders (of the database's rows, the models, the pages), and check all of it.

    Raises `RestoreRefusedError` where it is not a whole backup that this program can read, or too large for the disk.
    """
    description = None
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            text = _first(tar)
            description = _description(text)
            _unpacked(tar, folders, {_DESCRIPTION: hashlib.sha256(text).hexdigest()})
            while packed.read(_PIECE):  # to the checksum at its end
                pass
    except _BROKEN as broken:
        if description is None:
            raise RestoreRefusedError(_FOREIGN) from broken
        raise RestoreRefusedError(_DAMAGED.format("it has no end")) from broken
    return description


def _first(tar: tarfile.TarFile) -> bytes:
    member = tar.next()
    if member is None or member.name != _DESCRIPTION:
        raise RestoreRefusedError(_FOREIGN)
    return _text(tar, member)


def _description(text: bytes) -> Description:
    try:
        found = Description.model_validate_json(text)
    except ValidationError as unreadable:
        raise RestoreRefusedError(_FOREIGN) from unreadable
    if found.format > FORMAT:
        raise RestoreRefusedError(
            f"The backup was made by a newer program, {found.program}, in format {found.format}; this one reads format "
            f"{FORMAT}: restore it with that program."
        )
    return found


def _unpacked(tar: tarfile.TarFile, folders: Mapping[str, Path], sums: dict[str, str]) -> None:
    """Write all files, until the digests come and prove them unaltered."""
    while member := tar.next():
        if member.name == _SUMS:
            if _text(tar, member) != "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode():
                raise RestoreRefusedError(_DAMAGED.format("its digests do not match"))
            return
        if not member.isreg() or not _NAMES.fullmatch(member.name) or member.name in sums:
            raise RestoreRefusedError(_DAMAGED.format(f"{member.name!r} does not belong into it"))
        top, _, rest = member.name.partition("/")
        sums[member.name] = _written(tar, member, folders[top] / rest)
    raise RestoreRefusedError(_DAMAGED.format("it has no end"))


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if not member.isreg() or member.size > _LARGEST_TEXT:
        raise RestoreRefusedError(_DAMAGED.format(f"{member.name} is not what it should be"))
    return cast("BinaryIO", tar.extractfile(member)).read()


def _written(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    """Write a file, and give its digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.size > shutil.disk_usage(path.parent).free:
        raise RestoreRefusedError(f"The disk of {path.parent} has not enough room for the backup; nothing was changed.")
    digesting = _Digesting(cast("BinaryIO", tar.extractfile(member)))
    with path.open("xb") as file:
        shutil.copyfileobj(digesting, file, _PIECE)
    return digesting.hexdigest()


class _Digesting:
    """A file that digests what is read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._digest.update(content)
        return content

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
