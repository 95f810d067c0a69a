"""Whose plays a model is trained on."""

import shutil
from pathlib import Path

from app.core.catalogue import Catalogue
from app.core.histories import PlayWeights
from app.core.interactions import Interaction, InteractionStore, Kind
from tests.worlds import game
from training.candidate import Plays
from training.fitting import TrainingConfig


def test_players_are_invented_until_somebody_does_more_than_try_the_page_out(tmp_path: Path, migrated_file: Path):
    file = shutil.copy(migrated_file, tmp_path / "interactions.db")
    store = InteractionStore.open(f"sqlite:///{file}")
    catalogue = Catalogue.from_games(game(number) for number in range(1, 61))

    def trained_on() -> tuple[str, list[bytes]]:
        plays = Plays.of(store, catalogue, TrainingConfig())
        return plays.kind, list(plays.pack(PlayWeights()).histories.users)

    invented = sorted(str(number).encode() for number in range(1, 101))
    assert trained_on() == ("simulated", invented)

    store.try_out(Interaction("a visitor", 1, Kind.PLAY))
    assert trained_on() == ("simulated", invented)

    store.write([Interaction("ann", 2, Kind.PLAY)])
    assert trained_on() == ("observed", [b"a visitor", b"ann"])
