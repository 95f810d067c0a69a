import pandas as pd
import pytest

from app.core.catalogue import Catalogue, fold
from tests.worlds import game


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.from_games(
        [
            game(4200, "Portal 2", added=20),
            game(13536, "Portal", added=10),
            game(99, "Bridge Constructor Portal", added=99),
            game(7, "Pokémon™: Let's Go!", added=1),
            game(8, "Half-Life 2", added=2),
            game(9, "Por", added=3),
        ],
    )


def test_games_come_back_whole_in_the_order_of_their_ids(catalogue: Catalogue):
    assert [found["game_id"] for found in catalogue] == [7, 8, 9, 99, 4200, 13536]
    assert catalogue.game(4) == game(4200, "Portal 2", added=20)


def test_an_id_and_its_index_translate_into_each_other(catalogue: Catalogue):
    assert catalogue.index_of(99) == 3
    assert catalogue.index_of(100) is None
    assert catalogue.index_of(10**6) is None
    assert catalogue.indices_of([13536, 1, 7, 10**6]).tolist() == [5, -1, 0, -1]


def test_an_empty_catalogue_knows_no_id():
    empty = Catalogue.from_games([])

    assert empty.index_of(1) is None
    assert empty.indices_of([1, 2]).tolist() == [-1, -1]


def test_a_frame_of_valid_rows_is_packed_with_the_fields_of_a_game_alone():
    frame = pd.DataFrame([{**game(5, "Frame"), "updated": "2025-01-01"}])

    assert list(Catalogue.from_frame(frame)) == [game(5, "Frame")]


def test_fold():
    assert fold("  NieR:Automata™ — Game of the YoRHa Edition ") == "nier automata game of the yorha edition"
    assert fold("Baldur’s Gate & Ōkami") == "baldurs gate okami"
    assert fold("Straße") == fold("STRASSE")
    assert fold("ＰＯＲＴＡＬ Ⅱ") == "portal ii"
    assert fold("스타크래프트") == fold("스타크래프트")
