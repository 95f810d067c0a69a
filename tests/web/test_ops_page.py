"""The operator's page, in a browser, on a real service whose trainer is a stand-in."""

import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.core.artifact import Artifact
from app.core.database import Database
from app.core.documents import RAWG_QUOTA, VALIDATION, Documents
from app.core.recommender import Recommender
from app.core.store import ModelStore
from tests.app.test_loop import stands_in
from tests.app.test_start import Service, unmeasured
from tests.web import world
from tests.web.conftest import OpenPage, Watch
from tests.worlds import manifest, neighbours

pytestmark = pytest.mark.untraced

KEY = "admin-key-of-the-tests"
OLD, NEW = world.VERSION, "20260102T000000-000000"
# What the page asks of the service, beyond its own files, the health and the metrics.
GUARDED = ["models?n=1", f"models/{OLD}", f"models/{NEW}/compare", "retrain", "retrain/x/events", "collection"]
REFUSED = r"status of 40[13] "


class Ops:
    """The service, its folder, and what is pressed on its page."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service, self.folder = service, folder
        self.address = service.address

    def trains_as(self, mode: str) -> None:
        """Tell the stand-in what to do next."""
        stands_in(mode, self.folder)


def _publish_another(models: ModelStore) -> None:
    """Publish a version that recommends what lies further away, and finds less."""
    found = models.load(OLD)
    shifted = [{(index + step) % world.GAMES: 1.1 - step / 40 for step in range(5, 25)} for index in range(world.GAMES)]
    recommender = replace(Recommender.from_arrays(found.arrays), collaborative=neighbours(*shifted))
    lower = {"value": 0.2, "low": 0.15, "high": 0.25}
    told = manifest(
        NEW,
        counts=found.manifest.counts,
        metrics={"model": {"ndcg@10": lower, "recall@20": lower}},
        gate={"promoted": False, "reason": "It finds less <b>than</b> the champion.", "forced": False},
    )
    models.publish(Artifact(told, {**found.arrays, **recommender.to_arrays()}))


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ops]:
    folder = tmp_path_factory.mktemp("ops")
    models = ModelStore(folder / "models")
    world.build(models)
    _publish_another(models)
    environment = {
        "MODEL_STORE": str(folder / "models"),
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder}/interactions.db",
        "ADMIN_API_KEY": KEY,
        "PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parents[2])]),
    }
    with unmeasured(folder, **environment) as service:
        service.wait_for("looks after the training runs now")
        yield Ops(service, folder)


@pytest.fixture
def address(ops: Ops) -> str:
    return ops.address


def signed_in(page: Page, key: str = KEY) -> Page:
    page.get_by_label(re.compile("Admin key|관리자 키")).fill(key)
    page.keyboard.press("Enter")
    return page


def at_board(page: Page, key: str = KEY) -> Page:
    """Sign in, and wait until everything was read once."""
    page.clock.install()
    signed_in(page, key)
    expect(page.locator("#model .ops-version")).to_be_visible()
    return page


def later(page: Page, seconds: int = 6) -> None:
    """Let the page's clock go on, so that it looks again."""
    page.clock.fast_forward(1000 * seconds)


def test_without_the_key_there_is_nothing_and_every_call_is_refused(ops: Ops, open_page: OpenPage, watch: Watch):
    watch.allow(REFUSED)
    page = open_page("/ops")
    expect(page.get_by_label("Admin key")).to_be_focused()
    assert page.locator("main").inner_text().count("\n") < 8
    assert OLD not in page.content()
    assert _serious(page) == []

    signed_in(page, "a wrong key")
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    signed_in(page, "a-wrong-key")
    expect(page.get_by_role("alert")).to_contain_text("not valid")

    assert OLD not in page.content()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    for path in GUARDED:
        assert _status(f"{ops.address}/{path}") == 401
    assert _status(f"{ops.address}/retrain", data=b"{}") == 401
    assert _status(f"{ops.address}/models/{OLD}/activate", data=b"") == 401


def test_with_the_key_the_page_says_how_it_is_and_forgets_all_when_signed_out(open_page: OpenPage):
    page = at_board(open_page("/ops"))

    status = page.locator(".ops-status")
    expect(status).to_contain_text(OLD)
    expect(status).to_contain_text("One worker answers from it.")
    expect(page.locator("#model")).to_contain_text("simulated")
    expect(page.locator("#workers")).to_contain_text(OLD)
    expect(page.locator("#versions")).to_contain_text("It finds less <b>than</b> the champion.")
    expect(page.locator("#drift")).to_contain_text("Nothing to compare yet")
    expect(page.locator("#versions canvas")).to_be_visible()
    page.get_by_role("button", name="recall@20").click()
    expect(page.locator(".ops-said")).to_contain_text("recall@20")
    page.reload()
    expect(page.locator("#model .ops-version")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Admin key")).to_be_focused()
    assert OLD not in page.content()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_what_became_of_a_collection_is_shown_as_text(ops: Ops, open_page: OpenPage):
    page = at_board(open_page("/ops"))
    expect(page.locator("#collection")).to_contain_text("No collection has been validated yet.")
    documents = Documents(Database(f"sqlite:///{ops.folder}/interactions.db"))
    name = "'<img src=x onerror=alert(1)>'"
    aside = {"row": 7, "game_id": "4200", "name": name, "reason": "rating: must be a number from 0 to 5"}
    broken = {"reason": aside["reason"], "rows": 1, "examples": ["7.5"]}
    counts = {"rows": 10002, "valid": 10000, "repeated": 1, "bad": 1, "stopped_because": None}
    documents.put(VALIDATION, {"run_id": "r", **counts, "reasons": [broken], "set_aside": [aside]})
    documents.put(RAWG_QUOTA, {"run_id": "r", "month": "2026-11", "limit": 20000, "spent": 19990, "remaining": 10})
    later(page, 61)
    collection = page.locator("#collection")
    expect(collection).to_contain_text("10 of 20,000 requests left")
    collection.get_by_text("Rows set aside (1 of 1)").click()
    expect(collection).to_contain_text(name)
    expect(page.locator(".ops-status")).to_contain_text("Only 10 requests to RAWG are left this month.")


def test_a_key_that_is_none_any_more_leads_back_to_the_sign_in(open_page: OpenPage, watch: Watch):
    watch.allow(REFUSED)
    page = at_board(open_page("/ops"))
    page.evaluate("sessionStorage.setItem('ops-key', 'revoked')")
    later(page)
    expect(page.get_by_role("alert")).to_contain_text("not valid any more")
    assert OLD not in page.content()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_a_run_is_asked_for_and_followed_to_its_end(width: int, scheme: str, ops: Ops, open_page: OpenPage):
    ops.trains_as("walk")
    go_on = ops.folder / "go-on"
    go_on.unlink(missing_ok=True)
    page = at_board(open_page("/ops", width=width, scheme=scheme))
    button = page.get_by_role("button", name="Retrain…")
    button.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Ask RAWG for news")).to_be_checked()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_label("Dry run").check()
    dialog.get_by_label("Configurations to try").fill("3")
    dialog.get_by_role("button", name="Start the run").click()

    live = page.locator(".ops-watch")
    expect(live).to_contain_text("3 configurations tried")
    expect(live).to_contain_text("dry run")
    expect(live.locator("[aria-current=step]")).to_contain_text("Train")
    expect(live.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "33")
    expect(live.locator(".ops-log")).to_contain_text("train: 1 of 3")
    assert not _overflows(page)
    go_on.touch()
    expect(page.locator(".toast", has_text="The run has ended: Succeeded.")).to_be_visible()
    expect(live).to_be_hidden()
    expect(page.locator(".ops-runs tbody tr").first).to_contain_text("Succeeded")
    page.get_by_role("button", name="Details of the run").first.click()
    expect(dialog).to_contain_text("train: 1 of 3")


def test_a_run_is_stopped_and_one_that_fails_comes_first(ops: Ops, open_page: OpenPage):
    ops.trains_as("go on")
    page = at_board(open_page("/ops"))
    _retrain(page)
    page.locator(".ops-watch").get_by_role("button", name="Stop the run").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop the run").click()
    expect(page.locator(".ops-runs tbody tr").first).to_contain_text("Cancelled")

    ops.trains_as("fail")
    _retrain(page)
    expect(page.locator(".ops-status-title")).to_have_text("Needs somebody now")
    expect(page.locator(".ops-issue").first).to_contain_text("The last run failed")


def test_a_version_is_activated_once_its_changes_were_seen(ops: Ops, open_page: OpenPage):
    page = at_board(open_page("/ops"))
    page.get_by_role("button", name=f"Activate version {NEW}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row", name="ndcg@10")).to_contain_text("-0.050")
    expect(dialog.locator(".ops-moved").first).to_contain_text("%")
    expect(dialog.locator(".ops-sample").first.locator(".new").first).to_be_visible()
    assert not _overflows(page)
    assert _serious(page) == []
    dialog.get_by_role("button", name="Activate").click()

    expect(page.locator("#model .ops-version")).to_have_text(NEW)
    expect(dialog).to_have_count(0)
    assert ops.service.get("/health/ready")["model_version"] == NEW
    page.get_by_role("button", name=f"Activate version {OLD}").click()
    dialog.get_by_role("button", name="Activate").click()
    expect(page.locator("#model .ops-version")).to_have_text(OLD)


def test_traffic_is_told_from_two_readings_of_the_metrics(ops: Ops, open_page: OpenPage):
    page = at_board(open_page("/ops"))
    for player in ("12", "13", "nobody"):  # of whom nothing is known: popular games are what is to be expected
        ops.service.get(f"/recommend/{player}")
    assert _status(f"{ops.address}/recommend", b'{"played": [{"game_id": 99999999}]}') == 200
    later(page)
    tile = page.locator(".ops-tile", has_text="Fallback share")
    expect(tile.locator(".ops-figure")).to_have_text("25%")
    page.get_by_text("As a table").click()
    expect(page.locator("#traffic tbody tr").first).to_be_visible()


@pytest.mark.parametrize(("width", "scheme", "locale"), [(390, "light", "en-GB"), (1440, "dark", "ko-KR")])
def test_anybody_can_use_it(width: int, scheme: str, locale: str, open_page: OpenPage):
    page = open_page("/ops", width=width, scheme=scheme, locale=locale)
    at_board(page)
    assert _serious(page) == []
    assert not _overflows(page)
    assert page.evaluate("document.documentElement.lang") == locale[:2]
    assert "ops." not in page.locator("main").inner_text()


def test_a_service_that_is_away_is_said_and_its_return_too(open_page: OpenPage, watch: Watch):
    watch.allow("ERR_FAILED")
    page = at_board(open_page("/ops"))
    page.route(re.compile("/(metrics|health|retrain|models|collection)"), lambda route: route.abort())
    later(page)
    expect(page.locator(".ops-status-title")).to_contain_text("Not reachable since")
    expect(page.locator("#model .ops-version")).to_have_text(OLD)
    page.unroute_all()
    later(page)
    expect(page.locator(".ops-status-title")).not_to_contain_text("Not reachable since")


def _status(address: str, data: bytes | None = None) -> int:
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})  # noqa: S310  # our own
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # likewise
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def _retrain(page: Page) -> None:
    page.get_by_role("button", name="Retrain…").click()
    page.get_by_role("dialog").get_by_role("button", name="Start the run").click()


def _serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes']}" for one in found if one["impact"] in {"serious", "critical"}]


def _overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
