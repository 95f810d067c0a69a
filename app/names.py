"""What games are called, where a list has ids alone, and there may be no model yet."""

from collections.abc import Collection

from app.core.catalogue import Catalogue


class GameNames:
    """Reads names from the catalogue of the live model, where there is one."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        """Read from a catalogue; None stands for that of no model."""
        self._catalogue = catalogue

    def of(self, game_id: int) -> str | None:
        """Give a game's name; None for a game that is not known."""
        index = self._catalogue.index_of(game_id) if self._catalogue else None
        return self._catalogue.game(index)["name"] if self._catalogue and index is not None else None

    def unknown(self, game_ids: Collection[int]) -> int | None:
        """Count the games that are not known; None where there is no model to know any."""
        if self._catalogue is None:
            return None
        return int((self._catalogue.indices_of(list(game_ids)) < 0).sum())
