"""Tables and foreign text in Markdown, as GitHub reads it."""

import re
from collections.abc import Iterable, Sequence

_MEANS_SOMETHING = re.compile(r"([\\`*_\[\]<>|~$]|&(?=#?\w+;))")


def plain(text: str) -> str:
    """Write a text that others chose so that it stands there as it is, on one line."""
    return _MEANS_SOMETHING.sub(r"\\\1", " ".join(text.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lay out a table and the empty line behind it, or nothing where there are no rows; the cells are Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines, ""] if lines else []
