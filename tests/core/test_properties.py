"""What holds for every answer, in random small worlds, against a ranking worked out game by game."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import group
from app.core.answer import Query, Recommendations, Source
from app.core.catalogue import Catalogue, Game
from app.core.filters import AGE_RATINGS, Filters
from app.core.histories import Histories, PlayWeights
from app.core.item_item import ItemItemModel
from app.core.packed import PackedStrings
from app.core.ranking import Best
from app.core.recommender import Recommender
from app.core.tastes import Row, Slot, Taste
from app.core.why import why
from tests.worlds import browsable, game, neighbours

pytestmark = pytest.mark.untraced

GENRES, PLATFORMS, TAGS = ("Action", "Puzzle", "Racing"), ("PC", "Xbox"), ("Co-op", "Sad")
# Few and coarse, so that scores are often equal, and often sum up to 0.
WEIGHTS = (0.125, 0.25, 0.5, 1.0)
UNKNOWN_GAME = 7


@dataclass(frozen=True)
class World:
    """A recommender and what it is made of, as plain lists."""

    games: list[Game]
    plays: list[dict[int, float]]
    likeness: list[dict[int, float]]
    popular: list[int]
    recommender: Recommender

    def index(self, game_id: int) -> int:
        return [one["game_id"] for one in self.games].index(game_id)


def random_world(draw: random.Random, size: int) -> World:
    """Some games speak for others by plays; those speak by likeness for games alone that no plays speak for."""
    games = [random_game(draw, 10 * number) for number in range(1, size + 1)]
    some = range(size)
    warm, named = draw.random(), draw.sample(some, draw.randrange(size))
    plays = [random_list(draw, named) if draw.random() < warm else {} for _ in some]
    spoken_for = {index for row in plays for index in row}
    unheard = [index for index in some if index not in spoken_for]
    likeness = [random_list(draw, unheard if plays[index] else some) for index in some]
    popular = draw.sample(some, size)
    catalogue = Catalogue.from_games(games)
    vectors = np.array([[draw.uniform(-1, 1) for _ in range(3)] for _ in some], dtype=np.float32)
    recommender = Recommender(
        catalogue=catalogue,
        collaborative=neighbours(*plays),
        content=neighbours(*likeness),
        cold=neighbours(*likeness),
        histories=Histories(PackedStrings.pack([]), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, "f4")),
        popular=np.array(popular, dtype=np.int32),
        **{**browsable(catalogue), "vectors": vectors / np.linalg.norm(vectors, axis=1, keepdims=True)},
    )
    return World(games, plays, likeness, popular, recommender)


def random_game(draw: random.Random, game_id: int) -> Game:
    return game(
        game_id,
        genres=draw.sample(GENRES, draw.randrange(3)),
        platforms=draw.sample(PLATFORMS, draw.randrange(3)),
        tags=draw.sample(TAGS, draw.randrange(3)),
        released=draw.choice([None, "1999-12-31", "2000-01-01", "2011-04-18"]),
        rating=draw.choice([0.0, 3.5, 4.4, 5.0]),
        metacritic=draw.choice([None, 0, 50, 100]),
        esrb_rating=draw.choice([None, "Rating Pending", *AGE_RATINGS]),
    )


def random_list(draw: random.Random, candidates: Sequence[int]) -> dict[int, float]:
    named = draw.sample(candidates, draw.randrange(len(candidates) + 1))[:8]
    return dict(zip(named, sorted((draw.choice(WEIGHTS) for _ in named), reverse=True), strict=True))


def random_rows(draw: random.Random, world: World) -> list[Row]:
    """What one player did, of every kind, and what an operator has hidden, ordered by game and slot."""
    values: dict[int, list[float | None]] = {
        0: [None],
        Slot.PLAY: [None, 0.0, 1.0, 5000.0],
        Slot.RATING: [0.0, 1.0, 2.5, 4.0, 5.0],
        Slot.OPINION: [1.0, -1.0],
        Slot.WISHLIST: [None],
        Slot.HIDE: [None],
    }
    often = draw.choice([0.01, 0.03, 0.1, 0.4])
    return [
        (game_id, int(slot), draw.choice(values[slot]), draw.choice([None, 1e9, 1.7e9]) if slot else None)
        for game_id in sorted([UNKNOWN_GAME, *(one["game_id"] for one in world.games)])
        for slot in values
        if draw.random() < (often if slot else 0.03)
    ]


class Asked(NamedTuple):
    """A world, a player, and what is asked."""

    world: World
    rows: list[Row]
    taste: Taste
    query: Query


filters = st.builds(
    Filters,
    genres=st.lists(st.sampled_from([*GENRES, "Unheard of"]), max_size=2).map(tuple),
    platforms=st.lists(st.sampled_from(PLATFORMS), max_size=1).map(tuple),
    tags=st.lists(st.sampled_from(TAGS), max_size=1).map(tuple),
    released_after=st.none() | st.just(date(2000, 1, 1)),
    released_before=st.none() | st.just(date(2000, 1, 1)),
    min_rating=st.none() | st.sampled_from([0.0, 4.4]),
    min_metacritic=st.none() | st.sampled_from([0, 50]),
    age_max=st.none() | st.sampled_from(AGE_RATINGS),
)


@st.composite
def questions(draw: st.DrawFn, diversity: Sequence[float] = (0.0,)) -> Asked:
    chance = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311  # a test's world
    world = random_world(chance, draw(st.integers(5, 40)))
    rows = random_rows(chance, world)
    taste = Taste.of(rows, PlayWeights(half_life_days=draw(st.sampled_from([None, 365.0]))))
    query = Query(
        n=draw(st.integers(1, 45)),
        offset=draw(st.integers(0, 45)),
        filters=draw(st.just(Filters()) | filters),
        exclude=draw(st.lists(st.integers(1, 41).map(lambda number: 10 * number), max_size=5)),
        include_played=draw(st.booleans()),
        diversity=draw(st.sampled_from(diversity)),
        explain=draw(st.booleans()),
    )
    return Asked(world, rows, taste, query)


def passes(one: Game, wanted: Filters) -> bool:
    """What `Filters` says of a game, fact by fact."""
    released, age = one["released"], one["esrb_rating"]
    return all(
        (
            not wanted.genres or bool(set(wanted.genres) & set(one["genres"])),
            not wanted.platforms or bool(set(wanted.platforms) & set(one["platforms"])),
            not wanted.tags or bool(set(wanted.tags) & set(one["tags"])),
            not wanted.released_after or (released is not None and released >= "2000-01-01"),
            not wanted.released_before or (released is not None and released <= "2000-01-01"),
            wanted.min_rating is None or (one["rating"] > 0 and one["rating"] >= wanted.min_rating),
            wanted.min_metacritic is None
            or (one["metacritic"] is not None and one["metacritic"] >= wanted.min_metacritic),
            wanted.age_max is None
            or (age in AGE_RATINGS and AGE_RATINGS.index(age) <= AGE_RATINGS.index(wanted.age_max)),
        )
    )


def available(asked: Asked) -> set[int]:
    """The ids of the games that may be in the answer, from the player's rows alone."""
    _, rows, _, query = asked
    never = {row[0] for row in rows if row[1] in {0, Slot.HIDE} or (row[1] == Slot.OPINION and row[2] < 0)}
    has = {row[0] for row in rows if row[1] in {Slot.PLAY, Slot.RATING, Slot.OPINION}}
    barred = never | set(query.exclude) | (set() if query.include_played else has)
    return {one["game_id"] for one in asked.world.games if one["game_id"] not in barred and passes(one, query.filters)}


def scores(asked: Asked) -> list[float]:
    """For each game what all games of the player say for it, by plays and by likeness."""
    world = asked.world
    voices = [
        (world.index(game_id), strength)
        for game_id, strength in zip(asked.taste.game_ids, asked.taste.strengths, strict=True)
        if game_id != UNKNOWN_GAME
    ]
    total = [0.0] * len(world.games)
    for model in (world.plays, world.likeness):
        for voice, strength in voices:
            for candidate, weight in model[voice].items():
                total[candidate] += strength * weight
    return total


def ranking(asked: Asked) -> list[tuple[int, float]]:
    """Every game that may be in the answer, in order, with its score: 0 where it only fills up."""
    world, score = asked.world, scores(asked)
    allowed = [world.index(game_id) for game_id in available(asked)]
    good = sorted((index for index in allowed if score[index] > 0), key=lambda index: (-score[index], index))
    bad = sorted((index for index in allowed if score[index] < 0), key=lambda index: (-score[index], index))
    neutral = [index for index in world.popular if index in allowed and score[index] == 0]
    ids = [one["game_id"] for one in world.games]
    return [(ids[index], max(score[index], 0.0)) for index in (*good, *neutral, *bad)]


def answer(asked: Asked, **wishes: object) -> Recommendations:
    _, _, taste, query = asked
    fields = {name: getattr(query, name) for name in Query.__slots__}
    return asked.world.recommender.recommend(taste, Query(**{**fields, **wishes}))


def ids(answer: Recommendations) -> list[int]:
    return [scored.game_id for scored in answer.games]


@settings(deadline=None)
@given(questions())
def test_the_ranking_is_the_one_worked_out_game_by_game(asked: Asked):
    first, last = asked.query.offset, asked.query.offset + asked.query.n

    found = [(scored.game_id, scored.score) for scored in answer(asked).games]

    assert found == ranking(asked)[first:last]


@settings(deadline=None)
@given(questions(diversity=(0.0, 0.3, 1.0)))
def test_no_answer_holds_what_it_must_not_and_each_holds_as_many_as_there_are(asked: Asked):
    allowed = available(asked)

    found = answer(asked)

    assert set(ids(found)) <= allowed
    assert len(found.games) == len(set(ids(found))) == max(0, min(asked.query.n, len(allowed) - asked.query.offset))
    assert [scored.rank for scored in found.games] == [
        asked.query.offset + place for place in range(1, len(found.games) + 1)
    ]
    assert ("fewer_than_asked" in {warned.code for warned in found.warnings}) == (len(found.games) < asked.query.n)
    assert ("unknown_player" in {warned.code for warned in found.warnings}) == (not any(row[1] for row in asked.rows))


@settings(deadline=None)
@given(questions(diversity=(0.0, 0.3, 1.0)))
def test_shares_add_up_to_the_score(asked: Asked):
    for scored in answer(asked, explain=True, n=45, offset=0).games:
        assert sum(reason.share for reason in scored.reasons) == pytest.approx(scored.score, abs=1e-6)
        assert (scored.source is Source.POPULARITY) == (scored.score == 0) == (not scored.reasons)


@settings(deadline=None)
@given(questions())
def test_an_account_of_a_game_agrees_with_the_ranking(asked: Asked):
    world, _, taste, query = asked
    score, ranked = scores(asked), [game_id for game_id, worth in ranking(asked) if worth > 0]
    for index, one in enumerate(world.games):
        told = why(world.recommender, taste, one["game_id"], query)

        assert told.score == pytest.approx(score[index], abs=1e-6)
        assert told.score == pytest.approx(sum(reason.share for reason in told.reasons), abs=1e-6)
        assert told.rank == (ranked.index(one["game_id"]) + 1 if one["game_id"] in ranked else None)
        assert (told.rank is None) == bool(told.kept_out_by)


@settings(deadline=None)
@given(questions(diversity=(0.0, 0.3, 1.0)), st.integers(1, 9))
def test_pages_neither_repeat_nor_skip(asked: Asked, n: int):
    everything = answer(asked, n=45, offset=0).games

    pages = [answer(asked, n=n, offset=offset).games for offset in range(0, len(everything) + 1, n)]

    assert [scored for page in pages for scored in page] == list(everything)


@settings(deadline=None)
@given(questions(diversity=(0.01, 0.5, 1.0)))
def test_diversity_orders_anew_what_is_in_the_plain_ranking(asked: Asked):
    diverse, plain = (answer(asked, diversity=how, n=45, offset=0) for how in (asked.query.diversity, 0.0))

    assert [scored.game_id for scored in plain.games] == [game_id for game_id, _ in ranking(asked)]
    assert sorted((one.game_id, one.score, one.source) for one in diverse.games) == sorted(
        (one.game_id, one.score, one.source) for one in plain.games
    )
    assert diverse.games[:1] == plain.games[:1]
    assert diverse.warnings == plain.warnings


@settings(deadline=None)
@given(questions(), st.integers(1, 10))
def test_the_best_are_the_same_whether_likeness_is_looked_at_or_not(asked: Asked, wanted: int):
    """`Ranker.best` leaves likeness out where it cannot change what is found."""
    world, _, taste, query = asked
    voices, question = world.recommender.translate(taste, query)

    found = world.recommender.ranker.best(voices, question, wanted)

    everything = [(world.index(game_id), worth) for game_id, worth in ranking(asked) if worth > 0][:wanted]
    assert list(zip(found.games, found.scores, strict=True)) == everything
    assert found.alike == [not _by_plays(asked, index) for index in found.games]


def _by_plays(asked: Asked, candidate: int) -> bool:
    return any(
        strength > 0 and candidate in asked.world.plays[asked.world.index(game_id)]
        for game_id, strength in zip(asked.taste.game_ids, asked.taste.strengths, strict=True)
        if game_id != UNKNOWN_GAME
    )


@settings(deadline=None)
@given(questions(), st.integers(1, 7), st.integers(0, 2**32))
def test_a_party_gets_the_mean_of_what_fits_each_and_nothing_that_one_has(asked: Asked, others: int, seed: int):
    chance = random.Random(seed)  # noqa: S311  # likewise
    rows = [asked.rows, *(random_rows(chance, asked.world) for _ in range(others))]
    party = [asked._replace(rows=of, taste=Taste.of(of, PlayWeights())) for of in rows]
    members = {f"member {number}": one.taste for number, one in enumerate(party)}

    found = group.recommend(asked.world.recommender, members, asked.query)

    allowed = set.intersection(*(available(one) for one in party))
    known = [one for one in party if one.taste.known]
    fits = [{game_id: worth / ranking(one)[0][1] for game_id, worth in ranking(one) if worth > 0} for one in party]
    means = {
        game_id: sum(of[game_id] for of in fits if game_id in of) / len(known)
        for game_id in allowed
        if any(game_id in of for of in fits)
    }
    first, last = asked.query.offset, asked.query.offset + asked.query.n
    order = sorted(means, key=lambda game_id: (-means[game_id], game_id))
    popular = [asked.world.games[index]["game_id"] for index in asked.world.popular]
    order += [game_id for game_id in popular if game_id in allowed - means.keys()]
    assert ids(found.answer) == order[first:last]
    assert [scored.score for scored in found.answer.games] == [means.get(game_id, 0.0) for game_id in order[first:last]]
    for scored, told in zip(found.answer.games, found.fits, strict=True):
        assert {fit.user_id: fit.fit for fit in told} == {
            f"member {number}": of[scored.game_id] for number, of in enumerate(fits) if scored.game_id in of
        }
        assert [fit.fit for fit in told] == sorted((fit.fit for fit in told), reverse=True)


def test_the_worlds_keep_what_training_promises_of_likeness():
    for seed in range(50):
        world = random_world(random.Random(seed), 20)  # noqa: S311  # likewise
        spoken_for = {index for row in world.plays for index in row}
        assert not any(spoken_for & row.keys() for row, plays in zip(world.likeness, world.plays, strict=True) if plays)
        assert isinstance(world.recommender.cold, ItemItemModel)
        assert isinstance(world.recommender.ranker.best(*world.recommender.translate(Taste(), Query()), 1), Best)
