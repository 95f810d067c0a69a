"""The messages of what the service does or notices by itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.messages.blocks import Message, context, header, message, section
from app.core.messages.plain import plain
from app.core.messages.words import LONGEST_NAME, Words, part

LONGEST_REASON = 1500
MOST_WATCHED = 10


def of_rollback(body: Mapping[str, Any], words: Words) -> Message:
    """Tell that the service went back to the version before, why, and what it had watched."""
    version, back_to = (plain(body.get(key) or "?", LONGEST_NAME) for key in ("version", "back_to"))
    title = words.say("rolled_back")
    lead = [words.say("went_back", version=version, back_to=back_to)]
    if body.get("reason"):
        lead.append(f"> {plain(body['reason'], LONGEST_REASON)}")
    links = words.links(version=str(body["version"]) if body.get("version") else None)
    blocks = [header(title), section(lead), section(_watched(part(body, "watched"), words)), context(links)]
    return message("\n".join([title, *lead]), blocks)


def of_quota(body: Mapping[str, Any], words: Words) -> Message:
    """Tell how much of the month's requests to RAWG is spent."""
    spent, limit = int(body.get("spent", 0)), int(body.get("limit", 0))
    title = words.say("quota_spent" if spent >= limit else "quota_low")
    lead = words.say(
        "quota_used",
        spent=words.number(spent),
        limit=words.number(limit),
        month=plain(body.get("month", "?"), LONGEST_NAME),
        share=words.share(spent / limit if limit else 1.0),
        left=words.number(max(limit - spent, 0)),
    )
    return message(f"{title}\n{lead}", [header(title), section([lead]), context(words.links())])


def _watched(watched: Mapping[str, Any], words: Words) -> Iterator[str]:
    if watched:
        yield words.say("watched")
    for name, found in list(watched.items())[:MOST_WATCHED]:
        yield f"• {words.name('watched', name)}: {_told(found, words)}"


def _told(found: object, words: Words) -> str:
    if not isinstance(found, Mapping):
        return words.number(found)
    if {"before", "after"} <= found.keys():
        return words.say("was_now", before=words.number(found["before"]), after=words.number(found["after"]))
    return ", ".join(f"{words.name('watched', name)} {words.number(one)}" for name, one in found.items())
