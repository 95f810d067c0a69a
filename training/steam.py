"""A player's own library, from the Steam Web API."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from app.core.errors import ImportFailedError, SteamError
from app.core.importing.reading import Read
from app.core.importing.steam_200k import MAX_TITLE_LENGTH, owned_game
from app.core.importing.summary import ImportSummary
from app.core.interactions import Interaction, InteractionStore, Kind
from app.core.rows import hours
from app.core.settings import Settings
from app.core.titles import Titles
from training import retry_after

TRIES = 6
LONGEST_WAIT = 300.0  # seconds; where Steam asks for more, a person should decide

_SECONDS_TO_ANSWER = 30.0
_MINUTES = 60.0  # in an hour
_NEVER = 86_400  # Steam's last time of what was played before it noted times; 0 is what was not played
_PATH = "/IPlayerService/GetOwnedGames/v1/"


class Owned(NamedTuple):
    """A game of a library: its title, the hours in all, and when it was last played (since 1970), if Steam says."""

    title: str
    hours: float
    at: float | None


def import_library(library: list[Owned], user_id: str, store: InteractionStore, titles: Titles) -> ImportSummary:
    """Write a library to the store, in one transaction.

    A game that was never played is a play of no hours, and what several parts of one game say is added up. Raises
    `ImportFailedError`, and writes nothing, where the catalogue has none of the games.
    """
    summary = ImportSummary()
    found = list(_matched(library, user_id, titles))
    summary.add(found)
    if not summary.rows:
        raise ImportFailedError(f"None of the {len(library)} games of this Steam library is in the catalogue.")
    store.write([one for read in found for one in read.interactions])
    return summary


def _matched(library: list[Owned], user_id: str, titles: Titles) -> Iterator[Read]:
    played: dict[int, float] = {}
    latest: dict[int, float] = {}
    for number, owned in enumerate(library, start=1):
        game = titles.find(owned.title)
        if game is None:
            yield Read(0, number, title=owned.title)
            continue
        played[game] = played.get(game, 0.0) + owned.hours
        if owned.at is not None:
            latest[game] = max(latest.get(game, 0.0), owned.at)
        whole = Interaction(user_id, game, Kind.PLAY, played[game], latest.get(game))
        yield Read(0, number, (whole if played[game] else owned_game(user_id, game),))


class _TransientError(Exception):
    """A failure that may pass: what happened, and how many seconds Steam asks to wait, if it does."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


def library_of(steam_id: str, settings: Settings) -> list[Owned]:
    """Ask Steam for the games of a player; raises `SteamError` where it does not tell them.

    The key travels in the URL, and appears in no error or log line.
    """
    if settings.steam_api_key is None:
        raise SteamError("STEAM_API_KEY is not set; a key is free at https://steamcommunity.com/dev/apikey.")
    parameters = {
        "key": settings.steam_api_key.get_secret_value(),
        "steamid": steam_id,
        "include_appinfo": "1",
        "include_played_free_games": "1",
        "format": "json",
    }
    tries = Retrying(
        retry=retry_if_exception_type(_TransientError), wait=_wait, stop=stop_after_attempt(TRIES), reraise=True
    )
    with httpx.Client(timeout=_SECONDS_TO_ANSWER) as http:
        try:
            games: list[Owned] = tries(_ask, http, settings.steam_base_url + _PATH, parameters)
        except _TransientError as failed:
            raise SteamError(f"Steam did not answer in {TRIES} tries, the last one ending with {failed}.") from None
    return games


def _ask(http: httpx.Client, url: str, parameters: dict[str, str]) -> list[Owned]:
    try:
        response = http.get(url, params=parameters)
    except httpx.RequestError as failed:
        raise _TransientError(retry_after.what_happened(failed)) from None
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _TransientError(f"HTTP {status}", _wait_asked_for(response))
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise SteamError(f"Steam refuses the key in STEAM_API_KEY (HTTP {status}).")
    if status != httpx.codes.OK:
        raise SteamError(
            f"Steam answered HTTP {status}; check the player's id, as in 76561197960287930, and STEAM_BASE_URL."
        )
    try:
        answer = response.json()["response"]
        return _library(answer)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise _TransientError("a body that is not JSON") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SteamError("Steam's answer is no list of games; check STEAM_BASE_URL.") from None


def _library(answer: dict[str, object]) -> list[Owned]:
    games = answer.get("games")
    if games is None:
        raise SteamError(
            "Steam tells no games of this player: the id is another's, the library is empty, or the profile is private "
            "(in Steam's privacy settings, 'Game details' must be public)."
        )
    if not isinstance(games, list):
        raise TypeError("games must be a list")
    return [_owned(game) for game in games]


def _owned(game: dict[str, object]) -> Owned:
    title = str(game.get("name") or f"app {game['appid']}")[:MAX_TITLE_LENGTH]
    minutes, last_played = game.get("playtime_forever"), game.get("rtime_last_played")
    when = last_played if isinstance(last_played, int) and last_played > _NEVER else None
    return Owned(title, hours(minutes / _MINUTES if isinstance(minutes, int) else None) or 0.0, when)


def _wait_asked_for(response: httpx.Response) -> float | None:
    wait = retry_after.seconds(response.headers.get("Retry-After"))
    if wait is not None and wait > LONGEST_WAIT:
        raise SteamError(f"Steam asks to wait {wait:.0f} seconds; try again then.")
    return wait


_backoff = wait_random_exponential(multiplier=0.5, max=30)


def _wait(state: RetryCallState) -> float:
    error = state.outcome and state.outcome.exception()
    asked = error.wait if isinstance(error, _TransientError) else None
    return _backoff(state) if asked is None else asked
