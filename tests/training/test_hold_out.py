import numpy as np

from app.core.catalogue import Catalogue
from app.core.histories import Packed, Play, PlayWeights, pack
from tests.worlds import artifact, game, six_games
from training import hold_out
from training.hold_out import HeldOut, HoldOutConfig

CATALOGUE = Catalogue.from_games(game(game_id) for game_id in range(1, 31))
EVERYBODY = HoldOutConfig(share_of_players=1.0)


def played(*counts: int) -> Packed:
    """Players a, b, … with the first so many games."""
    plays = [
        Play(chr(ord("a") + player), game_id) for player, count in enumerate(counts) for game_id in range(1, count + 1)
    ]
    return pack(plays, CATALOGUE, PlayWeights())


def held(packed: Packed, config: HoldOutConfig = EVERYBODY) -> HeldOut:
    return HeldOut.of(packed.histories, hold_out.draw(packed.histories, packed.times, CATALOGUE, config))


def by_player(held_out: HeldOut) -> dict[int, list[int]]:
    rows = np.split(held_out.indices, held_out.indptr[1:-1])
    return {int(player): row.tolist() for player, row in zip(held_out.players, rows, strict=True)}


def test_a_fifth_of_the_games_of_players_with_five_is_held_out():
    found = by_player(held(played(10, 4, 5, 7)))

    assert {player: len(games) for player, games in found.items()} == {0: 2, 2: 1, 3: 1}


def test_the_defaults():
    assert HoldOutConfig() == HoldOutConfig(share=0.2, fewest=5, share_of_players=0.5, most_players=5000)


def test_half_of_the_players_are_in_the_test_and_no_more_than_the_most():
    packed = played(*[6] * 9)

    assert len(held(packed, HoldOutConfig())) == 5
    assert len(held(packed, HoldOutConfig(most_players=2))) == 2


def test_at_least_one_game_is_held_out():
    assert [len(games) for games in by_player(held(played(5), HoldOutConfig(share=0.01))).values()] == [1]


def test_chance_is_the_same_every_time_and_another_for_each_player():
    packed = played(*[20] * 6)

    first, second = by_player(held(packed)), by_player(held(packed))

    assert first == second
    assert len({tuple(games) for games in first.values()}) > 3


def test_the_draw_is_even():
    packed = played(*[10] * 26)
    counts = np.bincount(held(packed).indices, minlength=10)

    assert counts.sum() == 52
    assert counts[:10].min() > 0


def test_a_play_more_changes_no_other_player():
    before, after = by_player(held(played(8, 8, 8))), by_player(held(played(8, 9, 8)))

    assert (before[0], before[2]) == (after[0], after[2])


def test_another_catalogue_changes_nothing():
    packed = played(10, 10)
    smaller = Catalogue.from_games(game(game_id) for game_id in range(2, 31))
    again = pack([Play(user, number) for user in "ab" for number in range(2, 11)], smaller, PlayWeights())
    mask = hold_out.draw(again.histories, again.times, smaller, HoldOutConfig(share=0.3, share_of_players=1.0))

    before = held(packed, HoldOutConfig(share=0.3, share_of_players=1.0))
    names = {int(CATALOGUE.game_ids[index]) for index in by_player(before)[0]}
    now = {int(smaller.game_ids[index]) for index in again.histories.row(0)[0][mask[:9]]}
    assert names - {1} <= now


def test_where_all_plays_have_a_time_the_latest_are_held_out():
    days = [5, 9, 1, 8, 2, 3, 4, 6, 7, 0]
    dated = [Play("a", number, at=day * 86_400.0) for number, day in enumerate(days, start=1)]
    partly = [*(play._replace(user_id="b") for play in dated[:-1]), Play("b", 10)]
    packed = pack([*dated, *partly], CATALOGUE, PlayWeights())

    found = by_player(held(packed))

    assert found[0] == [1, 3]  # the plays of the days 9 and 8
    assert len(found[1]) == 2


def test_a_game_rated_0_is_not_one_to_be_found():
    plays = [Play("a", number, rating=5 if number == 3 else 0) for number in range(1, 11)]

    assert by_player(held(pack(plays, CATALOGUE, PlayWeights()))) == {0: [2]}


def test_the_cases_are_the_histories_without_what_is_held_out():
    packed = played(6, 6)
    packed.histories.weights[:] = range(12)
    held_out = held(packed)

    cases = held_out.cases(packed.histories)

    for player, case in enumerate(cases):
        games, weights = packed.histories.row(player)
        weight_of = dict(zip(games.tolist(), weights.tolist(), strict=True))
        assert sorted([*case.played.tolist(), *case.wanted.tolist()]) == games.tolist()
        assert case.strength.tolist() == [weight_of[index] for index in case.played.tolist()]


def test_only_some_plays():
    packed = played(2, 3)
    packed.histories.weights[:] = range(5)

    part = hold_out.only(packed.histories, np.array([False, False, True, False, True]))

    assert part.indptr.tolist() == [0, 0, 2]
    assert (part.indices.tolist(), part.weights.tolist()) == ([0, 2], [2, 4])
    assert len(part) == 2


def test_an_artifact_keeps_what_is_held_out():
    found = HeldOut.from_arrays(artifact().arrays)

    assert by_player(found) == {2: [2, 5]}
    assert list(found.to_arrays()) == ["held_out_players", "held_out_indptr", "held_out_indices"]


def test_what_was_held_out_before_is_found_again_in_another_catalogue():
    """Zoë's 30 and 60 were held out. Now 30 is gone from the catalogue, and Ann has 60 too."""
    later = Catalogue.from_games(game(game_id) for game_id in (5, 10, 20, 40, 60))
    packed = pack([Play("ann", 60), Play("new", 60), Play("zoë/1", 10), Play("zoë/1", 60)], later, PlayWeights())

    found = hold_out.again(HeldOut.from_arrays(artifact().arrays), six_games(), packed.histories, later)

    assert found.tolist() == [False, False, False, True]


def test_who_is_gone_holds_nothing_out():
    packed = pack([Play("ann", 60)], six_games().catalogue, PlayWeights())

    found = hold_out.again(HeldOut.from_arrays(artifact().arrays), six_games(), packed.histories, six_games().catalogue)

    assert not found.any()
