"""Rate limits: how often one caller may ask; every worker counts for itself."""

import math
import time
from collections import OrderedDict

from limits import RateLimitItem, parse_many
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from app.core.errors import TooManyRequestsError

MAX_COUNTED = 20_000  # callers; about 6 MB


class RateLimit:
    """One or several limits in the notation of `limits`, as in 10/second;1000/hour."""

    def __init__(self, notation: str) -> None:
        """Parse the notation, which the settings have checked."""
        self._limits: list[RateLimitItem] = parse_many(notation)
        self._counters = Counters()
        self._limiter = FixedWindowRateLimiter(self._counters)

    def count(self, caller: str) -> None:
        """Count a request; raises `TooManyRequestsError` where it is one too many."""
        for limit in self._limits:
            if not self._limiter.hit(limit, caller):
                left = self._counters.get_expiry(limit.key_for(caller)) - time.time()
                raise TooManyRequestsError(limit, max(math.ceil(left), 1))


class Counters(Storage):
    """Counts in the memory of one process, bounded in number: beyond that the oldest is forgotten.

    The storage that comes with `limits` starts a thread a hundred times a second while it is used, which looks through
    all counters, and is not bounded.
    """

    STORAGE_SCHEME = None
    base_exceptions = ()

    def __init__(self, most: int = MAX_COUNTED) -> None:
        """Keep so many counts at most."""
        super().__init__()
        self._most = most
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()  # the count, and when it ends

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count, which ends `expiry` seconds after its first one."""
        count, ends = self._windows.get(key, (0, 0.0))
        now = time.time()
        if ends <= now:
            self._windows.pop(key, None)  # so that it goes to the end
            count, ends = 0, now + expiry
        self._windows[key] = (count + amount, ends)
        if len(self._windows) > self._most:
            self._windows.popitem(last=False)
        return count + amount

    def get(self, key: str) -> int:
        """Read a count."""
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """Tell when a count ends, in seconds since 1970."""
        return self._windows.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """Tell that the storage works."""
        return True

    def reset(self) -> int:
        """Forget all counts; returns how many there were."""
        found = len(self._windows)
        self._windows.clear()
        return found

    def clear(self, key: str) -> None:
        """Forget a count."""
        self._windows.pop(key, None)
