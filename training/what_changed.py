"""What changed, for people: a section of the report."""

from collections.abc import Sequence

from pydantic import JsonValue

from app.core.exposure import CUT, Exposure, Mover, SamplePlayer
from training.catalogue_changes import Games, Group
from training.changes import Changes, Population
from training.drift import Drift
from training.markdown import plain, table

_FEATURES = {
    "added": "people who keep a game on RAWG",
    "games_played": "which games are played",
    "metacritic": "Metacritic score",
    "plays_per_game": "plays of a game",
    "plays_per_player": "plays of a player",
    "released": "year of release",
    "weights": "weights of plays",
}
_FACTS = {"esrb_rating": "age rating", "metacritic": "Metacritic score", "released": "release"}


def lines(changes: Changes | None) -> list[str]:
    """Write the section; nothing for a version that had none before it to be compared with."""
    if changes is None:
        return []
    return [
        "## What changed",
        "",
        f"Compared with {changes.before}, which served when this version was made.",
        "",
        *(line for note in changes.notes for line in (note, "")),
        *_games(changes.games),
        *_drift(changes.drift, changes.drift_warning),
        *_lists(changes.population, changes.exposure),
        *_players(changes.players),
    ]


def _games(games: Games) -> list[str]:
    changed = ", ".join(f"{_FACTS.get(name, name)} of {count}" for name, count in games.facts.items())
    facts = (
        [plain(example.name), _FACTS.get(fact.name, fact.name), _value(fact.before), _value(fact.after)]
        for example in games.changed.examples
        for fact in example.facts
    )
    return [
        "### Games",
        "",
        *table(
            ["", "games", "of them"],
            [
                ["new", f"{games.new.count}", _best_known(games.new)],
                ["gone", f"{games.gone.count}", _best_known(games.gone)],
                ["changed", f"{games.changed.count}", changed],
            ],
        ),
        *table(["changed, the best-known", "fact", "before", "now"], facts),
    ]


def _best_known(group: Group) -> str:
    names = [plain(example.name) for example in group.examples]
    return ", ".join([*names, "…"] if group.count > len(names) else names)


def _value(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(plain(str(part)) for part in value) or "none"
    return "unknown" if value is None else plain(str(value))


def _drift(drift: Sequence[Drift], warning: float) -> list[str]:
    if not drift:
        return []
    drifted = sum(found.drifted for found in drift)
    rows = (
        [
            _FEATURES.get(found.name, found.name),
            f"**{found.psi:.3f}**" if found.drifted else f"{found.psi:.3f}",
            f"{found.by_chance:.3f}",
            f"{plain(found.moved.what)}: {_share(found.moved.before)} → {_share(found.moved.after)}",
        ]
        for found in drift
    )
    return [
        "### Drift",
        "",
        (
            f"{drifted or 'None'} of {len(drift)} features drifted. It takes a population stability index above "
            f"{warning:g}, and above what chance alone exceeds once in 100 times."
        ),
        "",
        *table(["", "index", "by chance", "what moved most"], rows),
    ]


def _lists(population: Population | None, exposure: Exposure) -> list[str]:
    if population is None:
        return []
    found = [
        "### Recommendations",
        "",
        f"Players: {population.known} known to both versions, {population.new} new, {population.gone} gone.",
        "",
    ]
    if exposure.kept is None:
        return found
    return [
        *found,
        (
            f"Of the first {CUT} games recommended to {exposure.players} of those known to both, "
            f"{_share(exposure.kept)} stayed. Both versions were asked with what is known of the players now."
        ),
        "",
        *_movers("recommended more often", exposure.risers),
        *_movers("recommended less often", exposure.fallers),
    ]


def _movers(how: str, movers: Sequence[Mover]) -> list[str]:
    rows = ([plain(mover.name), _share(mover.before), _share(mover.after)] for mover in movers)
    return table([how, "share of the lists before", "now"], rows)


def _players(players: Sequence[SamplePlayer]) -> list[str]:
    if not players:
        return []
    rows = (
        [plain(player.user_id), f"{player.plays}", _names(player.before, ()), _names(player.after, player.before)]
        for player in players
    )
    return [
        "### Players",
        "",
        "Some players with a usual number of plays; games that were not among their first before are bold.",
        "",
        *table(["player", "plays", "before", "now"], rows),
    ]


def _names(names: Sequence[str], before: Sequence[str]) -> str:
    """List games; where there is something before, those that are not in it are bold."""
    return "<br>".join(f"**{plain(name)}**" if before and name not in before else plain(name) for name in names)


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"
