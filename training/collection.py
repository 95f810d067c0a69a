"""Collecting the catalogue: the whole list, or what was updated since the last time, from where an attempt stopped."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil

from app.core.errors import CollectionError, RawgUnavailableError
from app.core.settings import Settings
from training.ledger import RequestLedger, utc_now
from training.merging import Index, Merge
from training.pages import Collection, CollectionFolder, Pages
from training.progress import Advance, bar, say
from training.rawg import Page, Query, RawgClient
from training.records import added, flatten, is_valid

_PAGES_WITHOUT_A_NEW_GAME = 20  # in a row, new and valid; after more, no other will come
_OVERLAP = timedelta(days=1)  # RAWG's days are not ours, its clock neither, and what it lists may lag behind


def folder(settings: Settings, now: Callable[[], datetime] = utc_now) -> CollectionFolder:
    """Open the folder of collected pages."""
    return CollectionFolder(settings.data_dir / "rawg", now)


def ledger(settings: Settings) -> RequestLedger:
    """Open the record of the month's requests."""
    return RequestLedger(settings.data_dir / "rawg" / "requests.json", settings.rawg_monthly_quota)


def collect(
    settings: Settings,
    *,
    fresh: bool = False,
    full: bool = False,
    advance: Advance | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Collection:
    """Collect the list of games, most-added first, and return the finished collection.

    RAWG is asked for what was updated since the newest collection, and the two are merged; for the whole list where
    there is none of this list with as many games, its last whole pass is more than `rawg_full_days` old, or `full`.
    Goes on with an interrupted pass over the same list (of the same days), unless `fresh`, which is `full` as well.

    Whatever stops it, the pages that have come are kept, and the collections before are as they were; it raises a
    `CollectionError`, for an interrupt too. `advance` is told after every page in this thread, so it must be
    quick; the total may shrink: how many games an update brings is known at its end.
    """
    kept = folder(settings, now)
    old = None if fresh or full else _to_bring_up_to_date(settings, kept, now())
    if old is None:
        return _whole(settings, kept, advance, fresh=fresh)
    return _updates(settings, kept, old, advance, _days(old.collection, now()))


@dataclass(frozen=True)
class _Old:
    collection: Collection
    index: Index


def _to_bring_up_to_date(settings: Settings, kept: CollectionFolder, now: datetime) -> _Old | None:
    """Find the collection to merge with; None where the whole list is to be read, and if one is kept, say why."""
    latest = kept.latest()
    if latest is None:
        return None
    why = _why_whole(settings, kept, latest, now)
    if not why:
        try:
            return _Old(latest, Index.of(latest.pages()))
        except CollectionError:
            why = f"a page in {latest.folder} cannot be read"
    say(f"Reading RAWG's whole list: {why}.")
    return None


def _why_whole(settings: Settings, kept: CollectionFolder, latest: Collection, now: datetime) -> str | None:
    source, parameters = settings.rawg_base_url, Query.of(settings).parameters()
    if not latest.is_of(source, parameters):
        return "another one is kept"
    if latest.games < settings.rawg_max_games:
        return f"the kept one is of {latest.games} games" if latest.games else "it is not known how much is kept"
    if not timedelta(0) <= now - latest.read_whole_at < timedelta(days=settings.rawg_full_days):
        return f"it was last read on {latest.read_whole_at:%Y-%m-%d} (RAWG_FULL_DAYS)"
    if kept.unfinished(source, parameters):
        return "an interrupted pass over it goes on"
    return None


def _days(since: Collection, now: datetime) -> str:
    """Write the days of which to ask what was updated, as RAWG takes them."""
    first, last = since.started_at - _OVERLAP, now + _OVERLAP
    return ",".join(f"{day.astimezone(UTC):%Y-%m-%d}" for day in (first, last))


def _whole(settings: Settings, kept: CollectionFolder, advance: Advance | None, *, fresh: bool) -> Collection:
    query = Query.of(settings)
    begun = None if fresh else kept.unfinished(settings.rawg_base_url, query.parameters())
    collection = begun or kept.start(settings.rawg_base_url, query.parameters())
    return _finished(settings, kept, collection, _read(settings, query, collection, advance))


def _finished(settings: Settings, kept: CollectionFolder, collection: Collection, games: int) -> Collection:
    pages = len(collection.numbers())
    if not pages:
        raise CollectionError(f"RAWG lists no games; {Query.of(settings).doubt()}.")
    finished = kept.finish(collection, settings.rawg_max_games, collection.started_at)
    say(f"Collected {games} valid games on {_many(pages, 'page')}; {_left(settings)}.")
    return finished


def _updates(
    settings: Settings, kept: CollectionFolder, old: _Old, advance: Advance | None, updated: str
) -> Collection:
    query = Query.of(settings)
    begun = kept.unfinished(settings.rawg_base_url, query.parameters(), updated)
    collection = begun or kept.start(settings.rawg_base_url, query.parameters(), updated)
    query, cut_off = replace(query, updated=updated), old.index.cut_off(settings.rawg_max_games)
    return _merged(settings, kept, collection, old, _read(settings, query, collection.updates, advance, cut_off))


def _merged(settings: Settings, kept: CollectionFolder, collection: Collection, old: _Old, read: int) -> Collection:
    pages = len(collection.updates.numbers())
    merge = Merge(old.collection, old.index, collection.updates, settings.rawg_max_games)
    collection.replace_all(merge.pages())
    finished = kept.finish(collection, settings.rawg_max_games, old.collection.read_whole_at)
    what = f"{_many(merge.updated, 'updated game')} on {_many(pages, 'page')}, {merge.new} of them new"
    say(f"Collected {what if read else 'no updated games'}; {_left(settings)}.")
    return finished


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _left(settings: Settings) -> str:
    return f"{ledger(settings).remaining} requests left this month"


def _read(settings: Settings, query: Query, pages: Pages, advance: Advance | None, cut_off: int = 0) -> int:
    with bar("Collecting", "games", advance) as shown:
        return asyncio.run(_passed(settings, _Pass(settings, query, pages, shown, cut_off)))


async def _passed(settings: Settings, one_pass: "_Pass") -> int:
    try:
        async with RawgClient(settings, ledger(settings)) as client:
            return await one_pass.run(client)
    except asyncio.CancelledError:
        raise CollectionError(
            "Interrupted; the pages collected so far are kept, and the same command goes on from there.",
        ) from None


class _Pass:
    """One pass over the list, in waves of as many pages as valid games are still missing.

    Games move between pages while the list is read, so some come twice: the number of pages needed is only known
    when enough distinct ids are there. A page of games that were all added by fewer than `cut_off` ends the list.
    """

    def __init__(self, settings: Settings, query: Query, pages: Pages, advance: Advance, cut_off: int) -> None:
        self._settings = settings
        self._query = query
        self._pages = pages
        self._advance = advance
        self._cut_off = cut_off
        self._ids: set[int] = set()
        self._page_size = 0
        self._nothing_new = 0
        self._at_once = asyncio.Semaphore(settings.rawg_concurrency)
        self._stopped = False
        self._last_page: int | None = None

    async def run(self, client: RawgClient) -> int:
        """Fetch the pages that are missing; returns the number of valid games on all pages."""
        have = set()
        for number, page in self._pages.salvage():
            have.add(number)
            self._count(number, page)
        wave = [1]  # the first page alone: a wrong key or address costs one request
        while wave:
            await self._fetch(client, [number for number in wave if number not in have])
            wave = self._next_wave(wave[-1])
        if self._ids:
            self._advance(len(self._ids), len(self._ids))
        return len(self._ids)

    def _next_wave(self, reached: int) -> list[int]:
        missing = self._settings.rawg_max_games - len(self._ids)
        if missing <= 0:
            return []
        if self._nothing_new >= _PAGES_WITHOUT_A_NEW_GAME:
            raise RawgUnavailableError(
                f"RAWG's list leads nowhere: the last {self._nothing_new} pages held no new game."
            )
        end = reached + ceil(missing / max(1, self._page_size))
        if self._last_page is not None:
            end = min(end, self._last_page)
        return list(range(reached + 1, end + 1))

    async def _fetch(self, client: RawgClient, numbers: list[int]) -> None:
        # What is under way when something fails may end: its requests are spent, and its pages are worth keeping.
        fetches = (self._fetch_one(client, number) for number in numbers)
        for outcome in await asyncio.gather(*fetches, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _fetch_one(self, client: RawgClient, number: int) -> None:
        async with self._at_once:
            if self._stopped or (self._last_page is not None and number > self._last_page):
                return
            try:
                page = await client.page(self._query, number)
            except CollectionError:
                self._stopped = True
                raise
        if page is None or not page.games:
            self._ends_at(number - 1)
        else:
            self._pages.write(number, page)
            self._count(number, page)

    def _count(self, number: int, page: Page) -> None:
        known = len(self._ids)
        self._ids.update(row["game_id"] for row in map(flatten, page.games) if is_valid(row))
        self._nothing_new = 0 if len(self._ids) > known else self._nothing_new + 1
        self._page_size = max(self._page_size, len(page.games))
        self._look_for_the_end(number, page)
        self._tell(page)

    def _look_for_the_end(self, number: int, page: Page) -> None:
        if all((added(game) or 0) < self._cut_off for game in page.games):
            self._ends_at(number)
        # Of the whole list RAWG's word for its end is not enough: where that is a slip, it costs the catalogue.
        if self._query.updated and not page.has_next:
            self._ends_at(number)
        if self._query.updated and page.listed is not None:
            self._ends_at(max(number, ceil(page.listed / self._page_size)))

    def _tell(self, page: Page) -> None:
        wanted = self._settings.rawg_max_games
        total = wanted if page.listed is None else min(wanted, max(page.listed, len(self._ids)))
        self._advance(min(len(self._ids), total), total)

    def _ends_at(self, number: int) -> None:
        self._last_page = number if self._last_page is None else min(self._last_page, number)
