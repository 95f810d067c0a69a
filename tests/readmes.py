"""What one language's README says and the other's does not."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import zip_longest

from tests.markdown import Block, Section, anchor, plain, sections

NAMES = ("README.md", "README.ko.md")

_NUMBER = re.compile(r"(\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s*(million|만|억))?")
_SCALES = {"": 1, "million": 10**6, "만": 10**4, "억": 10**8}
_COMMENT = re.compile(r"(^|\s+)#\s.*$")
_MERMAID_LABEL = re.compile(r'\|[^|]*\||\[[^\[\]]*\]|"[^"]*"')

# What English writes in words, or not at all, and Korean in figures.
_SPELLED = {
    1: "a one once",
    2: "two twice both",
    3: "three third",
    4: "four fourth",
    5: "five fifth",
    6: "six sixth",
    7: "seven",
    8: "eight",
    9: "nine",
    10: "ten tenth",
    12: "twelve",
    20: "twenty",
    50: "fifty",
    100: "hundred",
}
_WORDS = {word: number for number, words in _SPELLED.items() for word in words.split()}


def differences(english: str, korean: str) -> list[str]:
    """Say what is in one README and not in the other, a sentence each, with what to do; none where they are in step."""
    pages = sections(english), sections(korean)
    if [section.level for section in pages[0]] != [section.level for section in pages[1]]:
        return [_first_heading_that_differs(*pages)]
    english_anchors, korean_anchors = ([anchor(section.title) for section in page] for page in pages)
    return [
        f'{NAMES[0]} "{one.title}" and {NAMES[1]} "{other.title}" are out of step: {found}. '
        "Change the other README as well."
        for one, other in zip(*pages, strict=True)
        for found in _between((one, other), (english_anchors, korean_anchors))
    ]


def _first_heading_that_differs(english: Sequence[Section], korean: Sequence[Section]) -> str:
    pairs = zip_longest(english, korean)
    differ = next(pair for pair in pairs if None in pair or pair[0].level != pair[1].level)
    found = [f'"{"#" * section.level} {section.title}"' if section else "no more" for section in differ]
    return (
        f"The headings are out of step: {NAMES[0]} has {found[0]} where {NAMES[1]} has {found[1]}. "
        "Give both the same sections in the same order."
    )


def _between(both: tuple[Section, Section], anchors: tuple[list[str], list[str]]) -> Iterator[str]:
    english, korean = both
    code = [_commands(section.blocks) for section in both]
    yield from _unlike("in code", code)
    if code[0] != code[1] and sorted(code[0]) == sorted(code[1]):
        yield "the same code stands in another order"
    links = [[_place(link, known) for link in section.links] for section, known in zip(both, anchors, strict=True)]
    yield from _unlike("among the links", links)
    yield from _unlike("between backticks", [sorted(section.names) for section in both])
    cells = [[row.count("|") - 1 for row in section.rows] for section in both]
    if cells[0] != cells[1]:
        yield f"the tables have rows of {cells[0]} and of {cells[1]} cells"
    else:
        for row, other in zip(english.rows, korean.rows, strict=True):
            yield from _other_figures(plain(row), plain(other))
    yield from _other_figures(english.text, korean.text)


def _commands(blocks: Sequence[Block]) -> list[str]:
    """Read blocks of code without what is said in words, which is translated: comments, labels, what a folder holds."""
    lines = [(block.language, line) for block in blocks for line in block.lines]
    return [said for language, line in lines if (said := _without_words(language, line))]


def _without_words(language: str, line: str) -> str:
    if language == "mermaid":
        return _MERMAID_LABEL.sub("", line).strip()
    if not language:  # a folder, and what it holds
        return line.partition(" ")[0]
    return _COMMENT.sub("", line).rstrip()


def _place(link: str, anchors: Sequence[str]) -> str:
    """Name where a link leads, the same in both languages."""
    if link in NAMES:
        return "the other language"
    if link.startswith("#"):
        return f"heading {anchors.index(link[1:])}" if link[1:] in anchors else f"nowhere ({link})"
    return link


def _other_figures(english: str, korean: str) -> Iterator[str]:
    """Compare figures; those that English has in words may be figures in Korean."""
    figures = [Counter(_figures(text)) for text in (english, korean)]
    spelled = {_WORDS[word] for word in re.findall(r"[a-z]+", english.lower()) if word in _WORDS}
    extra = {figure for figure in figures[1] - figures[0] if figure not in spelled}
    yield from _unlike("among the figures", [_written(figures[0] - figures[1]), _written(extra)])


def _figures(text: str) -> list[Decimal]:
    return [Decimal(number.replace(",", "")) * _SCALES[scale] for number, scale in _NUMBER.findall(text)]


def _written(figures: Counter[Decimal] | set[Decimal]) -> list[str]:
    return [f"{figure.normalize():,f}" for figure in sorted(figures)]


def _unlike(where: str, found: Sequence[Sequence[str]]) -> Iterator[str]:
    """Say what stands in one alone; order counts for nothing."""
    counts = [Counter(one) for one in found]
    alone = zip(NAMES, (counts[0] - counts[1], counts[1] - counts[0]), strict=True)
    if told := [f"{name} alone has {', '.join(names)}" for name, names in alone if names]:
        yield f"{where} {' and '.join(told)}"
