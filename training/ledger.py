"""How many requests RAWG has had from us this month."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.core.errors import CollectionError, QuotaReachedError
from app.core.files import write_atomically

_MONTHS = TypeAdapter(dict[str, int])  # "2026-11" -> requests


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class RequestLedger:
    """Counts requests by month in a file, and refuses the one that would pass the quota.

    A request is written down before it is sent, so that a crash can only count one too many.
    """

    def __init__(self, path: Path, quota: int, now: Callable[[], datetime] = utc_now) -> None:
        """Keep the count in `path`; RAWG's months are taken to begin at midnight UTC."""
        self._path = path
        self._quota = quota
        self._now = now

    @property
    def limit(self) -> int:
        """Tell how many requests a month may have."""
        return self._quota

    @property
    def spent(self) -> int:
        """Count the requests of this month; more than `limit` where that was lowered since."""
        return self.months().get(self.month, 0)

    @property
    def remaining(self) -> int:
        """Count the requests left this month."""
        return max(0, self._quota - self.spent)

    def spend(self) -> None:
        """Write one request down, or raise `QuotaReachedError`."""
        months = self.months()
        spent = months.get(self.month, 0)
        if spent >= self._quota:
            raise QuotaReachedError(
                f"This month's {self._quota} requests to RAWG are spent (RAWG_MONTHLY_QUOTA); the pages collected so "
                "far are kept, and the same command goes on from there next month.",
            )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, _MONTHS.dump_json({**months, self.month: spent + 1}, indent=2))

    def learn(self, other: "RequestLedger") -> None:
        """Write down, of each month, as many requests as either knows of."""
        here, there = self.months(), other.months()
        if there:
            months = {
                month: max(here.get(month, 0), there.get(month, 0)) for month in sorted(here.keys() | there.keys())
            }
            write_atomically(self._path, _MONTHS.dump_json(months, indent=2))

    @property
    def month(self) -> str:
        """Name this month, as in 2026-11."""
        return f"{self._now():%Y-%m}"

    def months(self) -> dict[str, int]:
        """Read how many requests each month had; `CollectionError` where the file is broken."""
        try:
            return _MONTHS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValidationError as unreadable:
            raise CollectionError(
                f"The record of this month's requests, {self._path}, cannot be read; correct it or remove it.",
            ) from unreadable
