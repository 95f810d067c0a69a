"""Takes the pictures of the pages that the README shows, and writes them beside this file.

    uv run --group dev python docs/screenshots.py

A model is trained on the starter catalogue in a folder of its own, and served; Debian's chromium looks at both pages.
Covers come from RAWG: where that is out of reach, the pages draw placeholders.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from urllib.request import urlopen

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.service import ADMIN_KEY, environment, serving

_WIDE, _PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
_RUNS = ((), ("--tune", "2"), ())


def main() -> None:
    """Train, serve, look."""
    chromium = shutil.which("chromium") or sys.exit("error: There is no chromium: apt-get install chromium")
    with TemporaryDirectory() as folder:
        settings = {"MODEL_STORE": f"{folder}/models", "DATA_DIR": f"{folder}/data"}
        for options in _RUNS:
            training = [sys.executable, "-m", "training", "run", "--starter", *options]
            subprocess.run(training, cwd=folder, env=environment(settings), check=True)
        with serving(settings, workers=2) as (_, port), sync_playwright() as playwright:
            address = f"http://127.0.0.1:{port}"
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            over = Event()
            asking = Thread(target=_ask, args=(address, over))
            asking.start()
            try:
                _take(browser, address)
            finally:
                over.set()
                asking.join()


def _take(browser: Browser, address: str) -> None:
    _picture(_player(browser, address, _WIDE, "light"), "player.png")
    _picture(_player(browser, address, _PHONE, "dark"), "player-phone.png")
    page = _page(browser, f"{address}/ops", _WIDE, "light")
    page.locator("input[type=password]").fill(ADMIN_KEY)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Live model").wait_for()
    page.wait_for_timeout(12_000)  # two readings of the metrics make a rate
    _picture(page, "ops.png")


def _player(browser: Browser, address: str, size: dict[str, int], scheme: str) -> Page:
    page = _page(browser, f"{address}/?player=12", size, scheme)
    page.locator("#list:not([aria-busy])").wait_for()
    page.wait_for_timeout(2_000)  # for the covers
    return page


def _page(browser: Browser, address: str, size: dict[str, int], scheme: str) -> Page:
    page = browser.new_page(viewport=size, color_scheme=scheme, locale="en-GB", reduced_motion="reduce")  # type: ignore[arg-type]  # a TypedDict, a Literal
    page.goto(address)
    return page


def _picture(page: Page, name: str) -> None:
    page.screenshot(path=HERE / name)
    page.close()
    print(f"docs/{name}")


def _ask(address: str, over: Event) -> None:
    """Give the operator some traffic to look at."""
    player = 0
    while not over.wait(0.05):
        player = player % 100 + 1
        with urlopen(f"{address}/recommend/{player}", timeout=5) as answer:  # noqa: S310  # our own address
            answer.read()


if __name__ == "__main__":
    main()
