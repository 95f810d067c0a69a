"""Words, numbers and times in the language of whoever is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app.core.messages.plain import plain
from app.core.messages.texts import TEXTS
from app.core.settings import Settings

LONGEST_NAME = 80
LONGEST_LINK = 1000  # one that is cut leads nowhere

_FEW_SECONDS = 10  # below that, a tenth of a second is told
_UNHARMED = ":/[]@!$'()*+,;=%~"  # in an address; not what ends one in a message


@dataclass(frozen=True)
class Words:
    """A language, the time zone of times, and where people reach the service."""

    language: Literal["en", "ko"] = "en"
    timezone: str = "UTC"
    public_url: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Words":
        """Speak as the settings say."""
        return cls(settings.notify_language, settings.retrain_timezone, settings.public_url)

    def say(self, key: str, **values: object) -> str:
        """Say one of the texts, with markup; the values must be harmless already."""
        return TEXTS[self.language][key].format(**values)

    def name(self, of: str, value: object) -> str:
        """Name one of a kind of things: in words where there are some, else as it is."""
        return TEXTS[self.language].get(f"{of}.{value}") or plain(str(value).replace("_", " "), LONGEST_NAME)

    def number(self, value: object) -> str:
        """Write a number: whole ones with commas, others with three digits that count; anything else as it is."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return plain(value, LONGEST_NAME)
        return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"

    def share(self, value: float) -> str:
        """Write a share in per cent."""
        return self.say("per_cent", value=f"{100 * value:.0f}")

    def seconds(self, seconds: float) -> str:
        """Write how long something took, in the two largest units."""
        if seconds < _FEW_SECONDS:
            return self.say("seconds", seconds=f"{seconds:.1f}")
        minutes, rest = divmod(round(seconds), 60)
        hours, left = divmod(minutes, 60)
        if hours:
            return self.say("hours", hours=hours, minutes=left)
        return self.say("minutes", minutes=minutes, seconds=rest) if minutes else self.say("seconds", seconds=rest)

    def time(self, at: float) -> str:
        """Write a time, which Slack shows in the time zone of whoever reads it."""
        there = datetime.fromtimestamp(at, ZoneInfo(self.timezone))
        return f"<!date^{int(at)}^{{date_num}} {{time}}|{there:%Y-%m-%d %H:%M %Z}>"

    def links(self, run_id: str | None = None, version: str | None = None) -> list[str]:
        """Link to a run, a version and the API, where it is known at which address people reach the service."""
        if self.public_url is None:
            return []
        paths = {
            "link_run": run_id and f"/retrain/{quote(run_id, safe='')}",
            "link_model": version and f"/models/{quote(version, safe='')}",
            "link_docs": "/docs",
        }
        address = quote(self.public_url, safe=_UNHARMED)
        links = [f"<{address}{path}|{self.say(key)}>" for key, path in paths.items() if path]
        return [link for link in links if len(link) <= LONGEST_LINK]


def part(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Read a part of what came of a run; empty where there is none."""
    found = content.get(key)
    return found if isinstance(found, Mapping) else {}
