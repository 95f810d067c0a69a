"""Which games are new in a catalogue, gone from it, or told of otherwise than before."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import JsonValue

from app.core.catalogue import Catalogue, Game, IntArray

_EXAMPLES = 10
_SINGLE = ("name", "released", "metacritic", "esrb_rating")
_LISTS = ("genres", "platforms")
_RATING_CHANGES = 0.1  # stars: a popular game's rating moves by a hundredth any day


@dataclass(frozen=True)
class Fact:
    """One fact of a game, as it was and as it is."""

    name: str
    before: JsonValue
    after: JsonValue

    def to_dict(self) -> dict[str, JsonValue]:
        """Write it for machines."""
        return {"name": self.name, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class Example:
    """One game, and which of its facts have changed, where it is one of those."""

    game_id: int
    name: str
    facts: tuple[Fact, ...] = ()

    def to_dict(self) -> dict[str, JsonValue]:
        """Write it for machines."""
        told: dict[str, JsonValue] = {"game_id": self.game_id, "name": self.name}
        return {**told, "facts": [fact.to_dict() for fact in self.facts]} if self.facts else told


@dataclass(frozen=True)
class Group:
    """How many games, and the best-known of them."""

    count: int
    examples: tuple[Example, ...]

    def to_dict(self) -> dict[str, JsonValue]:
        """Write it for machines."""
        return {"count": self.count, "examples": [example.to_dict() for example in self.examples]}


@dataclass(frozen=True)
class Games:
    """The games that are new, gone, and changed; `facts` counts the changed ones by the fact that changed."""

    new: Group
    gone: Group
    changed: Group
    facts: Mapping[str, int]

    def to_dict(self) -> dict[str, JsonValue]:
        """Write it for machines."""
        return {
            "new": self.new.to_dict(),
            "gone": self.gone.to_dict(),
            "changed": {**self.changed.to_dict(), "facts": dict(self.facts)},
        }


def compare(before: Catalogue, after: Catalogue) -> Games:
    """Compare two catalogues.

    A game has changed where its name, release, Metacritic score, age rating, genres or platforms differ, or its rating
    by a tenth of a star. Its counts (`added`, ratings, reviews), average hours and tags move any day as people play,
    and its picture and address say nothing about it: these are no changes.
    """
    changed = 0
    examples: list[Example] = []
    by_fact: Counter[str] = Counter()
    for index, facts in _changed(before, after):
        changed += 1
        by_fact.update(fact.name for fact in facts)
        if len(examples) < _EXAMPLES:
            examples.append(_example(after, index, facts))
    return Games(
        new=_those(after, np.flatnonzero(before.indices_of(after.game_ids) < 0)),
        gone=_those(before, np.flatnonzero(after.indices_of(before.game_ids) < 0)),
        changed=Group(changed, tuple(examples)),
        facts=dict(sorted(by_fact.items())),
    )


def best_known(catalogue: Catalogue, indices: IntArray) -> IntArray:
    """Order games, the best-known first, equals by index."""
    ordered: IntArray = indices[np.argsort(-catalogue.added[indices], kind="stable")]
    return ordered


def _changed(before: Catalogue, after: Catalogue) -> Iterator[tuple[int, tuple[Fact, ...]]]:
    """Go through the changed games, the best-known first: index and facts."""
    was_at = before.indices_of(after.game_ids)
    for index in best_known(after, np.flatnonzero(was_at >= 0)).tolist():
        if before.records[was_at[index]] != after.records[index]:
            facts = tuple(_differing(before.game(was_at[index]), after.game(index)))
            if facts:
                yield index, facts


def _differing(before: Game, after: Game) -> Iterator[Fact]:
    old: Mapping[str, Any] = before
    new: Mapping[str, Any] = after
    for name in _SINGLE:
        if old[name] != new[name]:
            yield Fact(name, old[name], new[name])
    for name in _LISTS:
        if set(old[name]) != set(new[name]):
            yield Fact(name, old[name], new[name])
    if bool(old["rating"]) != bool(new["rating"]) or round(abs(old["rating"] - new["rating"]), 4) >= _RATING_CHANGES:
        yield Fact("rating", old["rating"], new["rating"])


def _those(catalogue: Catalogue, indices: IntArray) -> Group:
    examples = best_known(catalogue, indices)[:_EXAMPLES].tolist()
    return Group(len(indices), tuple(_example(catalogue, index) for index in examples))


def _example(catalogue: Catalogue, index: int, facts: tuple[Fact, ...] = ()) -> Example:
    game = catalogue.game(index)
    return Example(game["game_id"], game["name"], facts)
