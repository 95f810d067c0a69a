"""What changed between the version that serves and a new one: games, plays, and what is recommended."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from pydantic import JsonValue

from app.core.artifact import Artifact, Manifest
from app.core.exposure import NO_EXPOSURE, Exposure, Pair, SamplePlayer, known_to
from app.core.facets import UNKNOWN_DATE, UNKNOWN_METACRITIC, UNKNOWN_RATING, Facets
from app.core.recommender import Recommender
from training import catalogue_changes
from training.catalogue_changes import Games
from training.drift import (
    FEWEST,
    Binned,
    Counts,
    Drift,
    FloatArray,
    Numbers,
    Sizes,
    by_label,
    by_popularity,
    by_value,
    measure,
)

_YEAR = 10_000  # of a date written as yyyymmdd
_SOURCES = {"starter": "the starter catalogue", "rawg": "RAWG"}

Feature = tuple[str, Binned, Sizes]


@dataclass(frozen=True)
class Population:
    """How many players both versions know, the new one alone, and the one before alone."""

    known: int
    new: int
    gone: int

    def to_dict(self) -> dict[str, JsonValue]:
        """Write it for machines."""
        return {"known": self.known, "new": self.new, "gone": self.gone}


@dataclass(frozen=True)
class Changes:
    """What changed since the version `before`.

    Where the players of the two are not of one kind, nothing is said of them, and `population` is None. `notes` say in
    sentences what was not compared, and why.
    """

    before: str
    games: Games
    population: Population | None
    drift: tuple[Drift, ...]
    drift_warning: float
    exposure: Exposure
    players: tuple[SamplePlayer, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, JsonValue]:
        """Write everything for machines."""
        return {
            "before": self.before,
            "games": self.games.to_dict(),
            "population": self.population.to_dict() if self.population else None,
            "drift": [drift.to_dict() for drift in self.drift],
            "drift_warning": self.drift_warning,
            "exposure": self.exposure.to_dict(),
            "players": [player.to_dict() for player in self.players],
            "notes": list(self.notes),
        }

    def warnings(self) -> list[str]:
        """Say in sentences what has drifted."""
        return [
            f"{drift.name} has drifted: a population stability index of {drift.psi:.2f}, above {self.drift_warning:g}."
            for drift in self.drift
            if drift.drifted
        ]

    def without_players(self) -> "Changes":
        """Leave the sample players out, for a place that their erasure does not reach."""
        return replace(self, players=())


def compare(challenger: Artifact, champion: Artifact | None, drift_warning: float) -> Changes | None:
    """Compare a new version with the one that serves; None where there is none.

    A feature has drifted where its population stability index is above `drift_warning`, and above what chance does.
    Players whom the challenger does not know are counted and no more: one who was erased is not in what is found.
    """
    if champion is None:
        return None
    models = Pair(Recommender.from_arrays(champion.arrays), Recommender.from_arrays(challenger.arrays))
    new, old = challenger.manifest, champion.manifest
    found = Changes(
        before=old.version,
        games=catalogue_changes.compare(models.before.catalogue, models.after.catalogue),
        population=None,
        drift=_measured(_of_games(models), drift_warning),
        drift_warning=drift_warning,
        exposure=NO_EXPOSURE,
        players=(),
        notes=tuple(_notes_on_games(models, old, new)),
    )
    if old.data_kind != new.data_kind:
        return replace(found, notes=(*found.notes, _other_players(old, new)))
    return _with_players(found, models, reweighed=old.weights != new.weights)


def _with_players(found: Changes, models: Pair, *, reweighed: bool) -> Changes:
    known = known_to(models.before.histories, models.after.histories)
    both = np.flatnonzero(known)
    players = _players(models)
    return replace(
        found,
        population=Population(known=len(both), new=players.after - len(both), gone=players.before - len(both)),
        drift=(*found.drift, *_measured(_of_plays(models, reweighed=reweighed), found.drift_warning)),
        exposure=models.exposure(both),
        players=models.samples(both),
        notes=(*found.notes, *_notes_on_players(players, len(both), reweighed=reweighed)),
    )


def _measured(features: Iterator[Feature], warning: float) -> tuple[Drift, ...]:
    return tuple(measure(name, binned, sizes, warning) for name, binned, sizes in features if sizes.enough())


def _of_games(models: Pair) -> Iterator[Feature]:
    sizes = _games(models)
    if not sizes.enough():
        return
    before, after = models.before.facets, models.after.facets
    numbers: dict[str, tuple[Numbers, Numbers]] = {
        "rating": (_ratings(before), _ratings(after)),
        "metacritic": (_metacritic(before), _metacritic(after)),
        "released": (_years(before), _years(after)),
        "added": (models.before.catalogue.added, models.after.catalogue.added),
    }
    for name, (was, now) in numbers.items():
        yield name, by_value(was, now, sizes.bins()), sizes
    yield "genres", by_label(before.genre, after.genre, sizes), sizes
    yield "platforms", by_label(before.platform, after.platform, sizes), sizes


def _of_plays(models: Pair, *, reweighed: bool) -> Iterator[Feature]:
    """Lay out what is compared of plays. Those of one player are not independent: there are as many samples as players.

    Games that nobody plays have no plays to be counted.
    """
    players = _players(models)
    if not players.enough():
        return
    before, after = models.before.histories, models.after.histories
    yield "plays_per_player", by_value(np.diff(before.indptr), np.diff(after.indptr), players.bins()), players
    was, now = _plays_per_game(models.before), _plays_per_game(models.after)
    played = Sizes(int(np.count_nonzero(was)), int(np.count_nonzero(now)))
    yield "plays_per_game", by_value(was[was > 0], now[now > 0], played.bins()), played
    at = models.before.catalogue.indices_of(models.after.catalogue.game_ids)
    moved = np.bincount(at[at >= 0], weights=now[at >= 0], minlength=len(was)).astype(np.int64)
    yield "games_played", by_popularity(was, moved, int(now[at < 0].sum()), players.bins()), players
    if not reweighed:
        yield "weights", by_value(before.weights, after.weights, players.bins()), players


def _plays_per_game(model: Recommender) -> Counts:
    return np.bincount(model.histories.indices, minlength=len(model.catalogue))


def _ratings(facets: Facets) -> FloatArray:
    return np.where(facets.rating == UNKNOWN_RATING, np.nan, facets.rating)


def _metacritic(facets: Facets) -> FloatArray:
    return np.where(facets.metacritic == UNKNOWN_METACRITIC, np.nan, facets.metacritic)


def _years(facets: Facets) -> FloatArray:
    return np.where(facets.released == UNKNOWN_DATE, np.nan, facets.released // _YEAR)


def _games(models: Pair) -> Sizes:
    return Sizes(len(models.before.catalogue), len(models.after.catalogue))


def _players(models: Pair) -> Sizes:
    return Sizes(len(models.before.histories), len(models.after.histories))


def _notes_on_games(models: Pair, old: Manifest, new: Manifest) -> Iterator[str]:
    if old.catalogue_source != new.catalogue_source:
        yield (
            f"The games before came from {_SOURCES[old.catalogue_source]}, these come from "
            f"{_SOURCES[new.catalogue_source]}: what differs between the two has not changed in the world."
        )
    if not _games(models).enough():
        yield f"Fewer than {FEWEST} games: whether they have drifted cannot be told from chance."


def _other_players(old: Manifest, new: Manifest) -> str:
    return f"The players before are {old.data_kind}, these are {new.data_kind}: plays and lists are not compared."


def _notes_on_players(players: Sizes, both: int, *, reweighed: bool) -> Iterator[str]:
    if not both:
        yield "No player is known to both versions: their lists are not compared."
    if not players.enough():
        yield f"Fewer than {FEWEST} players: whether plays have drifted cannot be told from chance."
    elif reweighed:
        yield "Plays are weighed in another way than before: their weights are not compared."
