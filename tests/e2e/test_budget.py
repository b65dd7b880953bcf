"""What a page costs: bytes of the first load, time to the first change, shifts of the layout."""

import statistics
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.people import DESK, Person, listening, new_channel, person
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

FIRST_LOAD_BYTES = 100 * 1024
CHANGE_MS = 500  # the budget is 100; machines of a test run are slow and shared
SHIFT = 0.02
CLICKS = 20
WATCH_SHIFTS = """window.shift = 0; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shift += entry.value;
}).observe({type: 'layout-shift', buffered: true});"""
# From the click to the frame that shows another title.
CLICK = """row => new Promise((done) => {
    const before = document.getElementById('detail-title').textContent;
    const begin = performance.now();
    new MutationObserver((_, observer) => {
        const now = document.getElementById('detail-title')?.textContent;
        if (!now || now === before) return;
        observer.disconnect();
        requestAnimationFrame(() => done(performance.now() - begin));
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
    row.click();
})"""


@pytest.fixture(scope="module")
def owner(browser: Browser, stack: Stack) -> Iterator[Person]:
    with person(browser, stack, **DESK) as someone:
        yield someone


@pytest.fixture
def page(owner: Person) -> Iterator[Page]:
    yield owner.context.new_page()
    owner.close_tabs()


def test_first_load_is_small(owner: Person, stack: Stack, page: Page) -> None:
    for number in range(20):
        stack.ask({"type": "approval", "payload": {}}, text=f"Review {number}\n\nIn two parts.")
    session = owner.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    paths: dict[str, str] = {}
    sizes: dict[str, float] = {}

    def responded(event: dict[str, Any]) -> None:
        paths[event["requestId"]] = event["response"]["url"].removeprefix(stack.url)

    def finished(event: dict[str, Any]) -> None:
        sizes[event["requestId"]] = event["encodedDataLength"]

    session.on("Network.responseReceived", responded)
    session.on("Network.loadingFinished", finished)
    page.goto(f"{stack.url}/inbox/", wait_until="load")
    listening(page)
    for _request_id, _size in sorted(sizes.items(), key=lambda item: -item[1]):
        pass
    total = sum(sizes.values())
    assert total <= FIRST_LOAD_BYTES


def test_click_changes_the_page_at_once_and_moves_nothing_else(stack: Stack, page: Page) -> None:
    channel = new_channel(page, stack.url, "Budget")
    for number in range(4):
        text = f"Review {number}\n\n" + "A paragraph.\n\n" * number
        stack.ask({"type": "approval", "payload": {}}, channelId=channel, text=text)
    page.add_init_script(WATCH_SHIFTS)
    page.goto(f"{stack.url}/inbox/?channel={channel}")
    rows = page.locator("#rows a.row")
    times = [rows.nth((number + 1) % 4).evaluate(CLICK) for number in range(CLICKS)]
    median = statistics.median(times)
    shift = page.evaluate("window.shift")
    assert median <= CHANGE_MS
    assert shift <= SHIFT
