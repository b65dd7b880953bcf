"""Less motion, forced colours, and a window of 320 pixels."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.people import person
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

NARROW: dict[str, Any] = {"viewport": {"width": 320, "height": 640}}
FORM = {
    "type": "form",
    "payload": {
        "fields": [
            {"name": "amount", "type": "number", "label": "Amount", "required": True},
            {"name": "why", "type": "textarea", "label": "Why"},
            {"name": "sure", "type": "checkbox", "label": "I am sure"},
        ]
    },
}
LONG = "Averyveryverylongwordthatnobodywouldbreakbyhandbecauseithasnospaces " * 2


@pytest.fixture(scope="module")
def tab(browser: Browser, stack: Stack) -> Iterator[Page]:
    with person(browser, stack, **NARROW) as someone:
        yield someone.open()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    yield tab
    tab.emulate_media(forced_colors="none", reduced_motion="no-preference")


@pytest.fixture(scope="module")
def review_id(stack: Stack) -> str:
    return stack.ask(FORM, text=f"# {LONG}\n\n`{LONG}`\n\n| a | b |\n| --- | --- |\n| {LONG} | 1 |")


def sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_nothing_is_cut_off_at_320_pixels(stack: Stack, page: Page, review_id: str) -> None:
    for path in ("/inbox/", f"/inbox/{review_id}/"):
        page.goto(stack.url + path)
        assert not sideways(page), path
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#card [role=alert]")).to_be_focused()
    assert not sideways(page)


def test_focus_is_seen_with_forced_colours(stack: Stack, page: Page, review_id: str) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(f"{stack.url}/inbox/{review_id}/")
    for control in (page.get_by_label("Amount"), page.get_by_role("button", name="Send")):
        page.keyboard.press("Tab")  # the ring is for those who use the keyboard
        control.focus()
        width, style = control.evaluate(
            "one => [getComputedStyle(one).outlineWidth, getComputedStyle(one).outlineStyle]"
        )
        assert (float(width.removesuffix("px")) >= 2, style != "none") == (True, True)
        border = control.evaluate("one => parseFloat(getComputedStyle(one).borderTopWidth)")
        assert border >= 1, "without colours, only the border shows what it is"


def test_nothing_moves_for_those_who_want_less_motion(
    stack: Stack, page: Page, review_id: str
) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{stack.url}/inbox/{review_id}/")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#card [role=alert]")).to_be_focused()
    moving = """() => [...document.querySelectorAll('*')].filter((one) => {
        const style = getComputedStyle(one);
        const seconds = (list) => Math.max(...list.split(',').map(parseFloat));
        return seconds(style.transitionDuration) > 0.01 || seconds(style.animationDuration) > 0.01;
    }).map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(moving) == []
