"""The page for players, in a real browser against the real service: what people do there, from end to end."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from app.core.store import ModelStore
from tests.app.test_start import unmeasured
from tests.web import world
from tests.web.conftest import OpenPage, Watch

FIRST_VIEW_BYTES = 120_000
both_widths = pytest.mark.parametrize("width", [390, 1440])


def cards(page: Page) -> list[str]:
    """The names of the games that are shown, once they are what was asked for last."""
    page.wait_for_selector("#list:not([aria-busy])", state="attached")
    return page.locator("#cards > li:not(.waiting) h3").all_inner_texts()


def unfold(page: Page, selector: str) -> None:
    """Open what is folded on a phone."""
    box = page.locator(selector)
    if not box.evaluate("element => element.open"):
        box.locator("summary").click()


def press(page: Page, place: int, text: str) -> str:
    """Press a button of the card in a place, and name its game."""
    name = cards(page)[place]
    page.locator("#cards > li").nth(place).get_by_role("button", name=text).click()
    expect(page.get_by_role("heading", name=name, level=3, exact=True)).to_have_count(0)
    return name


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def undo(page: Page) -> None:
    page.locator(".toast").last.get_by_role("button", name="Undo").click()


@both_widths
def test_a_newcomer_sees_real_games_at_once_with_reasons_and_whose_they_are(open_page: OpenPage, width: int):
    page = open_page("/", width)

    assert len(cards(page)) == 12
    expect(page.get_by_role("heading", level=1)).to_have_text("Games for player 12")
    expect(page.locator("#cards .reasons").first).to_contain_text(re.compile(r"\d+% because you played \w+"))
    expect(page.get_by_text("Simulated players")).to_be_visible()
    expect(page.get_by_role("link", name="RAWG", exact=True)).to_have_attribute("href", "https://rawg.io/")
    unfold(page, "#shelf details")
    expect(page.locator("#shelf-title")).to_have_text("Games so far: 12")
    expect(page.locator("#shelf-games > li")).to_have_count(8)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#shelf-games > li")).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_first_view_is_small(open_page: OpenPage):
    page = open_page("/")
    assert cards(page)

    sizes = page.evaluate(
        """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
           .filter((one) => one.name.startsWith(location.origin))
           .map((one) => [new URL(one.name).pathname, one.decodedBodySize])"""
    )
    assert sum(size for _, size in sizes) <= FIRST_VIEW_BYTES, sorted(sizes, key=lambda one: -one[1])


@both_widths
def test_what_was_played_leaves_the_list_at_once_and_can_be_undone(open_page: OpenPage, width: int):
    page = open_page(f"/?player={20 + width % 7}", width)
    before = cards(page)

    played = press(page, 1, "Played it")
    after = cards(page)
    assert played == before[1]
    assert played not in after
    assert len(after) == 12
    unfold(page, "#shelf details")
    expect(page.locator("#shelf-games")).to_contain_text(played)

    undo(page)
    expect(page.locator("#shelf-games")).not_to_contain_text(played)
    assert cards(page) == before


@both_widths
def test_what_is_not_wanted_is_gone_until_it_is_taken_back_from_the_own_games(open_page: OpenPage, width: int):
    page = open_page(f"/?player={30 + width % 7}", width)
    before = cards(page)

    hidden = press(page, 0, "Not for me")
    assert hidden not in cards(page)
    page.reload()
    assert hidden not in cards(page)

    unfold(page, "#shelf details")
    row = page.locator("#shelf-games > li").filter(has_text=hidden)
    expect(row).to_contain_text("Not for me")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert cards(page) == before

    undo(page)
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Remove").click()  # as it was for whoever comes next
    expect(row).to_have_count(0)


def test_everything_is_done_by_keyboard(open_page: OpenPage):
    page = open_page("/?player=41")
    before = cards(page)
    button = page.locator("#cards > li").first.get_by_role("button", name="Not for me")
    button.focus()

    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.locator("#cards > li h3 a").first).to_be_focused()  # of what took its place
    assert cards(page)[0] == before[1]

    page.locator("#cards > li").first.get_by_role("button", name="Played it").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#cards > li h3").first).to_have_text(before[1])


def test_a_page_that_was_open_for_long_still_writes(open_page: OpenPage, watch: Watch):
    page = open_page("/?player=42")
    assert cards(page)
    page.context.clear_cookies()
    watch.allow("401")

    played = press(page, 0, "Played it")

    expect(page.locator("#shelf-games")).to_contain_text(played)
    undo(page)
    expect(page.locator("#shelf-games")).not_to_contain_text(played)


@both_widths
def test_filters_and_variety_change_the_list_in_place_and_stand_in_the_address(open_page: OpenPage, width: int):
    page = open_page("/?player=12", width)
    before = cards(page)
    page.evaluate("window.same = true")
    unfold(page, ".filters-box")

    page.get_by_label("Genre").select_option("RPG")
    expect(page).to_have_url(re.compile(r"\?player=12&genre=RPG$"))
    expect(page.locator("#cards .facts").first).to_contain_text("RPG")
    filtered = cards(page)
    assert filtered != before
    assert all("RPG" in facts for facts in page.locator("#cards .facts").all_inner_texts())

    page.get_by_label("From year").fill("2005")
    page.get_by_label("From year").press("Enter")
    expect(page).to_have_url(re.compile("from=2005"))
    slider = page.get_by_label("Variety")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"diversity=0\.2"))
    expect(page.locator("#diversity-value")).to_have_text("20%")
    assert cards(page)
    assert page.evaluate("window.same")  # nothing was loaded anew

    page.reload()
    unfold(page, ".filters-box")
    expect(page.get_by_label("Genre")).to_have_value("RPG")
    page.get_by_role("button", name="Clear filters").click()
    expect(page).to_have_url(re.compile(r"\?player=12$"))
    assert cards(page) == before


def test_the_browsers_way_back_is_the_pages(open_page: OpenPage):
    page = open_page("/?player=12")
    before = cards(page)
    page.get_by_label("Platform").select_option("Nintendo Switch")
    expect(page).to_have_url(re.compile("platform=Nintendo"))
    assert cards(page)

    page.go_back()
    expect(page.get_by_label("Platform")).to_have_value("")
    assert cards(page) == before
    page.go_forward()
    expect(page.get_by_label("Platform")).to_have_value("Nintendo Switch")


def test_where_nothing_passes_the_filters_the_page_says_so(open_page: OpenPage):
    page = open_page("/?player=12&genre=Puzzle&from=2024&metacritic=100")

    expect(page.get_by_text("No game passes these filters.")).to_be_visible()
    page.locator("#nothing-clear").click()
    assert len(cards(page)) == 12


def test_more_games_follow_on_the_same_page(open_page: OpenPage):
    page = open_page("/?player=12")
    before = cards(page)

    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#cards > li")).to_have_count(24)

    assert cards(page)[:12] == before
    expect(page.locator("#cards > li h3 a").nth(12)).to_be_focused()


def test_another_player_and_one_by_chance(open_page: OpenPage):
    page = open_page("/")
    page.get_by_label("Player", exact=True).fill("Zoë/1")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?player=Zo%C3%AB%2F1$"))
    expect(page.locator("#warnings")).to_contain_text("Nothing is known of this player yet")
    expect(page.get_by_text("One of the most played games.").first).to_be_visible()
    expect(page.get_by_text("None yet.")).to_be_visible()

    page.get_by_role("button", name="Surprise me").click()
    expect(page).to_have_url(re.compile(r"\?player=\d+$"))
    expect(page.locator("#cards .reasons").first).to_be_visible()


@both_widths
def test_a_visitor_picks_games_and_nothing_is_written(open_page: OpenPage, width: int):
    page = open_page("/", width)
    written: list[str] = []
    page.on("request", lambda request: written.append(request.url) if "/page/" in request.url else None)
    page.get_by_role("link", name="Games you like").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pick games you like")
    expect(page.locator("#warnings")).to_contain_text("Nothing is picked yet")

    field = page.get_by_role("combobox", name="Search for a game")
    field.press_sequentially("iron harb")
    expect(suggestions(page).first).to_contain_text("Iron Harbour")
    field.press("ArrowDown")
    expect(suggestions(page).first).to_have_attribute("aria-selected", "true")
    field.press("Enter")
    expect(page).to_have_url(re.compile(r"\?games=\d+$"))
    expect(page.locator("#cards .reasons").first).to_contain_text(re.compile("because you played Iron Harbour"))

    first = cards(page)
    excluded = press(page, 0, "Not for me")
    expect(page).to_have_url(re.compile(r"exclude=\d+$"))
    picked = press(page, 0, "Played it")
    expect(page).to_have_url(re.compile(r"\?games=\d+,\d+&exclude=\d+$"))
    unfold(page, "#shelf details")
    expect(page.locator("#shelf-games > li")).to_have_count(3)
    assert excluded not in cards(page)
    undo(page)
    expect(page).to_have_url(re.compile(r"\?games=\d+&exclude=\d+$"))
    assert picked in cards(page)
    page.locator("#shelf-games > li").filter(has_text=excluded).get_by_role("button").click()
    expect(page).to_have_url(re.compile(r"\?games=\d+$"))
    assert cards(page) == first
    assert written == []


def test_suggestions_close_and_a_name_that_no_game_has_is_said(open_page: OpenPage):
    page = open_page("/?games=")
    field = page.get_by_role("combobox", name="Search for a game")
    field.press_sequentially("neon")
    expect(suggestions(page)).to_have_count(8)
    field.press("ArrowUp")
    expect(suggestions(page).last).to_have_attribute("aria-selected", "true")
    field.press("Escape")
    expect(suggestions(page)).to_have_count(0)
    expect(field).to_have_attribute("aria-expanded", "false")

    field.fill("xqzzw")
    expect(page.get_by_text("No game has such a name.")).to_be_visible()
    field.fill("lost gard")
    suggestions(page).first.click()
    expect(page.locator("#shelf-games")).to_contain_text("Lost Garden")


@both_widths
def test_a_party_finds_games_for_all_and_sees_how_well_they_suit_whom(open_page: OpenPage, width: int):
    page = open_page("/?party=", width)
    expect(page.get_by_role("heading", level=1)).to_have_text("Who plays together?")
    member = page.get_by_label("Players, two to eight")
    for player in ("12", "13", "14"):
        member.fill(player)
        member.press("Enter")
    expect(page).to_have_url(re.compile(r"\?party=12,13,14$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Games for 12, 13, 14 together")
    assert len(cards(page)) == 12
    expect(page.locator("#cards .fits").first).to_contain_text(re.compile(r"1[234]\s*\d+%"))

    page.get_by_role("button", name="Remove player 13").click()
    page.get_by_role("button", name="Remove player 14").click()
    expect(page.locator("#cards > li")).to_have_count(0)


@both_widths
def test_a_game_has_a_view_of_its_own_with_games_that_go_with_it(open_page: OpenPage, width: int):
    page = open_page("/?player=12", width)
    name = cards(page)[2]
    page.locator("#cards > li").nth(2).get_by_role("link", name="More like").click()

    expect(page.get_by_role("heading", name=name, level=1, exact=True)).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?player=12&game=\d+$"))
    expect(page.get_by_text("The same people play it.").first).to_be_visible()
    expect(page.get_by_text("Simulated players")).to_be_visible()
    assert len(cards(page)) >= 9
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_role("heading", level=1).filter(visible=True)).to_have_text("Games for player 12")
    assert cards(page)[2] == name


def test_the_way_back_from_a_game_leads_to_where_it_was_left(open_page: OpenPage):
    page = open_page("/?player=12", 390)
    assert cards(page)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#cards > li")).to_have_count(24)
    page.locator("#cards > li").nth(20).get_by_role("link", name="More like").click()
    expect(page.get_by_text("The same people play it.").first).to_be_visible()

    page.go_back()

    expect(page.locator("#cards > li")).to_have_count(24)
    expect(page.locator("#cards > li").nth(20)).to_be_in_viewport()


def test_a_link_to_a_game_is_enough(open_page: OpenPage, watch: Watch):
    page = open_page("/?game=1000")
    expect(page.get_by_role("heading", level=1).filter(visible=True)).to_have_text("Iron Harbour 1")

    watch.allow("404")
    page.goto("/?game=7")
    expect(page.get_by_text("There is no such game here.")).to_be_visible()


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
