"""A stand-in for a Slack webhook: a real HTTP server that refuses what Slack refuses, and fails as it does."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/services/T0000SECRET/B0000SECRET/XXXXsecretXXXX"

_ENTITY = re.compile(r"&(?!(amp|lt|gt);)")
_MARKUP = re.compile(r"<([^<>]*)>")
_OURS = re.compile(r"https?://[^|\s]+\|[^|]+|!date\^\d+\^\{date_num\} \{time\}\|[^|]+")


def units(text: str) -> int:
    """The length of a text as JavaScript has it."""
    return len(text.encode("utf-16-le")) // 2


def problems(body: dict[str, Any]) -> list[str]:
    """What is wrong with a message by the limits of Block Kit, those included that Slack itself is lax about."""
    found = []
    text = body.get("text", "")
    if not 0 < units(text) <= 4000:
        found.append("text")
    blocks = body.get("blocks", [])
    if len(blocks) > 50:
        found.append("too many blocks")
    for block in blocks:
        found += _of_block(block)
    return found


def _of_block(block: dict[str, Any]) -> list[str]:
    match block:
        case {"type": "header", "text": {"type": "plain_text"} as text}:
            return _of_text(text, 150)
        case {"type": "section", "text": text, **rest} if rest.keys() <= {"type"}:
            return _of_text(text, 3000)
        case {"type": "section", "fields": fields} if 0 < len(fields) <= 10:
            return [problem for field in fields for problem in _of_text(field, 2000)]
        case {"type": "context", "elements": elements} if 0 < len(elements) <= 10:
            return [problem for element in elements for problem in _of_text(element, 3000)]
    return [f"block {str(block)[:200]}"]


def _of_text(text: dict[str, Any], longest: int) -> list[str]:
    found = []
    content = text["text"]
    if text.keys() - {"type", "text", *(("verbatim",) if text["type"] == "mrkdwn" else ("emoji",))}:
        found.append(f"keys of a text: {sorted(text)}")
    if text["type"] not in {"mrkdwn", "plain_text"} or not 0 < units(content) <= longest:
        found.append(f"length of {content[:200]!r}")
    return found + injections(content)


def injections(content: str) -> list[str]:
    """What stands in a text that Slack would take for markup, and is not of the product's making."""
    found = [f"unescaped in {content[:200]!r}"] if _ENTITY.search(content) else []
    found += [f"markup {inner!r}" for inner in _MARKUP.findall(content) if not _OURS.fullmatch(inner)]
    left = _MARKUP.sub("", content)
    left = re.sub(r"^> ", "", left, flags=re.MULTILINE)  # a quotation
    return [*found, *([f"bracket in {left[:200]!r}"] if "<" in left or ">" in left else [])]


Fault = Callable[["_Handler"], None]


def status(code: int, said: str = "error", **headers: str) -> Fault:
    """Answer with a status and a word."""
    return lambda handler: handler.answer(code, said, headers)


def never(handler: "_Handler") -> None:
    """Do not answer before the test is over."""
    handler.slack.over.wait(30)
    handler.close_connection = True


def dripping(handler: "_Handler") -> None:
    """Answer a byte now and then, and never to the end."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not handler.slack.over.wait(0.1):
        handler.wfile.write(b"o")
    handler.close_connection = True


def hang_up(handler: "_Handler") -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


class FakeSlack:
    """What the server was sent: `messages` are those it took. `faults` are for its first answers."""

    def __init__(self) -> None:
        self.url = ""
        self.messages: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.over = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    slack: FakeSlack

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.slack.requests.append(body)
        if self.path != PATH:
            return self.answer(404, "no_service", {})
        if self.slack.faults:
            return self.slack.faults.pop(0)(self)
        if problems(body):
            return self.answer(400, "invalid_blocks", {})
        self.slack.messages.append(body)
        return self.answer(200, "ok", {})

    def answer(self, code: int, said: str, headers: dict[str, str]) -> None:
        self.send_response(code)
        content = said.encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Type": "text/html", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Keep the tests' output clean."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_args: object) -> None:
        """Say nothing of clients that hang up."""


@contextmanager
def serve() -> Iterator[FakeSlack]:
    """Run the server on a free port of this machine."""
    slack = FakeSlack()
    handler = type("Handler", (_Handler,), {"slack": slack})
    with _Server(("127.0.0.1", 0), handler) as server:
        slack.url = f"http://127.0.0.1:{server.server_port}{PATH}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield slack
        finally:
            slack.over.set()
            server.shutdown()
            thread.join()


def as_text(body: dict[str, Any]) -> str:
    """A message as people read it, roughly."""
    return "\n".join(
        piece["text"]
        for block in body["blocks"]
        for piece in (block.get("fields") or block.get("elements") or [block["text"]])
    )
