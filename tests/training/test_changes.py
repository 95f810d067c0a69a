"""What changed between two versions, and what is made of it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import orjson

from app.core.artifact import Artifact
from app.core.catalogue import Catalogue
from app.core.histories import Play, PlayWeights, pack
from tests.worlds import artifact, browsable, game, manifest, neighbours, six_games
from training import what_changed
from training.changes import Changes, Population, compare

FEATURES = ["rating", "metacritic", "released", "added", "genres", "platforms"]
FEATURES_OF_PLAYS = ["plays_per_player", "plays_per_game", "games_played", "weights"]


def world(plays: Iterable[Play], games: int = 120, *, facts: Any = None, **fields: Any) -> Artifact:
    """A version with so many games, which nothing relates; a player's list is the first games by id."""
    catalogue = Catalogue.from_games(game(number, **(facts(number) if facts else {})) for number in range(1, games + 1))
    nothing = neighbours(*({} for _ in range(games)))
    model = replace(
        six_games(),
        catalogue=catalogue,
        collaborative=nothing,
        content=nothing,
        cold=nothing,
        histories=pack(plays, catalogue, PlayWeights()).histories,
        popular=np.arange(games, dtype=np.int32),
        **browsable(catalogue),
    )
    return Artifact(manifest(**{"version": "20260102T000000-000000", **fields}), model.to_arrays())


def shop(players: Iterable[int], plays: int = 2, hours: float = 1.0) -> list[Play]:
    """Players who each play so many games in a row, of a hundred."""
    return [
        Play(f"{player:04}", 1 + game_id, hours)
        for player in players
        for game_id in sorted((player + step) % 100 for step in range(plays))
    ]


def compared(challenger: Artifact, champion: Artifact) -> Changes:
    found = compare(challenger, champion, 0.2)
    assert found is not None
    return found


def test_the_first_version_is_compared_with_none():
    assert compare(artifact(), None, 0.2) is None
    assert what_changed.lines(None) == []


def test_nothing_changed():
    found = compared(world(shop(range(120))), world(shop(range(120)), version="20260101T000000-000000"))

    assert found.before == "20260101T000000-000000"
    assert [drift.name for drift in found.drift] == [*FEATURES, *FEATURES_OF_PLAYS]
    assert all(drift.psi == 0 and not drift.drifted for drift in found.drift)
    assert (found.games.new.count, found.games.gone.count, found.games.changed.count) == (0, 0, 0)
    assert found.population == Population(known=120, new=0, gone=0)
    assert (found.exposure.players, found.exposure.kept) == (120, 1.0)
    assert len(found.players) == 4
    assert found.notes == ()
    assert found.warnings() == []


def test_features_of_the_catalogue_drift():
    def facts(number: int) -> dict[str, Any]:
        return {"metacritic": None, "rating": 0.0, "released": None} if number % 2 else {"genres": ["RPG"]}

    found = compared(world(shop(range(120)), facts=facts), world(shop(range(120))))

    assert [drift.name for drift in found.drift if drift.drifted] == ["rating", "metacritic", "released", "genres"]
    moved = {drift.name: drift.moved for drift in found.drift}
    assert (moved["rating"].what, moved["rating"].after) == ("unknown", 0.5)
    assert (moved["genres"].what, moved["genres"].before, moved["genres"].after) == ("others", 0.0, 0.5)
    assert found.warnings()[0].startswith("rating has drifted: a population stability index of ")
    assert found.warnings()[0].endswith(", above 0.2.")


def test_plays_drift():
    found = compared(world(shop(range(120), plays=9, hours=100)), world(shop(range(120))))

    assert [drift.name for drift in found.drift if drift.drifted] == ["plays_per_player", "plays_per_game", "weights"]
    concentrated = [Play(f"{player:04}", 1) for player in range(120)]
    assert [drift.name for drift in compared(world(concentrated), world(shop(range(120)))).drift if drift.drifted] == [
        "plays_per_player",
        "games_played",
        "weights",
    ]


def test_plays_of_new_games_are_those_of_the_least_popular():
    news = [*shop(range(120)), *(Play(f"{player:04}", 121) for player in range(120, 240))]

    found = compared(world(news, games=121), world(shop(range(120))))

    played = next(drift for drift in found.drift if drift.name == "games_played")
    assert played.moved.what == "the other games"
    assert played.moved.after > played.moved.before + 0.2


def test_players_come_and_go():
    found = compared(world(shop(range(20, 150))), world(shop(range(120))))

    assert found.population == Population(known=100, new=30, gone=20)
    assert found.exposure.players == 100


def test_who_was_erased_is_in_nothing_that_is_found():
    everyone = [Play("erased-one", 3), *shop(range(120))]
    champion = world(sorted(everyone))

    found = compared(world(shop(range(120))), champion)

    assert found.population == Population(known=120, new=0, gone=1)
    assert b"erased-one" not in orjson.dumps(found.to_dict())
    nobody_else = compared(world([Play("b", 2)]), world([Play("erased-one", 3)]))
    assert (nobody_else.players, nobody_else.exposure.players) == ((), 0)
    assert "No player is known to both versions: their lists are not compared." in nobody_else.notes


def test_players_of_another_kind_are_not_compared():
    found = compared(world(shop(range(120)), data_kind="observed"), world(shop(range(120)), data_kind="simulated"))

    assert [drift.name for drift in found.drift] == FEATURES
    assert (found.population, found.exposure.players, found.players) == (None, 0, ())
    assert found.notes == ("The players before are simulated, these are observed: plays and lists are not compared.",)


def test_games_from_another_source_are_compared_and_told_so():
    found = compared(world(shop(range(120)), catalogue_source="rawg"), world(shop(range(120))))

    assert found.notes == (
        (
            "The games before came from the starter catalogue, these come from RAWG: what differs between the two has "
            "not changed in the world."
        ),
    )


def test_weights_that_mean_something_else_are_not_compared():
    found = compared(
        world(shop(range(120)), config={"weights": {"emphasis": 0.5}}),
        world(shop(range(120)), config={"weights": {"emphasis": 0.3}}),
    )

    assert "weights" not in [drift.name for drift in found.drift]
    assert found.notes == ("Plays are weighed in another way than before: their weights are not compared.",)


def test_of_few_games_and_players_no_drift_is_told():
    found = compared(artifact(), artifact())

    assert found.drift == ()
    assert found.notes == (
        "Fewer than 100 games: whether they have drifted cannot be told from chance.",
        "Fewer than 100 players: whether plays have drifted cannot be told from chance.",
    )
    assert (found.exposure.players, found.exposure.kept) == (3, 1.0)


def test_versions_without_games_and_players_can_be_compared():
    empty = world([], games=0)

    for challenger, champion in ((empty, empty), (empty, artifact()), (artifact(), empty)):
        found = compared(challenger, champion)
        assert (found.drift, found.players, found.exposure.kept) == ((), (), None)


def test_machines_find_every_part():
    told = compared(artifact(), artifact("20260102T000000-000000")).to_dict()

    assert list(told) == ["before", "games", "population", "drift", "drift_warning", "exposure", "players", "notes"]
    assert told["population"] == {"known": 3, "new": 0, "gone": 0}
    drift = compared(world(shop(range(120))), world(shop(range(120)))).drift[0]
    assert drift.to_dict() == {
        "name": "rating",
        "psi": 0.0,
        "by_chance": drift.by_chance,
        "drifted": False,
        "moved": {"what": "4", "before": 1.0, "after": 1.0},
    }


def test_players_can_be_left_out():
    found = compared(world(shop(range(120))), world(shop(range(120))))

    assert found.to_dict()["players"]
    assert found.without_players().to_dict() == {**found.to_dict(), "players": []}


def test_people_read_what_changed():
    def facts(number: int) -> dict[str, Any]:
        name = {3: "A | B", 5: "Five"}.get(number, "")
        return {"name": name, "metacritic": 70 if number == 3 else 90, "genres": [] if number == 5 else ["Puzzle"]}

    before = world([Play("*me*", 1), *shop(range(120))], facts=facts)
    after = world(
        [Play("*me*", 3), *shop(range(1, 120), plays=9)],
        games=132,
        facts=lambda number: {**facts(number), **({"metacritic": None} if number == 3 else {"genres": ["Puzzle"]})},
    )

    text = "\n".join(what_changed.lines(compared(after, before)))

    assert "Compared with 20260102T000000-000000, which served when this version was made." in text
    new = ", ".join(f"Game {number}" for number in range(121, 131))
    assert f"| new | 12 | {new}, … |" in text
    assert "| gone | 0 |  |" in text
    assert "| changed | 2 | genres of 1, Metacritic score of 1 |" in text
    assert "| A \\| B | Metacritic score | 70 | unknown |\n| Five | genres | none | Puzzle |" in text
    assert "2 of 10 features drifted. It takes a population stability index above 0.2" in text
    assert "| plays of a player | **" in text
    assert "| year of release | 0.000 |" in text
    assert "Players: 120 known to both versions, 0 new, 1 gone." in text
    assert "Of the first 10 games recommended to 120 of those known to both, 100.0 % stayed." in text
    assert "recommended more often" not in text
    assert "| player | plays | before | now |" in text


def test_people_read_which_games_rise_and_what_is_new_to_a_player():
    model = six_games()
    games = Catalogue.from_games(game(game_id, "X_2" if game_id == 61 else "") for game_id in (10, 20, 30, 40, 50, 61))
    renewed = replace(model, catalogue=games, **browsable(games))

    text = "\n".join(what_changed.lines(compared(Artifact(manifest(), renewed.to_arrays()), artifact())))

    assert "first 10 games recommended to 3 of those known to both, 77.8 % stayed." in text
    assert (
        "| recommended more often | share of the lists before | now |\n|---|---|---|\n| X\\_2 | 0.0 % | 66.7 % |"
        in text
    )
    assert "| Game 60 | 66.7 % | 0.0 % |" in text
    assert "| ann | 2 |" not in text
    assert "| zoë/1 | 6 |  |  |" in text
    assert "### Drift" not in text


def test_people_read_what_could_not_be_compared():
    other_kind = compared(artifact(data_kind="observed"), artifact())
    nobody = compared(world([Play("b", 2)]), world([Play("a", 2)]))

    text = "\n".join(what_changed.lines(other_kind))
    assert "The players before are simulated, these are observed: plays and lists are not compared.\n" in text
    assert "### Recommendations" not in text
    text = "\n".join(what_changed.lines(nobody))
    assert "Players: 0 known to both versions, 1 new, 1 gone." in text
    assert "### Players" not in text
    assert "stayed" not in text
