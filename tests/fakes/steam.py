"""A stand-in for the Steam Web API: a real HTTP server with the libraries of two players."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEY = "FEDCBA9876543210FEDCBA9876543210"
PLAYER, PRIVATE = "76561197960287930", "76561197960287931"

LIBRARY: list[object] = [
    {"appid": 620, "name": "Portal 2", "playtime_forever": 750, "rtime_last_played": 1_600_000_000},
    {"appid": 400, "name": "Portal", "playtime_forever": 90, "rtime_last_played": 86_400},
    {
        "appid": 42710,
        "name": "Call of Duty®: Black Ops - Multiplayer",
        "playtime_forever": 60,
        "rtime_last_played": 5e9,
    },
    {"appid": 42700, "name": "Call of Duty®: Black Ops", "playtime_forever": 30, "rtime_last_played": 1_500_000_000},
    {"appid": 570, "name": "Dota 2", "playtime_forever": 0, "rtime_last_played": 0},
    {"appid": 1, "name": "Spacewar", "playtime_forever": 10},
    {"appid": 2, "playtime_forever": 10},
]


class FakeSteam:
    """What the server knows; `faults` are statuses, bodies and headers that it answers first."""

    def __init__(self) -> None:
        self.libraries: dict[str, object] = {
            PLAYER: {"response": {"game_count": len(LIBRARY), "games": LIBRARY}},
            PRIVATE: {"response": {}},
        }
        self.faults: list[tuple[int, bytes, dict[str, str]]] = []
        self.requests: list[dict[str, str]] = []
        self.base_url = ""


class _Handler(BaseHTTPRequestHandler):
    steam: FakeSteam

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.steam.requests.append(query)
        if self.steam.faults:
            self._answer(*self.steam.faults.pop(0))
        elif parts.path != "/IPlayerService/GetOwnedGames/v1/":
            self._answer(404, b"<html>Not Found</html>", {})
        elif query.get("key") != KEY:
            self._answer(401, b"<html>Access is denied. Retrying will not help.</html>", {})
        elif query["steamid"] not in self.steam.libraries:
            self._answer(400, b"<html>Bad Request</html>", {})
        else:
            self._answer(200, json.dumps(self.steam.libraries[query["steamid"]]).encode(), {})

    def _answer(self, code: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def serve() -> Iterator[FakeSteam]:
    """Run the server on a free port of this machine."""
    steam = FakeSteam()
    handler = type("Handler", (_Handler,), {"steam": steam})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        steam.base_url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield steam
        finally:
            server.shutdown()
            thread.join()
