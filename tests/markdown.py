"""Pages in Markdown, taken apart: sections, blocks of code, tables, links."""

import re
from typing import NamedTuple

_FENCE = re.compile(r"^\s*```(\w*)$")
_HEADING = re.compile(r"^(#{1,6}) (.+)$")
_LINK = re.compile(r"\]\(([^)\s]+)\)|<(https?://[^>\s]+)>")
_IN_CODE = re.compile(r"`([^`]+)`")


class Block(NamedTuple):
    """A block of code."""

    language: str
    lines: list[str]


class Section(NamedTuple):
    """A heading, and what stands below it until the next: prose (with tables and lists), and blocks of code."""

    level: int
    title: str
    prose: list[str]
    blocks: list[Block]

    @property
    def links(self) -> list[str]:
        """Where links and images lead."""
        return [inline or bare for inline, bare in _LINK.findall(_IN_CODE.sub("``", "\n".join(self.prose)))]

    @property
    def names(self) -> set[str]:
        """What stands in code within the prose."""
        return set(_IN_CODE.findall("\n".join(self.prose)))

    @property
    def rows(self) -> list[str]:
        """The rows of all tables."""
        return [line for line in self.prose if line.startswith("|")]

    @property
    def text(self) -> str:
        """The prose without tables, without what stands in code, and without where links lead."""
        return plain("\n".join(line for line in self.prose if not line.startswith("|")))


def plain(prose: str) -> str:
    """Take out what stands in code, and where links lead."""
    return _LINK.sub("] ", _IN_CODE.sub(" ", prose))


def sections(page: str) -> list[Section]:
    """Cut a page at its headings; what stands before the first is a section of level 0."""
    found = [Section(0, "", [], [])]
    block: Block | None = None
    for line in page.splitlines():
        fence, heading = _FENCE.match(line), _HEADING.match(line)
        if fence:
            block = Block(fence[1], []) if block is None else None
            found[-1].blocks.extend([block] if block else [])
        elif block is not None:
            block.lines.append(line)
        elif heading:
            found.append(Section(len(heading[1]), heading[2], [], []))
        else:
            found[-1].prose.append(line)
    return found


def anchor(title: str) -> str:
    """Name the place of a heading in an address, as GitHub does."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
