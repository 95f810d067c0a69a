from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from app.core import group
from app.core.answer import Query, Source
from app.core.filters import Filters
from app.core.group import Fit, GroupAnswer
from app.core.tastes import Bar, Taste
from tests.worlds import neighbours, six_games

WORLD = six_games()


def likes(*game_ids: int, strength: float = 1.0) -> Taste:
    return Taste(game_ids, [strength] * len(game_ids), [Bar.KNOWN] * len(game_ids), known=True)


def dislikes(game_id: int) -> Taste:
    return Taste([game_id], [-1.0], [Bar.VETO], known=True)


def asked(members: Mapping[str, Taste], n: int = 10, **wishes: object) -> GroupAnswer:
    return group.recommend(WORLD, members, Query(n, **wishes))  # type: ignore[arg-type]


def found(answer: GroupAnswer) -> list[tuple[int, float]]:
    return [(scored.game_id, scored.score) for scored in answer.answer.games]


def test_a_score_is_the_mean_of_what_fits_each_as_a_part_of_the_best():
    """Ann's 10 speaks for 20 (0.5) and 30 (0.25), Bob's 40 for 50 (0.5)."""
    answer = asked({"ann": likes(10), "bob": likes(40)}, 4)

    assert found(answer) == [(20, 0.5), (50, 0.5), (30, 0.25), (60, 0.0)]
    assert answer.fits == ((Fit("ann", 1.0),), (Fit("bob", 1.0),), (Fit("ann", 0.5),), ())
    assert [scored.source for scored in answer.answer.games] == [
        Source.COLLABORATIVE,
        Source.CONTENT,
        Source.COLLABORATIVE,
        Source.POPULARITY,
    ]
    assert [warned.code for warned in answer.answer.warnings] == ["padded_with_popular"]


def test_each_has_the_same_say_however_much_is_played():
    answer = asked({"ann": likes(10, strength=100.0), "bob": likes(40, strength=0.01)}, 2)

    assert found(answer) == [(20, 0.5), (50, 0.5)]


def test_what_fits_several_comes_first_and_says_whom():
    """30 fits Ann half, and Cy, who played 20 and nothing that speaks for more, wholly."""
    answer = asked({"ann": likes(10), "cy": likes(20)}, 3)

    assert found(answer)[0] == (30, 0.75)
    assert answer.fits[0] == (Fit("cy", 1.0), Fit("ann", 0.5))


def test_equal_fits_stand_by_name():
    assert asked({"b": likes(20), "a": likes(20)}, 1).fits[0] == (Fit("a", 1.0), Fit("b", 1.0))


def test_nobodys_veto_is_overridden_and_nobodys_game_comes_back():
    answer = asked({"ann": likes(10), "bob": dislikes(20), "cy": likes(60)})

    assert [game_id for game_id, _ in found(answer)] == [30, 50, 40]
    assert [warned.code for warned in answer.answer.warnings] == ["padded_with_popular", "fewer_than_asked"]


def test_a_veto_stands_even_where_played_games_are_asked_for():
    answer = asked({"ann": likes(10), "bob": dislikes(20)}, include_played=True)

    assert [game_id for game_id, _ in found(answer)] == [30, 60, 50, 40, 10]


def test_who_is_unknown_takes_nothing_from_the_others():
    answer = asked({"ann": likes(10), "nobody": Taste()}, 2)

    assert found(answer) == [(20, 1.0), (30, 0.5)]
    assert answer.answer.warnings == ()


def test_a_group_of_whom_nothing_is_known_gets_popular_games():
    answer = asked({"nobody": Taste(), "no one": Taste()}, 2)

    assert found(answer) == [(60, 0.0), (50, 0.0)]
    assert answer.fits == ((), ())
    assert [warned.code for warned in answer.answer.warnings] == ["unknown_player"]


def test_a_game_is_there_for_its_likeness_only_where_nobodys_plays_speak_for_it():
    world = replace(WORLD, cold=neighbours({}, {}, {}, {1: 0.5}, {}, {}))

    def source(members: Mapping[str, Taste]) -> Source:
        return group.recommend(world, members, Query(1)).answer.games[0].source

    assert source({"ann": likes(10), "bob": likes(40)}) is Source.COLLABORATIVE
    assert source({"bob": likes(40), "ann": likes(10)}) is Source.COLLABORATIVE
    assert source({"bob": likes(40), "ben": likes(40)}) is Source.CONTENT


def test_what_is_asked_holds_for_a_group_too():
    members = {"ann": likes(10), "bob": likes(40)}

    assert found(asked(members, 2, offset=1)) == [(50, 0.5), (30, 0.25)]
    assert [game_id for game_id, _ in found(asked(members, exclude=[20, 60]))] == [30, 50]
    answer = asked(members, filters=Filters(genres=("Racing",)))
    assert found(answer) == []
    assert [warned.code for warned in answer.answer.warnings] == ["unknown_filter_value", "fewer_than_asked"]


@pytest.mark.parametrize(("diversity", "order"), [(0.0, [20, 50, 30]), (0.9, [20, 30, 50])])
def test_a_diverse_list_for_a_group(diversity: float, order: list[int]):
    """50 is like 20, and 30 is not."""
    vectors = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [1, 0], [1, 0]], dtype=np.float32)
    world = replace(WORLD, vectors=vectors)
    members = {"ann": likes(10), "bob": likes(40)}

    answer = group.recommend(world, members, Query(3, diversity=diversity))

    assert [game_id for game_id, _ in found(answer)] == order
    assert [of[0].user_id for of in answer.fits] == ["ann" if game_id != 50 else "bob" for game_id in order]
