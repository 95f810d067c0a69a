"""How the player page looks and speaks, and what it says where something is missing."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.core.store import ModelStore
from tests.app.test_start import unmeasured
from tests.web import world
from tests.web.conftest import OpenPage, Watch
from tests.web.player_page import cards, press, unfold

pytestmark = pytest.mark.untraced

FIRST_VIEW_BYTES = 120_000


def test_the_first_view_is_small(open_page: OpenPage):
    page = open_page("/")
    assert cards(page)

    sizes = page.evaluate(
        """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
           .filter((one) => one.name.startsWith(location.origin))
           .map((one) => [new URL(one.name).pathname, one.decodedBodySize])"""
    )
    assert sum(size for _, size in sizes) <= FIRST_VIEW_BYTES, sorted(sizes, key=lambda one: -one[1])


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_names_are_shown_as_text_whatever_they_are(open_page: OpenPage, width: int, scheme: str):
    ids = ",".join(str(1000 + 85 + 3 * place) for place in range(len(world.STRANGE)))
    page = open_page(f"/?games={ids}", width, scheme)
    assert cards(page)
    unfold(page, "#shelf details")
    assert page.locator("#shelf-games a").all_inner_texts() == list(world.STRANGE)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for name in (world.HTML, world.LONG):
        page.goto(f"/?game={1000 + 85 + 3 * world.STRANGE.index(name)}")
        expect(page.get_by_role("heading", level=1).filter(visible=True)).to_have_text(name)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("h1 b, h1 img, h3 b, h3 img").count() == 0


def test_a_cover_is_shown_where_there_is_one_and_drawn_where_there_is_none(open_page: OpenPage, watch: Watch):
    page = open_page("/?game=1000")
    expect(page.locator("#game .cover img.there")).to_have_attribute(
        "src", f"{world.COVERS}/crop/600/400/games/there/0.jpg"
    )
    page.goto("/?game=1001")
    expect(page.locator("#game .cover img.there")).to_have_attribute("src", f"{world.COVERS}/games/large-only/1.jpg")
    for without in (1002, 1003, 1004):
        page.goto(f"/?game={without}")
        expect(page.locator("#game .cover svg.placeholder")).to_be_visible()
        expect(page.locator("#game .cover img")).to_have_count(0)
        box = page.locator("#game .cover").bounding_box()
        assert box is not None
        assert box["width"] / box["height"] == pytest.approx(16 / 9, abs=0.02)
    assert watch.covers
    assert all("referer" not in request.headers for request in watch.covers)


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("/?player=12&genre=RPG", "light"),
        ("/?player=12&genre=RPG", "dark"),
        ("/?games=1000,1001", "light"),
        ("/?party=12,13", "dark"),
        ("/?player=12&game=1085", "light"),
        ("/?game=1085", "dark"),
    ],
)
def test_nothing_stands_in_the_way_of_people_with_disabilities(open_page: OpenPage, path: str, scheme: str):
    page = open_page(path, 390 if scheme == "dark" else 1440, scheme)
    assert cards(page)

    found = Axe().run(page).response["violations"]

    serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in {"serious", "critical"}]
    assert serious == []


def test_the_page_speaks_korean_where_the_browser_does_and_the_switch_keeps_what_is_shown(open_page: OpenPage):
    page = open_page("/?player=12", locale="ko-KR")
    assert page.locator("html").get_attribute("lang") == "ko"
    expect(page.get_by_role("heading", level=1)).to_have_text("플레이어 12 님을 위한 게임")
    page.get_by_label("장르").select_option("RPG")
    expect(page).to_have_url(re.compile("genre=RPG"))

    page.get_by_role("link", name="English").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Games for player 12")
    expect(page.get_by_label("Genre")).to_have_value("RPG")


def test_a_service_that_is_away_is_told_and_asked_again(open_page: OpenPage, watch: Watch):
    page = open_page("/?player=12")
    assert cards(page)
    watch.allow("ERR_INTERNET_DISCONNECTED")

    page.context.set_offline(offline=True)
    page.get_by_label("Genre").select_option("RPG")
    expect(page.get_by_text("The service cannot be reached right now.").first).to_be_visible()

    page.context.set_offline(offline=False)
    page.get_by_role("button", name="Try again").click()
    assert cards(page)


def test_a_service_that_needs_a_key_asks_for_it_and_one_without_a_model_is_waited_for(
    open_page: OpenPage, watch: Watch, tmp_path: Path
):
    key = "admin-key-of-the-tests"
    models = tmp_path / "models"
    watch.allow("401|503")
    with unmeasured(
        tmp_path, MODEL_STORE=str(models), ADMIN_API_KEY=key, REQUIRE_READ_KEY="true", RETRAIN_ENABLED="false"
    ) as service:
        page = open_page("/?player=12", at=service.address)
        field = page.get_by_label("Key", exact=True)
        field.fill("not-the-key")
        field.press("Enter")
        expect(page.locator("#key-problem")).to_have_text("A valid key is needed.")
        field.fill(key)
        field.press("Enter")
        expect(page.get_by_text("The first model is being trained.")).to_be_visible()

        world.build(ModelStore(models))

        expect(page.get_by_text("Simulated players")).to_be_visible(timeout=20_000)
        played = press(page, 0, "Played it")
        expect(page.locator("#shelf-games")).to_contain_text(played)
