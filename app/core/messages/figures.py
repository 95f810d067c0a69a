"""The numbers of a run: how long it took, how much it counted, how good the model is."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from app.core.messages.plain import plain
from app.core.messages.words import LONGEST_NAME, Words, part
from app.core.run import Run

MOST_METRICS = 8

_MODEL, _COLD, _CHANCE = "model", "cold", "_by_chance"
_JUDGED_BY = "ndcg@10"  # what the gate looks at


def facts(run: Run, words: Words) -> Iterator[tuple[str, str]]:
    """Tell names and values of what a run worked with; at most eight."""
    result = run.result
    counts, before = part(result, "counts"), part(part(result, "before"), "counts")
    yield words.say("started_by"), words.name("trigger", run.trigger)
    if run.started_at is not None and run.ended_at is not None:
        yield words.say("took"), words.seconds(max(run.ended_at - run.started_at, 0.0))
    for name in ("games", "players", "plays"):
        if counts.get(name) is not None:
            kind = result.get("data_kind") if name == "players" else None
            told = [_with_change(words, counts[name], before.get(name)), *([words.name("kind", kind)] if kind else [])]
            yield words.say(name), ", ".join(told)
    if "catalogue_source" in result:
        yield words.say("catalogue"), words.name("source", result["catalogue_source"])
    for name, fields in (("rows", ("valid", "rows")), ("quota", ("remaining", "limit"))):
        found = part(result, "validation" if name == "rows" else "quota")
        if all(field in found for field in fields):
            counted, whole = (words.number(found[field]) for field in fields)
            yield words.say(name), words.say("of", part=counted, whole=whole)


def steps(run: Run, words: Words) -> Iterator[str]:
    """Tell how long each step took, on one line."""
    told = [
        f"{words.name('step', step.name)} {words.seconds(step.seconds)}"
        for step in run.steps
        if step.seconds is not None
    ]
    if told:
        yield words.say("steps", steps=" · ".join(told))


def metrics(result: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Tell how good the model is, how that changed, and how good others are."""
    found, before = part(result, "metrics"), part(part(result, "before"), "metrics")
    lines = list(islice(_metrics(found, before, words), MOST_METRICS))
    if lines:
        yield words.say("metrics")
        yield from lines


def gate(result: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Tell by how much the model is better or worse than what it was compared with."""
    lines = [
        f"• {words.say(rival, name=_JUDGED_BY, figures=_difference(part(result, rival), words))}"
        for rival in ("against_champion", "against_popularity")
        if _is_estimate(result.get(rival))
    ]
    if lines:
        yield words.say("gate")
        yield from lines


def _metrics(found: Mapping[str, Any], before: Mapping[str, Any], words: Words) -> Iterator[str]:
    for name, estimate in part(found, _MODEL).items():
        if _is_estimate(estimate):
            yield f"• {_estimate(name, estimate, part(before, _MODEL), words)}"
    for ranker in found:
        figures = part(found, ranker)
        if ranker not in {_MODEL, _COLD} and _is_estimate(figures.get(_JUDGED_BY)):
            told = _estimate(_JUDGED_BY, figures[_JUDGED_BY], part(before, ranker), words)
            yield f"• {words.say('ranker', name=words.name('ranker', ranker), figures=told)}"
    yield from _cold(part(found, _COLD), part(before, _COLD), words)


def _with_change(words: Words, now: Any, before: Any) -> str:
    if not (_is_number(now) and _is_number(before)):
        return words.number(now)
    return f"{words.number(now)} ({now - before:+,})"


def _estimate(name: str, estimate: Mapping[str, Any], before: Mapping[str, Any], words: Words) -> str:
    """Write a metric: its value, its change since the version before, and its interval."""
    then = part(before, name)
    change = f" ({estimate['value'] - then['value']:+.4f})" if _is_estimate(then) else ""
    return f"{plain(name, LONGEST_NAME)} {estimate['value']:.4f}{change}{_interval(estimate, words, '.4f')}"


def _difference(estimate: Mapping[str, Any], words: Words) -> str:
    return f"{estimate['value']:+.4f}{_interval(estimate, words, '+.4f')}"


def _interval(estimate: Mapping[str, Any], words: Words, form: str) -> str:
    ends = [estimate.get(end) for end in ("low", "high")]
    if not all(map(_is_number, ends)):
        return ""
    low, high = (format(end, form) for end in ends)
    return f", {words.say('interval', low=low, high=high)}"


def _cold(found: Mapping[str, Any], before: Mapping[str, Any], words: Words) -> Iterator[str]:
    for name, estimate in found.items():
        if _is_estimate(estimate):
            told, chance = _estimate(name, estimate, before, words), found.get(f"{name}{_CHANCE}")
            if _is_number(chance):
                told = f"{told}; {words.say('by_chance', value=f'{chance:.4f}')}"
            yield f"• {words.say('cold', figures=told)}"


def _is_estimate(found: object) -> bool:
    return isinstance(found, Mapping) and _is_number(found.get("value"))


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)
