"""The player page as tests use it."""

import pytest
from playwright.sync_api import Locator, Page, expect

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
