"""What a player does on the page, in a real browser against the real service."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import OpenPage, Watch
from tests.web.player_page import both_widths, cards, press, undo, unfold

pytestmark = pytest.mark.untraced


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
