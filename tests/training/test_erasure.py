import numpy as np

from app.core.catalogue import Catalogue
from app.core.histories import Play, PlayWeights, pack
from app.core.interactions import digest_of
from tests.worlds import game
from training.erasure import forget, never_again
from training.hold_out import HeldOut

PLAYS = [Play("a", 1), Play("a", 2), Play("b", 2), Play("c", 1), Play("c", 2), Play("c", 3)]
HISTORIES = pack(PLAYS, Catalogue.from_games(game(number) for number in (1, 2, 3)), PlayWeights()).histories
HELD_OUT = HeldOut.of(HISTORIES, np.array([False, True, True, False, True, True]))


def named(*names: str) -> set[bytes]:
    return {digest_of(name) for name in names}


def test_nobody_erased_changes_nothing():
    assert forget(HISTORIES, HELD_OUT, named()) == (HISTORIES, HELD_OUT)
    assert forget(HISTORIES, HELD_OUT, named("d")) == (HISTORIES, HELD_OUT)
    assert list(never_again(PLAYS, named())) == PLAYS


def test_an_erased_player_is_neither_in_the_histories_nor_in_the_hold_out():
    histories, held_out = forget(HISTORIES, HELD_OUT, named("b"))

    assert list(histories.users) == [b"a", b"c"]
    assert [histories.row(player)[0].tolist() for player in (0, 1)] == [[0, 1], [0, 1, 2]]
    assert histories.weights.tolist() == HISTORIES.weights[[0, 1, 3, 4, 5]].tolist()
    assert (held_out.players.tolist(), held_out.indptr.tolist(), held_out.indices.tolist()) == (
        [0, 1],
        [0, 1, 3],
        [1, 1, 2],
    )
    assert [case.wanted.tolist() for case in held_out.cases(histories)] == [[1], [1, 2]]


def test_all_may_be_erased():
    histories, held_out = forget(HISTORIES, HELD_OUT, named("a", "b", "c"))

    assert (len(histories), len(held_out), len(histories.indices)) == (0, 0, 0)
    assert list(never_again(PLAYS, named("a", "c"))) == [PLAYS[2]]
