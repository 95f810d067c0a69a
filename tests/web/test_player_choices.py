"""What is chosen on the player page: filters, a visitor's games, a party, a game's own view; and the address of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import OpenPage, Watch
from tests.web.player_page import both_widths, cards, press, suggestions, undo, unfold

pytestmark = pytest.mark.untraced


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
