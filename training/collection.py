"""Collecting the catalogue: as many distinct valid games as asked for, from where the last attempt stopped."""

import asyncio
from math import ceil

from app.core.errors import CollectionError, RawgUnavailableError
from app.core.settings import Settings
from training.ledger import RequestLedger
from training.pages import Collection, CollectionFolder
from training.progress import Advance, bar, say
from training.rawg import Page, Query, RawgClient
from training.records import flatten, is_valid

_PAGES_WITHOUT_A_NEW_GAME = 20  # in a row, new and valid; after more, no other will come


def folder(settings: Settings) -> CollectionFolder:
    """Open the folder of collected pages."""
    return CollectionFolder(settings.data_dir / "rawg")


def ledger(settings: Settings) -> RequestLedger:
    """Open the record of the month's requests."""
    return RequestLedger(settings.data_dir / "rawg" / "requests.json", settings.rawg_monthly_quota)


def collect(settings: Settings, *, fresh: bool = False, advance: Advance | None = None) -> Collection:  # noqa: ARG001
    """Collect the list of games, most-added first, and return the finished collection.

    Goes on with an interrupted collection of the same list, unless `fresh`. Whatever stops it, the pages that have
    come are kept; it raises a `CollectionError`, for an interrupt too.
    """
    query = Query.of(settings)
    kept = folder(settings)
    begun = None if fresh else kept.unfinished(settings.rawg_base_url, query.parameters())
    collection = begun or kept.start(settings.rawg_base_url, query.parameters())
    return asyncio.run(_collect(settings, query, kept, collection))


async def _collect(settings: Settings, query: Query, kept: CollectionFolder, collection: Collection) -> Collection:
    requests = ledger(settings)
    try:
        with bar("Collecting", "games") as advance:
            async with RawgClient(settings, requests) as client:
                games = await _Pass(settings, query, collection, advance).run(client)
    except asyncio.CancelledError:
        raise CollectionError(
            "Interrupted; the pages collected so far are kept, and the same command goes on from there.",
        ) from None
    pages = len(collection.numbers())
    if not pages:
        raise CollectionError(f"RAWG lists no games; {query.doubt()}.")
    say(f"Collected {games} valid games on {pages} pages; {requests.remaining} requests left this month.")
    return kept.finish(collection)


class _Pass:
    """One pass over the list, in waves of as many pages as valid games are still missing.

    Games move between pages while the list is read, so some come twice: the number of pages needed is only known
    when enough distinct ids are there.
    """

    def __init__(self, settings: Settings, query: Query, collection: Collection, advance: Advance) -> None:
        self._settings = settings
        self._query = query
        self._collection = collection
        self._advance = advance
        self._ids: set[int] = set()
        self._page_size = 0
        self._nothing_new = 0
        self._at_once = asyncio.Semaphore(settings.rawg_concurrency)
        self._stopped = False
        self._last_page: int | None = None

    async def run(self, client: RawgClient) -> int:
        """Fetch the pages that are missing; returns the number of valid games on all pages."""
        have = set()
        for number, page in self._collection.salvage():
            have.add(number)
            self._count(page)
        wave = [1]  # the first page alone: a wrong key or address costs one request
        while wave:
            await self._fetch(client, [number for number in wave if number not in have])
            wave = self._next_wave(wave[-1])
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
            self._collection.write(number, page)
            self._count(page)

    def _count(self, page: Page) -> None:
        known = len(self._ids)
        self._ids.update(row["game_id"] for row in map(flatten, page.games) if is_valid(row))
        self._nothing_new = 0 if len(self._ids) > known else self._nothing_new + 1
        self._page_size = max(self._page_size, len(page.games))
        wanted = self._settings.rawg_max_games
        self._advance(min(len(self._ids), wanted), wanted)

    def _ends_at(self, number: int) -> None:
        self._last_page = number if self._last_page is None else min(self._last_page, number)
