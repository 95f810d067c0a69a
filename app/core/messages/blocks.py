"""Messages as Slack's Block Kit has them, within its limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.messages.plain import cut, length

LONGEST_HEADER = 150
LONGEST_TEXT = 3000  # of a section, and of a part of a context
LONGEST_FIELD = 2000
MOST_FIELDS = 10
MOST_PARTS = 10
MOST_BLOCKS = 50
LONGEST_FALLBACK = 3500  # Slack recommends no more than 4000

Block = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """A message: its blocks, and a text for where blocks cannot be shown."""

    text: str
    blocks: Sequence[Block]


def message(text: str, blocks: Iterable[Block | None]) -> Message:
    """Put a message together of those blocks that there are."""
    return Message(cut(text, LONGEST_FALLBACK), [block for block in blocks if block is not None][:MOST_BLOCKS])


def header(text: str) -> Block:
    """Make a title, in which there is no markup but emoji by name."""
    return {"type": "header", "text": {"type": "plain_text", "text": cut(text, LONGEST_HEADER), "emoji": True}}


def section(lines: Iterable[str]) -> Block | None:
    """Make a paragraph of lines with markup, of which those are left out that find no room; None where there are none.

    A line that is itself too long is cut, which would break markup at its end.
    """
    kept = _fitting(lines, LONGEST_TEXT, "\n")
    return {"type": "section", "text": _markup("\n".join(kept))} if kept else None


def table(pairs: Iterable[tuple[str, str]]) -> Block | None:
    """Make a table of names and values in two columns; None where there are none."""
    fields = [_markup(cut(f"*{name}*\n{value}", LONGEST_FIELD)) for name, value in pairs]
    return {"type": "section", "fields": fields[:MOST_FIELDS]} if fields else None


def context(parts: Iterable[str]) -> Block | None:
    """Make a line in small letters; None where there is nothing to stand in it."""
    elements = [_markup(cut(part, LONGEST_TEXT)) for part in parts if part]
    return {"type": "context", "elements": elements[:MOST_PARTS]} if elements else None


def _markup(text: str) -> Block:
    # Verbatim: Slack makes no links and mentions of what merely looks like some.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _fitting(lines: Iterable[str], longest: int, between: str) -> list[str]:
    kept: list[str] = []
    for line in lines:
        shown = cut(line, longest)
        if kept and length(between.join([*kept, shown])) > longest:
            break
        kept.append(shown)
    return kept
