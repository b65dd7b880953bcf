"""A room of another platform in an open page: who speaks there, and a reply that stays there."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.e2e.people import Watch
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

ROOM, KIM = str(uuid.uuid4()), str(uuid.uuid4())


@pytest.fixture
def channel(stack: Stack) -> str:
    answer = stack.call("POST", "/api/v1/agents", {"name": f"Agent {uuid.uuid4().hex[:6]}"})
    return str(answer.json()["id"])


@pytest.fixture
def tab(
    stack: Stack, browser: Browser, sessions: Callable[[Stack], StorageState]
) -> Iterator[Page]:
    """On a phone, where all of it has to fit."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, storage_state=sessions(stack)
    )
    page, watch = context.new_page(), Watch(stack.url)
    watch.follow(page)
    yield page
    context.close()
    assert not watch.complaints


def hear(stack: Stack, channel: str, text: str) -> None:
    """What a bridge does when Kim says something in the room."""
    body = {"agentId": channel, "roomId": ROOM, "userId": KIM, "text": text}
    body |= {"sourceType": "discord", "sourceId": uuid.uuid4().hex}
    names = {"metadata": {"userName": "Kim", "roomName": "general"}}
    assert stack.call("POST", "/api/messaging/ingest-external", body | names).ok


def test_room_is_read_live_and_a_reply_stays_in_it(stack: Stack, channel: str, tab: Page) -> None:
    messages = tab.locator("#log-items > .msg")
    outside = {"channelId": channel, "text": "Said outside"}
    assert stack.call("POST", "/api/v1/messages", outside).ok
    with tab.expect_response("**/ui/events/"):
        tab.goto(f"{stack.url}/channels/{channel}/")
    hear(stack, channel, "Is anybody there?")
    expect(messages).to_have_count(2)
    expect(messages.last).to_have_class("msg foreign")
    expect(messages.last.locator(".by")).to_contain_text("Kim· Discord")
    expect(tab.locator("#threads")).to_be_visible()  # the room is new, and so is the list
    messages.last.get_by_role("link", name="general").click()
    expect(messages).to_have_count(1)
    expect(tab.locator("#channel-title")).to_be_focused()
    expect(tab.locator("#quote")).to_contain_text("Goes to general on Discord")
    assert stack.call("POST", "/api/v1/messages", outside).ok
    hear(stack, channel, "Hello?")
    expect(messages).to_have_count(2)
    messages.last.get_by_role("link", name="Reply", exact=True).click()
    expect(tab.locator("#quote")).to_contain_text("Kim · Discord Hello?")
    tab.locator("#message-text").fill("Yes, we are")
    tab.get_by_role("button", name="Send", exact=True).click()
    expect(messages).to_have_count(3)
    expect(messages.last).to_have_class("msg mine")
    assert "?thread=" in tab.url
    expect(tab.locator("#log-items")).not_to_contain_text("Said outside")
    tab.get_by_role("link", name="All messages").click()
    expect(messages).to_have_count(5)
