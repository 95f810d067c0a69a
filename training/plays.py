"""The plays of a file for a benchmark, as `import` would write them and a model would learn from them."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from app.core.errors import ImportFailedError
from app.core.histories import Play
from app.core.importing.reading import Read, no_valid_row
from app.core.importing.texts import read_csv
from app.core.interactions import Interaction
from app.core.tastes import plays


class PlaysFile:
    """The plays of a CSV file; `set_aside` counts the rows that were no good, so far."""

    def __init__(self, path: Path) -> None:
        self.set_aside = 0
        self._path = path
        self._valid = 0
        self._first_bad: Read | None = None

    def __iter__(self) -> Iterator[Play]:
        """Read the plays; what stands together of one player and game is one play, as in an export.

        Raises `ImportFailedError` where the file cannot be read to its end, lacks a column, or has no valid row.
        """
        for (user_id, _), found in groupby(self._interactions(), key=lambda one: (one.user_id, one.game_id)):
            rows = [(one.game_id, *one.kept(), one.at) for one in found]
            yield from plays(user_id, sorted(rows, key=itemgetter(1)))
        if not self._valid:
            raise no_valid_row(str(self._path), self._first_bad)

    def _interactions(self) -> Iterator[Interaction]:
        try:
            with self._path.open("rb") as file:
                for read in read_csv(file, str(self._path)):
                    if read.reason is None:
                        self._valid += 1
                        yield from read.interactions
                    else:
                        self.set_aside += 1
                        self._first_bad = self._first_bad or read
        except OSError as unreadable:
            raise ImportFailedError(f"{self._path} cannot be read: {unreadable.strerror}.") from unreadable
