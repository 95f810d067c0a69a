"""What changed since the version before, and what is odd about it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.core.messages.plain import plain
from app.core.messages.words import LONGEST_NAME, Words, part

MOST_NAMES = 5
MOST_WARNINGS = 5
LONGEST_WARNING = 300


def warnings(result: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Tell what a run warned of, and which features drifted."""
    drifted = [one for one in _rows(part(result, "changes"), "drift") if one.get("drifted")]
    if drifted:
        told = [f"{words.name('feature', one.get('name'))} (PSI {_psi(one)})" for one in drifted[:MOST_NAMES]]
        yield words.say("drift", features=_listed(told, len(drifted), words))
    found = result.get("warnings") or ()
    for warning in found[:MOST_WARNINGS]:
        yield f":warning: {plain(warning, LONGEST_WARNING)}"
    if len(found) > MOST_WARNINGS:
        yield words.say("more_warnings", count=words.number(len(found) - MOST_WARNINGS))


def changes(result: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Tell which games are new, gone or changed, and which are shown more or less than before."""
    found = part(result, "changes")
    lines = [*_games(part(found, "games"), words), *_exposure(part(found, "exposure"), words)]
    if lines:
        yield words.say("changes")
        yield from lines


def _games(games: Mapping[str, Any], words: Words) -> Iterator[str]:
    for kind in ("new", "gone", "changed"):
        count = part(games, kind).get("count")
        if count:
            names = [_name(game) for game in _rows(part(games, kind), "examples")[:MOST_NAMES]]
            examples = f": {_listed(names, count, words)}" if names else ""
            yield f"• {words.say(kind, count=words.number(count))}{examples}"


def _exposure(exposure: Mapping[str, Any], words: Words) -> Iterator[str]:
    for kind in ("risers", "fallers"):
        games = _rows(exposure, kind)
        if games:
            told = [f"{_name(game)}{_from_to(game, words)}" for game in games[:MOST_NAMES]]
            yield f"• {words.say(kind, games=_listed(told, len(games), words))}"


def _listed(told: Sequence[str], count: int, words: Words) -> str:
    shown, more = ", ".join(told), count - len(told)
    return words.say("and_more", told=shown, count=words.number(more)) if more > 0 else shown


def _name(game: Mapping[str, Any]) -> str:
    return plain(game.get("name") or game.get("game_id", "?"), LONGEST_NAME)


def _from_to(game: Mapping[str, Any], words: Words) -> str:
    if "before" not in game or "after" not in game:
        return ""
    told = words.say("was_now", before=words.number(game["before"]), after=words.number(game["after"]))
    return f" ({told})"


def _psi(feature: Mapping[str, Any]) -> str:
    psi = feature.get("psi")
    return f"{psi:.2f}" if isinstance(psi, int | float) else "?"


def _rows(content: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    return content.get(key) or ()
