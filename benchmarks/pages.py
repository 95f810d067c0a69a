"""How soon the pages are there, and how fast the search answers while somebody types, over 100,000 games.

    uv run --group dev python benchmarks/pages.py [--games N]

The search is asked over HTTP for every beginning, of one to ten letters, of the names of some games. A page's first
paint is the browser's own figure (Debian's chromium), beside that of a page of a few bytes; each is the median of
several visits of a browser that has visited nothing yet.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright

from app.core.recommender import Recommender
from app.core.store import ModelStore
from benchmarks import serving_world
from benchmarks.service import serving

_NAMES, _LETTERS = 60, 10
_VISITS = 9
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_SENT = """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((one) => one.name.startsWith(location.origin))
    .reduce((sum, one) => [sum[0] + one.decodedBodySize, sum[1] + one.encodedBodySize], [0, 0])"""


def main() -> None:
    """Measure, and print it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--games", type=int, default=100_000)
    games = arguments.parse_args().games
    chromium = shutil.which("chromium") or sys.exit("error: There is no chromium: apt-get install chromium")
    with TemporaryDirectory() as name:
        folder = Path(name)
        models, _ = serving_world.publish(folder, serving_world.synthetic_plays(), games)
        settings = {"MODEL_STORE": str(models), "DATA_DIR": str(folder)}
        with serving(settings, workers=1) as (_, port):
            address = f"http://127.0.0.1:{port}"
            _tell_searches(list(_searches(address, _names(models))), games)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                for path in ("/health/live", "/", "/ops"):
                    _tell_visits(path, [_visit(browser, address + path) for _ in range(_VISITS)])


def _names(models: Path) -> list[str]:
    artifact = ModelStore(models).current() or sys.exit("error: Nothing was published.")
    catalogue = Recommender.from_arrays(artifact.arrays).catalogue
    some = Random(0).sample(range(len(catalogue)), _NAMES)  # noqa: S311  # a draw of names
    return [catalogue.game(index)["name"] for index in some]


def _searches(address: str, names: list[str]) -> Iterator[float]:
    """Type the names, and give the milliseconds that each answer took."""
    for name in names:
        for end in range(1, _LETTERS + 1):
            begun = time.perf_counter()
            with urlopen(f"{address}/games?n=8&q={quote(name[:end])}", timeout=30) as answer:  # noqa: S310  # our own
                answer.read()
            yield (time.perf_counter() - begun) * 1000


def _tell_searches(took: list[float], games: int) -> None:
    p50, p99, worst = np.percentile(took, (50, 99, 100))
    print(f"search over {games:,} games: median {p50:.1f} ms, p99 {p99:.1f} ms, worst {worst:.1f} ms of {len(took)}")


def _visit(browser: Browser, address: str) -> tuple[float, int, int]:
    """Give the milliseconds until the first paint, and the bytes that came, unpacked and packed."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    plain, packed = page.evaluate(_SENT)
    found = (float(page.evaluate(_PAINT)), int(plain), int(packed))
    context.close()
    return found


def _tell_visits(path: str, visits: list[tuple[float, int, int]]) -> None:
    paints, plain, packed = zip(*visits, strict=True)
    size = f"{median(plain) / 1000:.0f} KB, {median(packed) / 1000:.0f} KB packed"
    print(f"{path:14} first paint {median(paints):.0f} ms (worst {max(paints):.0f}), {size}")


if __name__ == "__main__":
    main()
