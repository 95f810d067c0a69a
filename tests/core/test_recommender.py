from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.answer import Query, Reason, Recommendations, Source
from app.core.catalogue import Catalogue
from app.core.errors import GameNotFoundError
from app.core.filters import Filters
from app.core.histories import Play, PlayWeights, pack
from app.core.ranking import Question, Voices
from app.core.recommender import Recommender
from app.core.tastes import Bar, Taste
from tests.worlds import asked, browsable, game, neighbours, six_games

WORLD = six_games()


def ids(answer: Recommendations) -> list[int]:
    return [scored.game["game_id"] for scored in answer.games]


def codes(answer: Recommendations) -> list[str]:
    return [warned.code for warned in answer.warnings]


def test_what_follows_from_the_plays_comes_first_then_popular_games():
    answer = asked(WORLD, "ann", 3)

    # 30: 2 x 0.25 for game 10 and 1 x 0.5 for game 20.
    assert [(s.game["game_id"], s.score, s.rank, s.source) for s in answer.games] == [
        (30, 1.0, 1, Source.COLLABORATIVE),
        (60, 0.0, 2, Source.POPULARITY),
        (50, 0.0, 3, Source.POPULARITY),
    ]
    assert codes(answer) == ["padded_with_popular"]
    assert "1 of these 3 games" in answer.warnings[0].message


def test_an_answer_from_plays_alone_needs_no_warning():
    assert codes(asked(WORLD, "ann", 1)) == []


def test_reasons_are_exact_and_come_when_asked_for():
    [first, *others] = asked(WORLD, "ann", 3, explain=True).games

    assert first.reasons == (Reason(10, "Game 10", 0.5), Reason(20, "Game 20", 0.5))
    assert all(other.reasons == () for other in others)
    assert asked(WORLD, "ann", 1).games[0].reasons == ()


def test_an_unknown_player_gets_the_popular_games_and_is_told():
    answer = asked(WORLD, "nobody", 2)

    assert ids(answer) == [60, 50]
    assert codes(answer) == ["unknown_player"]


def test_a_player_whose_games_have_no_neighbours_is_told_too():
    answer = asked(WORLD, "bob", 2, exclude=[50])

    assert ids(answer) == [60, 30]
    assert codes(answer) == ["padded_with_popular"]


def test_a_game_that_the_plays_relate_to_none_speaks_for_what_is_like_it():
    [first, second] = asked(WORLD, "bob", 2, explain=True).games

    assert (first.game["game_id"], first.source, first.score) == (50, Source.CONTENT, 0.5)
    assert first.reasons == (Reason(40, "Game 40", 0.5),)
    assert second.source is Source.POPULARITY


def test_a_game_rated_0_lends_its_source_to_none():
    """10 speaks for 20 by plays, but counts nothing; what is left is what 40 says by likeness."""
    world = replace(WORLD, cold=neighbours({}, {}, {}, {1: 0.25}, {}, {}))

    assert world.ranker.rank(Voices(np.array([0, 3]), np.array([0.0, 1.0])), Question(), 1).alike == [True]


def test_what_plays_and_likeness_say_adds_up():
    """Playing 10 speaks for 20 by plays, playing 40 by likeness; for 50 there is likeness alone."""
    world = replace(WORLD, cold=neighbours({}, {}, {}, {1: 0.25, 4: 0.125}, {}, {}))

    ranking = world.ranker.rank(Voices(np.array([0, 3]), np.array([2.0, 1.0])), Question(np.array([0, 3])), 5)

    assert (ranking.scored, ranking.others) == ([1, 2, 4], [5])
    assert ranking.scores == [1.25, 0.5, 0.125]
    assert ranking.alike == [False, False, True]


def test_excluded_games_stay_away_and_the_answer_is_filled_up():
    assert ids(asked(WORLD, "ann", 3, exclude=[30, 60, 999])) == [50, 40]
    assert codes(asked(WORLD, "ann", 3, exclude=[30, 60])) == ["padded_with_popular", "fewer_than_asked"]


def test_who_has_played_everything_gets_nothing_and_is_told():
    answer = asked(WORLD, "zoë/1", 10)

    assert ids(answer) == []
    assert codes(answer) == ["fewer_than_asked"]


@settings(deadline=None)
@given(
    st.sampled_from(["ann", "bob", "nobody", "zoë/1"]),
    st.integers(1, 7),
    st.integers(0, 8),
    st.lists(st.sampled_from([10, 20, 30, 40, 50, 60, 70])),
)
def test_pages_neither_repeat_nor_skip(user_id: str, n: int, offset: int, exclude: list[int]):
    everything = asked(WORLD, user_id, 100, exclude=exclude).games

    page = asked(WORLD, user_id, n, offset=offset, exclude=exclude).games

    assert page == everything[offset : offset + n]
    played = {game["game_id"] for game in WORLD.played(WORLD.taste_of(user_id))}
    assert len(everything) == len({10, 20, 30, 40, 50, 60} - played - set(exclude))


def test_similar_games_are_those_played_together_then_those_alike():
    answer = WORLD.similar(10, 5)
    found = answer.games

    assert [(s.game["game_id"], s.source, s.rank) for s in found] == [
        (20, Source.COLLABORATIVE, 1),  # though its likeness stands in the other list as well
        (30, Source.COLLABORATIVE, 2),
        (60, Source.CONTENT, 3),
    ]
    assert found[0].score == 0.5
    assert found[2].score == pytest.approx(0.9)
    assert codes(answer) == ["fewer_than_asked"]
    assert ids(WORLD.similar(10, 1)) == [20]
    page = WORLD.similar(10, 1, offset=1)
    assert (page.games, page.warnings) == (found[1:2], ())


@pytest.mark.parametrize("ask", [WORLD.similar, WORLD.game])
def test_a_game_outside_the_catalogue_is_not_found(ask):
    with pytest.raises(GameNotFoundError, match="no game 11 in the catalogue"):
        ask(11)


def test_played_lists_the_strongest_play_first():
    assert [game["game_id"] for game in WORLD.played(WORLD.taste_of("ann"))] == [10, 20]
    assert WORLD.played(WORLD.taste_of("nobody")) == []


def test_the_strongest_reason_comes_first_and_what_adds_nothing_is_none():
    """Ann gave one game half of the stars: her play of it counts nothing."""
    catalogue = Catalogue.from_games(game(number) for number in (1, 2, 3, 4, 5))
    plays = [Play("ann", 1, hours=0), Play("ann", 2, hours=0), Play("ann", 3, hours=0), Play("ann", 4, rating=2.5)]
    world = Recommender(
        catalogue=catalogue,
        collaborative=neighbours({4: 0.25}, {4: 0.5}, {4: 0.25}, {4: 1.0}, {}),
        content=neighbours({}, {}, {}, {}, {}),
        cold=neighbours({}, {}, {}, {}, {}),
        histories=pack(plays, catalogue, PlayWeights()).histories,
        popular=np.arange(5, dtype=np.int32),
        **browsable(catalogue),
    )

    [scored] = asked(world, "ann", 1, explain=True).games

    assert [(reason.game_id, reason.share) for reason in scored.reasons] == [(2, 0.5), (1, 0.25), (3, 0.25)]
    assert scored.score == 1.0


def test_equal_scores_stand_in_the_order_of_the_ids():
    catalogue = Catalogue.from_games(game(number) for number in range(1, 42))
    everything = dict.fromkeys(range(40, 0, -1), 0.5)
    world = Recommender(
        catalogue=catalogue,
        collaborative=neighbours(everything, *({} for _ in range(40))),
        content=neighbours(*({} for _ in range(41))),
        cold=neighbours(*({} for _ in range(41))),
        histories=pack([Play("ann", 1)], catalogue, PlayWeights()).histories,
        popular=np.arange(41, dtype=np.int32),
        **browsable(catalogue),
    )

    assert ids(asked(world, "ann", 40)) == list(range(2, 42))


def test_games_that_are_spoken_against_come_last_where_they_pass_the_filters():
    disliked = Taste([10], [-1.0], [Bar.VETO], known=True)
    question = Query(10, filters=Filters(genres=("puzzle",)))

    everything = six_games().recommend(disliked, Query(10))

    assert six_games().recommend(disliked, question).game_ids == everything.game_ids
    assert everything.game_ids[-2:] == [30, 20]
