"""A stand-in for the RAWG API: a real HTTP server that pages, caps, repeats and fails as the real one does."""

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

KEY = "0123456789abcdef0123456789abcdef"


def game(game_id: int, **facts: object) -> dict[str, object]:
    """A record as a plain list holds it, every documented identity kept."""
    added = 10_000 - game_id % 9_000
    return {
        "id": game_id,
        "slug": f"game-{game_id}",
        "name": f"Game {game_id}",
        "released": f"20{game_id % 25:02}-0{1 + game_id % 9}-11",
        "tba": False,
        "background_image": f"https://media.rawg.io/media/games/{game_id}.jpg",
        "rating": 4.0,
        "ratings": [
            {"id": 5, "title": "exceptional", "count": 30, "percent": 50.0},
            {"id": 3, "title": "meh", "count": 30, "percent": 50.0},
        ],
        "ratings_count": 58,
        "reviews_count": 60,
        "added": added,
        "added_by_status": {"owned": added - 7, "beaten": 7},
        "metacritic": 50 + game_id % 50 if game_id % 3 else None,
        "playtime": game_id % 40,
        "updated": "2025-03-01T09:19:48",
        "platforms": [{"platform": {"id": 4, "name": "PC", "slug": "pc"}, "released_at": None}],
        "genres": [{"id": 1 + game_id % 7, "name": f"Genre {game_id % 7}", "slug": f"genre-{game_id % 7}"}],
        "tags": [
            {"id": 31, "name": "Singleplayer", "slug": "singleplayer", "language": "eng"},
            {"id": 32, "name": "Для одного игрока", "slug": "dlia", "language": "rus"},
        ],
        "esrb_rating": {"id": 4, "name": "Mature", "slug": "mature"},
        **facts,
    }


def filtered(record: dict[str, Any]) -> dict[str, object]:
    """A record as a filtered list holds it: without dates of platforms and counts of genres."""
    platforms = [{"platform": entry["platform"]} for entry in record["platforms"]]
    return {**record, "score": None, "stores": None, "platforms": platforms}


def listed(records: list[object]) -> bytes:
    """A page's body that holds these records."""
    return json.dumps({"results": records}).encode()


Fault = Callable[["_Handler", bytes], None]


def status(code: int, body: bytes = b"<html>error</html>", **headers: str) -> Fault:
    """Answer with a status and a body instead of the page."""
    return lambda handler, _page: handler.answer(code, body, headers)


def body(content: bytes) -> Fault:
    """Answer 200 with another body."""
    return status(200, content)


def truncated(handler: "_Handler", page: bytes) -> None:
    """Promise the whole page, and hang up half way."""
    handler.answer(200, page[: len(page) // 2], {"Content-Length": str(len(page))})
    handler.close_connection = True


def dripping(handler: "_Handler", page: bytes) -> None:
    """Answer a few bytes now and then, so that no single wait is long."""
    handler.answer(200, b"", {"Content-Length": str(len(page))})
    for start in range(0, 200, 10):
        handler.wfile.write(page[start : start + 10])
        time.sleep(0.1)
    handler.close_connection = True


def reset(handler: "_Handler", _page: bytes) -> None:
    """Reset the connection without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def slow(seconds: float) -> Fault:
    """Answer, but late."""

    def fault(handler: "_Handler", page: bytes) -> None:
        time.sleep(seconds)
        handler.answer(200, page, {})

    return fault


class FakeRawg:
    """What the server knows and does; `faults` maps a page to the faults of its first answers."""

    def __init__(self, games: list[object]) -> None:
        self.games = games
        self.pages: list[list[object]] | None = None
        self.faults: dict[int, list[Fault]] = {}
        self.requests: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.most_at_once = 0
        self.base_url = ""
        self._at_once = 0
        self._lock = threading.Lock()

    def asked_for(self) -> Counter[int]:
        """How often each page was asked for."""
        return Counter(int(request["page"]) for request in self.requests)

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def page(self, number: int, size: int) -> list[object]:
        if self.pages is not None:
            return self.pages[number - 1] if number <= len(self.pages) else []
        return self.games[(number - 1) * size : number * size]

    def touch(self, game_id: int, day: str, **facts: object) -> None:
        """Change a game, or add it, as somebody does on that day."""
        known = {found["id"]: place for place, found in enumerate(self.games) if isinstance(found, dict)}
        place = known.get(game_id)
        if place is None:
            self.games.append(game(game_id, updated=f"{day}T12:00:00", **facts))
        else:
            self.games[place] = {**self.games[place], "updated": f"{day}T12:00:00", **facts}  # type: ignore[dict-item]

    def updated(self, days: str) -> list[object]:
        """What was touched from the first day to the last, in the shape of filtered lists, most-added first."""
        first, last = days.split(",")
        found = [known for known in self.games if isinstance(known, dict) and first <= known["updated"][:10] <= last]
        return [filtered(known) for known in sorted(found, key=lambda known: -known["added"])]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rawg: FakeRawg

    def do_GET(self) -> None:
        with self.rawg.counted():
            self._get()

    def _get(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.rawg.headers.append(dict(self.headers))
        if parts.path != "/api/games":
            return self._json(404, {"detail": "Not found."})
        if "key" not in query:
            return self._json(401, {"error": "The key parameter is not provided"})
        if query["key"] != KEY:
            return self._json(401, {"error": "The API key is not found"})
        self.rawg.requests.append(query)
        self.rawg.times.append(time.monotonic())
        number, size = int(query["page"]), min(40, int(query["page_size"]))
        found, ends = self.rawg.games, False
        if "updated" in query:
            found = self.rawg.updated(query["updated"])
            results, ends = found[(number - 1) * size : number * size], number * size >= len(found)
        else:
            results = self.rawg.page(number, size)
        if not results and number > 1:
            return self._json(404, {"detail": "Invalid page."})
        following = (
            f"{self.rawg.base_url}/games?{urlencode({**query, 'page': number + 1})}" if results and not ends else None
        )
        page = json.dumps({"count": len(found), "next": following, "previous": None, "results": results})
        faults = self.rawg.faults.get(number)
        if faults:
            return faults.pop(0)(self, page.encode())
        return self.answer(200, page.encode(), {})

    def _json(self, code: int, content: object) -> None:
        self.answer(code, json.dumps(content).encode(), {})

    def answer(self, code: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Keep the tests' output clean."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_args: object) -> None:
        """Say nothing of clients that hang up: some tests make them."""


@contextmanager
def serve(games: list[object]) -> Iterator[FakeRawg]:
    """Run the server on a free port of this machine."""
    rawg = FakeRawg(games)
    handler = type("Handler", (_Handler,), {"rawg": rawg})
    with _Server(("127.0.0.1", 0), handler) as server:
        rawg.base_url = f"http://127.0.0.1:{server.server_port}/api"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield rawg
        finally:
            server.shutdown()
            thread.join()
