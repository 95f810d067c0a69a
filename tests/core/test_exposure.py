"""Who gets what before and after, in worlds of six games."""

from dataclasses import replace

import numpy as np

from app.core import exposure
from app.core.catalogue import Catalogue
from app.core.exposure import Exposure, Mover, Pair, known_to, some_known_to
from app.core.histories import Histories, Play, PlayWeights, pack
from app.core.recommender import Recommender
from tests.worlds import browsable, game, neighbours, six_games

BEFORE = six_games()


def known(*plays: Play, of: Recommender = BEFORE) -> Histories:
    return pack(plays, of.catalogue, PlayWeights(emphasis=0)).histories


def every(model: Recommender) -> np.ndarray:
    return np.arange(len(model.histories))


def without_game_60() -> Recommender:
    """The six games without 60 and with 70, whom nothing relates to any; 70 is the most popular."""
    catalogue = Catalogue.from_games([*(game(game_id) for game_id in (10, 20, 30, 40, 50)), game(70, "New")])
    return replace(
        BEFORE,
        catalogue=catalogue,
        histories=pack([Play("ann", 10), Play("ann", 70), Play("eve", 20)], catalogue, PlayWeights()).histories,
        popular=np.array([5, 4, 3, 2, 1, 0], dtype=np.int32),
        **browsable(catalogue),
    )


def test_a_game_that_more_players_are_shown_has_risen():
    after = without_game_60()

    found = Pair(BEFORE, after).exposure(every(after))

    # Ann has 10 and 70: 20, 30, 60, 50, 40 before, without 60 now. Eve has 20: 60 before, 70 now.
    assert found == Exposure(
        players=2,
        kept=8 / 10,
        risers=(Mover(70, "New", 0.0, 0.5),),
        fallers=(Mover(60, "Game 60", 1.0, 0.0),),
    )
    assert found.to_dict() == {
        "players": 2,
        "kept": 0.8,
        "risers": [{"game_id": 70, "name": "New", "before": 0.0, "after": 0.5}],
        "fallers": [{"game_id": 60, "name": "Game 60", "before": 1.0, "after": 0.0}],
    }


def test_the_same_model_changes_nothing():
    assert Pair(BEFORE, BEFORE).exposure(every(BEFORE)) == Exposure(3, 1.0, (), ())


def test_nobody_sees_nothing():
    nobody = np.zeros(0, dtype=np.int64)

    assert Pair(BEFORE, BEFORE).exposure(nobody) == Exposure(0, None, (), ())
    assert Pair(BEFORE, BEFORE).samples(nobody) == ()


def test_who_has_everything_is_shown_nothing():
    zoe = np.array([2])

    assert Pair(BEFORE, BEFORE).exposure(zoe) == Exposure(1, 0.0, (), ())
    assert Pair(BEFORE, BEFORE).samples(zoe)[0].after == ()


def test_both_models_are_asked_with_what_is_known_now():
    after = replace(BEFORE, histories=known(Play("ann", 10), Play("ann", 60)))

    lists = Pair(BEFORE, after).lists(0)

    assert lists.before == lists.after == [20, 30, 50, 40]


def test_what_was_played_and_is_gone_was_not_recommended_before():
    after = without_game_60()
    everything = replace(after, histories=known(Play("zoë/1", 10), of=after))

    # Zoë has all six games, of which the new version knows one here, and 60 is none of its games.
    assert Pair(BEFORE, everything).lists(0).before == [20, 30, 50, 40]


def test_some_players_are_shown_with_their_games_by_name():
    [ann, eve] = sorted(Pair(BEFORE, without_game_60()).samples(np.arange(2)), key=lambda player: player.user_id)

    assert ann.to_dict() == {
        "user_id": "ann",
        "plays": 2,
        "before": ["Game 20", "Game 30", "Game 60", "Game 50", "Game 40"],
        "after": ["Game 20", "Game 30", "Game 50", "Game 40"],
    }
    assert eve.after == ("Game 10", "Game 30", "New", "Game 50", "Game 40")


def test_players_with_a_usual_number_of_plays_are_shown_always_the_same():
    plays = [
        Play(f"{number:02}", game_id)
        for number in range(30)
        for game_id in (10, 20, 30, 40, 50, 60)[: 6 if number < 3 else 5 if number < 13 else 1]
    ]
    after = replace(BEFORE, histories=known(*plays))
    pair = Pair(BEFORE, after)

    shown = pair.samples(every(after))

    # Thirteen have five plays or more, and of those ten have five.
    assert [player.plays for player in shown] == [5, 5, 5, 5]
    assert shown == pair.samples(every(after)[::-1])
    # Another player more is shown or is not, and changes nothing else.
    fewer = pair.samples(np.array([place for place in range(30) if place not in (0, 20)]))
    assert fewer == shown


def test_at_most_so_many_players_are_asked_for(monkeypatch):
    monkeypatch.setattr(exposure, "SAMPLE", 2)

    assert Pair(BEFORE, BEFORE).exposure(every(BEFORE)).players == 2


def test_at_most_ten_games_are_told_to_have_moved():
    catalogue = Catalogue.from_games(game(game_id) for game_id in range(1, 41))
    nothing = neighbours(*({} for _ in range(40)))
    before, after = (
        replace(
            BEFORE,
            catalogue=catalogue,
            collaborative=nothing,
            content=nothing,
            cold=nothing,
            histories=pack([Play("ann", 40)], catalogue, PlayWeights()).histories,
            popular=popular.astype(np.int32),
            **browsable(catalogue),
        )
        for popular in (np.arange(40), np.roll(np.arange(40), -15))
    )

    found = Pair(before, after).exposure(np.array([0]))

    assert [mover.game_id for mover in found.risers] == list(range(16, 26))
    assert [mover.game_id for mover in found.fallers] == list(range(1, 11))


def test_who_was_known_before_is_marked():
    after = known(Play("ann", 10), Play("bo", 10), Play("zoë/1", 10))

    assert known_to(BEFORE.histories, after).tolist() == [True, False, True]
    assert known_to(after, known()).tolist() == []


def test_some_of_those_who_were_known_before_are_found_always_the_same():
    before = known(*(Play(f"{number:03}", 10) for number in range(0, 100, 2)))
    after = known(*(Play(f"{number:03}", 10) for number in range(100)))

    found = some_known_to(before, after, 10)

    assert len(set(found.tolist())) == 10
    assert all(position % 2 == 0 for position in found.tolist())
    assert found.tolist() == some_known_to(before, after, 10).tolist()
    assert len(some_known_to(before, after, 1000)) == 50
    assert some_known_to(known(), after, 10).tolist() == []
