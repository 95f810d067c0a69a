"""The message of a run that came to its end."""

from collections.abc import Iterator
from typing import Any

from app.core.messages import figures
from app.core.messages.blocks import Message, context, header, message, section, table
from app.core.messages.changes import changes, warnings
from app.core.messages.plain import plain
from app.core.messages.words import LONGEST_NAME, Words, part
from app.core.run import Run, State

LONGEST_REASON = 1500


def of_run(run: Run, serving: str, words: Words) -> Message:
    """Tell how a run ended and what came of it; `serving` says which version serves now."""
    outcome = outcome_of(run)
    lead = [*_lead(outcome, run, words), *_reason(run)]
    if outcome not in {"promoted", "forced"}:
        lead.append(serving)
    title = words.say(outcome)
    blocks = [
        header(title),
        section(lead),
        table(figures.facts(run, words)),
        section(warnings(run.result, words)),
        section(figures.metrics(run.result, words)),
        section(figures.gate(run.result, words)),
        section(changes(run.result, words)),
        section(figures.steps(run, words)),
        context(_footer(run, words)),
    ]
    return message("\n".join([title, *lead]), blocks)


def outcome_of(run: Run) -> str:
    """Say in one word how a run ended, as the texts have it."""
    result = run.result
    if run.state is not State.SUCCEEDED:
        return "cancelled" if run.state is State.CANCELLED else "failed"
    if result.get("dry_run", run.options.dry_run):
        return "dry_run"
    if "promoted" not in result:
        return "finished"
    if result["promoted"]:
        return "forced" if result.get("forced") else "promoted"
    return "aside"


def _lead(outcome: str, run: Run, words: Words) -> Iterator[str]:
    version = plain(run.result.get("version") or "?", LONGEST_NAME)
    before: Any = part(run.result, "before").get("version")
    if outcome in {"promoted", "forced"}:
        key = "went_live" if before else "went_live_first"
        yield words.say(key, version=version, before=plain(before, LONGEST_NAME))
    if outcome == "forced":
        yield words.say("went_live_forced")
    if outcome == "aside":
        yield words.say("kept_aside", version=version)
    if outcome == "dry_run":
        yield words.say("nothing_published")
    if outcome in {"failed", "cancelled"}:
        verb = "failed" if outcome == "failed" else "stopped"
        step = words.name("step", run.step)
        yield words.say(f"{verb}_in", step=step) if run.step else words.say(f"{verb}_before")


def _reason(run: Run) -> Iterator[str]:
    reason = run.error or run.result.get("reason")
    if reason:
        yield f"> {plain(reason, LONGEST_REASON)}"


def _footer(run: Run, words: Words) -> Iterator[str]:
    yield plain(run.run_id, LONGEST_NAME)
    if run.ended_at is not None:
        yield words.time(run.ended_at)
    is_published = run.state is State.SUCCEEDED and not run.result.get("dry_run", run.options.dry_run)
    yield from words.links(run.run_id, run.result.get("version") if is_published else None)
