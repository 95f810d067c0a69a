"""The pages for people: shells in the visitor's language, and the files that they need, all kept in memory."""

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

LANGUAGES = {"en": "English", "ko": "한국어"}
LANGUAGE_COOKIE = "lang"

_WEB = Path(__file__).parent / "web"
_DEFAULT = "en"
_EVERYWHERE = ("site.", "problem.")  # words that the scripts of every page have; `shell.` are the templates' alone

# Nothing inline, nothing from elsewhere but pictures: a name that is a script cannot run even where it got through.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding, Accept-Language, Cookie",
}


class Asset(NamedTuple):
    """A file of the pages, as it is and packed."""

    body: bytes
    packed: bytes
    media_type: str


class Visit(NamedTuple):
    """What a request for a page says: its query, without `lang`, and what it tells of languages."""

    query: tuple[tuple[str, str], ...] = ()
    asked: str | None = None
    remembered: str | None = None
    accepted: str = ""

    @property
    def language(self) -> str:
        """Choose the language: asked for in the address, else remembered, else the browser's first that there is."""
        wanted = (self.asked, self.remembered, *_by_preference(self.accepted))
        return next((language for language in wanted if language in LANGUAGES), _DEFAULT)

    def address_in(self, language: str) -> str:
        """Give the query of the same page in another language."""
        return "?" + urlencode([*self.query, ("lang", language)])


class Pages:
    """Templates, words and files, read once."""

    def __init__(self) -> None:
        """Read everything; the files' common digest is part of their address, so that browsers may keep them."""
        self._words = {
            language: json.loads((_WEB / "words" / f"{language}.json").read_text("utf-8")) for language in LANGUAGES
        }
        self._assets = dict(_assets(_WEB / "static"))
        self.digest = _digest(self._assets)
        self._templates = Environment(
            loader=FileSystemLoader(_WEB / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False}

    def asset(self, path: str) -> Asset | None:
        """Take a file by its path below `static`; None where there is none."""
        return self._assets.get(path)

    def render(self, page: str, visit: Visit, **facts: object) -> str:
        """Write a page, named like its template, in the visitor's language."""
        language = visit.language
        words: dict[str, str] = self._words[language]
        return self._templates.get_template(f"{page}.html").render(
            language=language,
            others={code: (name, visit.address_in(code)) for code, name in LANGUAGES.items() if code != language},
            static=f"static/{self.digest}",
            t=words.__getitem__,
            words={key: text for key, text in words.items() if key.startswith((*_EVERYWHERE, f"{page}."))},
            **facts,
        )


def _by_preference(accepted: str) -> list[str]:
    """List the languages of an `Accept-Language`, without their regions, the most wanted first."""
    weighed = []
    for place, part in enumerate(accepted.split(",")):
        tag, _, weight = part.partition(";q=")
        try:
            wanted = float(weight or 1)
        except ValueError:
            continue
        weighed.append((-wanted, place, tag.strip().split("-")[0].lower()))
    return [language for wanted, _, language in sorted(weighed) if wanted]


def _assets(folder: Path) -> Iterator[tuple[str, Asset]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            # Not what this machine calls a script: browsers run modules as JavaScript alone.
            kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0] or "text/plain"
            kind = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
            body = file.read_bytes()
            yield file.relative_to(folder).as_posix(), Asset(body, pack(body), kind)


def pack(body: bytes) -> bytes:
    """Pack with gzip; the same always comes out the same."""
    return gzip.compress(body, mtime=0)


def _digest(assets: Mapping[str, Asset]) -> str:
    digest = hashlib.sha256()
    for path, asset in assets.items():
        digest.update(b"%b\0%d\0%b" % (path.encode(), len(asset.body), asset.body))
    return digest.hexdigest()[:10]
