"""Fixtures: a service with a world for the pages, one browser, and pages in it that are watched."""

import base64
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, expect, sync_playwright

from app.core.store import ModelStore
from tests.app.test_start import Service, unmeasured
from tests.web import world

MISSING = "There is no chromium: apt-get install chromium"
PATIENCE = 20_000  # milliseconds: the machine may be busy
HEIGHTS = {390: 844, 1440: 900}

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_VIOLATIONS = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
    });
"""

OpenPage = Callable[..., Page]


class Watch:
    """Sees what no page may do: errors, violations of the content policy, requests to another host."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.covers: list[Request] = []
        self._pages: list[tuple[Page, str]] = []
        self._allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expect a fault: the browser reports every answer that is an error as one."""
        self._allowed.append(pattern)

    def follow(self, page: Page, address: str) -> None:
        self._pages.append((page, address))
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", lambda request: self._asked(request, address))

    def check(self) -> None:
        for page, _ in self._pages:
            if not page.is_closed():
                self.faults += page.evaluate("window.violations ?? []")
        assert [fault for fault in self.faults if not any(re.search(known, fault) for known in self._allowed)] == []

    def _said(self, message: ConsoleMessage) -> None:
        lost_cover = message.location["url"].startswith(world.COVERS) and "Failed to load" in message.text
        if message.type in {"error", "warning"} and not lost_cover:
            self.faults.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _asked(self, request: Request, address: str) -> None:
        if request.url.startswith(f"{world.COVERS}/") and request.resource_type == "image":
            self.covers.append(request)
        elif not request.url.startswith((f"{address}/", "data:", "blob:")):
            self.faults.append(f"asked another host: {request.url}")


@pytest.fixture(scope="session")
def published_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model store with the world."""
    folder = tmp_path_factory.mktemp("web") / "models"
    world.build(ModelStore(folder))
    return folder


@pytest.fixture(scope="session")
def service(published_world: Path) -> Iterator[Service]:
    """The service on that world, shared by all tests: each uses a player of its own."""
    folder = published_world.parent
    with unmeasured(
        folder, MODEL_STORE=str(published_world), DATA_DIR=str(folder / "data"), RETRAIN_ENABLED="false"
    ) as running:
        yield running


@pytest.fixture
def address(service: Service) -> str:
    """Where the pages are; a module with a service of its own has a fixture of this name instead."""
    return service.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; while there is one, an event loop runs in this thread, and no other test may start its own."""
    chromium = shutil.which("chromium") or pytest.skip(MISSING)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def open_page(browser: Browser, address: str, watch: Watch) -> Iterator[OpenPage]:
    """Open a path in a browser of one's own, which is watched: `open_page("/", width=390, scheme="dark")`."""
    contexts = []

    def opened(
        path: str = "/", width: int = 1440, scheme: Any = "light", locale: str = "en-GB", at: str = address
    ) -> Page:
        context = browser.new_context(
            base_url=at,
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=scheme,
            locale=locale,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(_VIOLATIONS)
        context.route(f"{world.COVERS}/**", _cover)
        page = context.new_page()
        watch.follow(page, at)
        page.goto(path)
        return page

    yield opened
    watch.check()
    for context in contexts:
        context.close()


def _cover(route: Route) -> None:
    """Answer for RAWG: some pictures are there, some only whole, some are lost."""
    url = route.request.url
    if "/there/" in url or ("/large-only/" in url and "/crop/" not in url):
        route.fulfill(body=_PIXEL, content_type="image/png")
    else:
        route.fulfill(status=404)
