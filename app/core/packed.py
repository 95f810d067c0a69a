"""Many byte strings in two arrays, so that they can be memory-mapped and cost no Python object each."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class PackedStrings:
    """A sequence of byte strings.

    `blob` (uint8) holds them end to end; string i is `blob[offsets[i]:offsets[i + 1]]`, `offsets` (int64) being one
    longer than the sequence.
    """

    blob: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def pack(cls, strings: Iterable[bytes]) -> Self:
        """Copy the strings into two new arrays."""
        blob = bytearray()
        offsets = [0]
        for string in strings:
            blob += string
            offsets.append(len(blob))
        return cls(np.frombuffer(bytes(blob), dtype=np.uint8), np.array(offsets, dtype=np.int64))

    def __len__(self) -> int:
        """Count the strings."""
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[bytes]:
        """Copy every string out of the blob, in order."""
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, position: int) -> bytes:
        """Copy one string out of the blob."""
        if not 0 <= position < len(self):
            raise IndexError(position)
        return self.blob[self.offsets[position] : self.offsets[position + 1]].tobytes()

    def take(self, positions: npt.ArrayLike) -> list[bytes]:
        """Copy some strings out of the blob; the positions are not checked."""
        first = np.array(positions, dtype=np.intp)
        starts, stops = self.offsets[first].tolist(), self.offsets[first + 1].tolist()
        blob = self.blob.data  # slicing this costs less than slicing an array
        return [bytes(blob[start:stop]) for start, stop in zip(starts, stops, strict=True)]

    def find_sorted(self, string: bytes) -> int | None:
        """Find the position of `string` by bisection; the strings must stand in ascending order."""
        position = bisect_left(self, string)
        return position if position < len(self) and self[position] == string else None
