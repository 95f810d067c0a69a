"""Texts from outside made harmless for Slack, and cut where they are too long."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate

CUT = "…"

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_NOTHING = "\u200b"  # a space of no width: a mark beside it makes nothing bold, italic, struck out or code
_MARK = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`")  # within a word, as in a setting's name, they do nothing
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_JOINER = "\u200d"
_FLAGS = range(0x1F1E6, 0x1F200)  # letters that make a flag, two by two
_SKINS_AND_TAGS = (range(0x1F3FB, 0x1F400), range(0xE0020, 0xE0080))
_JAMO = range(0x1160, 0x1200)  # vowels and last consonants of Hangul that is not composed
_CONTROL = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTIONS = {*"\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


def length(text: str) -> int:
    """Count as the strictest reader does, in units of UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(text: object, longest: int) -> str:
    """Make a text from outside safe to stand in a message: on one line, no markup, no mention, no link."""
    seen = "".join(" " if unicodedata.category(one) in _CONTROL else one for one in str(text)[: 20 * longest])
    words = " ".join("".join(one for one in seen if one not in _DIRECTIONS).split())
    marked = _MARK.sub(f"{_NOTHING}\\g<0>{_NOTHING}", words[: longest + 1])
    return cut("".join(_ENTITIES.get(one, one) for one in marked), longest)


def cut(text: str, longest: int) -> str:
    """Shorten a text that is too long, without cutting an escaped sign or a letter or emoji of several parts in two."""
    if length(text) <= longest:
        return text
    pieces = list(_pieces(text))
    ends = accumulate(length(piece) for piece in pieces)
    kept = [piece for piece, end in zip(pieces, ends, strict=True) if end + length(CUT) <= longest]
    return "".join(kept).rstrip() + CUT


def _pieces(text: str) -> Iterator[str]:
    piece, at = "", 0
    while at < len(text):
        entity = _ENTITY.match(text, at)
        following = entity[0] if entity else text[at]
        if piece and not _belongs_to(piece, following):
            yield piece
            piece = ""
        piece += following
        at += len(following)
    yield piece


def _belongs_to(piece: str, following: str) -> bool:
    code = ord(following[0])
    return (
        piece[-1] == _JOINER
        or following == _JOINER
        or unicodedata.category(following[0]).startswith("M")
        or any(code in part for part in _SKINS_AND_TAGS)
        or code in _JAMO
        or (code in _FLAGS and len(piece) == 1 and ord(piece) in _FLAGS)
    )
