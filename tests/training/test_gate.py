"""Decisions in a world of two tastes: who plays one game of a taste plays the others."""

import numpy as np
import pytest

from app.core.artifact import Arrays, Artifact
from app.core.catalogue import Catalogue
from app.core.histories import Histories, Play, PlayWeights, pack
from app.core.item_item import ItemItemModel
from app.core.recommender import Recommender
from tests.worlds import browsable, game, manifest, neighbours
from training import gate
from training.evaluate import Evaluation, evaluate
from training.hold_out import HeldOut

GAMES, PLAYERS = 10, 40
CATALOGUE = Catalogue.from_games(game(number) for number in range(1, GAMES + 1))
NOTHING = neighbours(*({} for _ in range(GAMES)))


def taste(player: int) -> range:
    """The indices of the games that a player likes."""
    return range(5) if player % 2 else range(5, 10)


def histories(players: int = PLAYERS) -> Histories:
    plays = [Play(f"{player:03}", index + 1) for player in range(players) for index in taste(player)]
    return pack(plays, CATALOGUE, PlayWeights()).histories


def held_out(players: int = PLAYERS) -> HeldOut:
    """The last game of each player's taste."""
    return HeldOut(
        players=np.arange(players, dtype=np.int32),
        indptr=np.arange(players + 1, dtype=np.int64),
        indices=np.array([taste(player)[-1] for player in range(players)], dtype=np.int32),
    )


# Every game speaks for the others of its taste; or, wrongly, for those of the other.
RIGHT = neighbours(*({other: 1.0 for other in taste(own < 5) if other != own} for own in range(GAMES)))
WRONG = neighbours(*(dict.fromkeys(taste(own >= 5), 1.0) for own in range(GAMES)))


def world(model: ItemItemModel, players: int = PLAYERS) -> Recommender:
    popular = np.array([0, 5, 1, 6, 2, 7, 3, 8, 4, 9], dtype=np.int32)
    return Recommender(CATALOGUE, model, NOTHING, NOTHING, histories(players), popular, **browsable(CATALOGUE))


def judged(recommender: Recommender, players: int = PLAYERS) -> Evaluation:
    return evaluate(recommender, held_out(players)) or pytest.fail("not judged")


def champion(model: ItemItemModel, players: int = PLAYERS, data_kind: str = "observed") -> Artifact:
    arrays: Arrays = {**world(model, players).to_arrays(), **held_out(players).to_arrays()}
    return Artifact(manifest(data_kind=data_kind), arrays)


def decide(
    model: ItemItemModel, against: Artifact | None, players: int = PLAYERS, tolerance: float = 0.02
) -> gate.Decision:
    challenger = world(model, players)
    return gate.decide(challenger, judged(challenger, players), against, tolerance)


def test_the_first_version_is_promoted_whatever_it_is():
    decision = decide(WRONG, None)

    assert decision.promoted
    assert decision.reason == "There is no other version to serve."
    assert decision.against_popularity is not None
    assert decision.against_popularity.value < 0


def test_an_equal_challenger_is_promoted():
    decision = decide(RIGHT, champion(RIGHT))

    assert decision.promoted
    assert decision.reason.startswith(
        "It is no worse than 20260101T000000-000000: ndcg@10 1.0000 against 1.0000, difference +0.0000"
    )
    assert decision.against_champion == (0, 0, 0)


def test_a_challenger_that_finds_no_more_than_popularity_is_not():
    decision = decide(WRONG, champion(RIGHT))

    assert not decision.promoted
    assert decision.reason.startswith("It finds less of what players play than popularity alone: ndcg@10 difference -")


def test_an_equal_challenger_is_promoted_though_both_are_no_better_than_popularity():
    decision = decide(NOTHING, champion(NOTHING))

    assert decision.promoted
    assert decision.against_popularity == (0, 0, 0)


def test_one_that_lost_what_the_champion_knows_and_is_mere_popularity_is_not():
    decision = decide(NOTHING, champion(RIGHT), tolerance=1.0)

    assert not decision.promoted
    assert decision.reason.startswith("It is worse than 20260101T000000-000000")


def second_best() -> ItemItemModel:
    """Right for half of the players; the others are told of one wrong game first."""
    rows = [{other: 1.0 for other in taste(own < 5) if other != own} for own in range(GAMES)]
    return neighbours(*({9: 2.0, **row} if own < 5 else row for own, row in enumerate(rows)))


def test_a_worse_challenger_is_not_promoted_though_it_is_better_than_popularity():
    decision = decide(second_best(), champion(RIGHT))

    assert decision.against_popularity is not None
    assert decision.against_champion is not None
    assert decision.against_popularity.value > 0 > decision.against_champion.high
    assert not decision.promoted
    assert decision.reason.startswith("It is worse than 20260101T000000-000000: ndcg@10 0.")


def test_the_tolerance_is_a_share_of_the_champion_s_metric():
    lost = -(decide(second_best(), champion(RIGHT)).against_champion or pytest.fail("not compared")).value

    assert not decide(second_best(), champion(RIGHT), tolerance=lost - 0.01).promoted
    assert decide(second_best(), champion(RIGHT), tolerance=lost + 0.01).promoted


def test_a_better_challenger_is_promoted():
    decision = decide(RIGHT, champion(second_best()))

    assert decision.promoted
    assert decision.against_champion is not None
    assert decision.against_champion.low > 0


def test_invented_players_judge_nothing():
    decision = decide(second_best(), champion(RIGHT, data_kind="simulated"))

    assert decision.promoted
    assert (decision.reason, decision.against_champion) == (
        "The players of the version before are invented, and judge nothing.",
        None,
    )
    assert not decide(WRONG, champion(RIGHT, data_kind="simulated")).promoted


def test_too_few_players_judge_nothing_either():
    decision = decide(WRONG, champion(RIGHT, players=19), players=19)

    assert decision.promoted
    assert decision.reason == "Only 19 players could judge it; it takes 20."
    assert decision.against_popularity is None
    assert not decide(second_best(), champion(RIGHT, players=20), players=20).promoted


def test_a_challenger_that_could_not_be_judged_is_judged_by_the_champion_s_players():
    challenger = world(WRONG)

    decision = gate.decide(challenger, None, champion(RIGHT), 0.02)

    assert not decision.promoted
    assert decision.against_popularity is None


def in_another_catalogue(ids: range) -> Recommender:
    """The right model of another catalogue; new games are what everybody is told first."""
    camps = [[index for index, game_id in enumerate(ids) if game_id - 1 in taste(player)] for player in (0, 1)]
    new = [index for index, game_id in enumerate(ids) if game_id > GAMES]
    rows = [
        {**dict.fromkeys(new, 2.0), **{other: 1.0 for camp in camps if own in camp for other in camp if other != own}}
        for own in range(len(ids))
    ]
    nothing = neighbours(*({} for _ in ids))
    catalogue = Catalogue.from_games(game(number) for number in ids)
    return Recommender(
        catalogue=catalogue,
        collaborative=neighbours(*rows),
        content=nothing,
        cold=nothing,
        histories=histories(),
        popular=np.arange(len(ids), dtype=np.int32),
        **browsable(catalogue),
    )


def test_new_games_are_no_fault():
    """Thirty new games stand before those that the champion's players are to be told."""
    decision = gate.decide(in_another_catalogue(range(1, 41)), None, champion(RIGHT), 0.02)

    assert decision.promoted
    assert decision.against_champion == (0, 0, 0)


def test_games_that_are_lost_are_not_found():
    """Half of the players are to be told of the last game, which is gone."""
    decision = gate.decide(in_another_catalogue(range(2, GAMES)), None, champion(RIGHT), 0.02)

    assert not decision.promoted
    assert decision.against_champion is not None
    assert decision.against_champion.value == pytest.approx(-0.5)
    assert "for 40 players" in decision.reason


def test_a_decision_is_written_for_machines():
    written = decide(RIGHT, champion(RIGHT)).to_dict()

    assert (written["promoted"], written["forced"]) == (True, False)
    assert written["against_champion"] == {"value": 0.0, "low": 0.0, "high": 0.0}
