"""A person sees what the agent did not get and why, sends it again, and tests the receiver."""

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks.webhooks import Webhook as ReferenceVerifier

from tests.e2e.stack import PASSWORD, Stack
from tests.polling import happens_within
from tests.receiver import Received, Receiver

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def is_broken(_: Received) -> tuple[int, dict[str, str], bytes]:
    # A wish for patience, so that the schedule of the tests is not faster than the person.
    return 500, {"retry-after": "600"}, b"<b>the database is down</b>"


def press(page: Page, button: str) -> None:
    """Press a button and wait for the page that follows: a reload must not cross its way."""
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def shows(page: Page, text: str) -> bool:
    page.reload()
    return page.get_by_text(text).first.is_visible()


def test_person_sees_the_failure_and_sends_again_once_the_receiver_works(
    stack: Stack, page: Page, receiver: Receiver
) -> None:
    receiver.answer = is_broken
    url = f"{receiver.url}/resume?token=a-secret"
    review_id = stack.ask({"type": "approval", "callback": {"url": url}})
    page.goto(f"{stack.url}/inbox/{review_id}/")
    press(page, "Approve")
    receiver.wait_for(1)
    page.goto(f"{stack.url}/inbox/{review_id}/")
    assert happens_within(20, lambda: shows(page, "The agent has not received this yet"))
    page.get_by_role("link", name="Attempts").click()
    expect(page.get_by_text("HTTP 500")).to_be_visible()
    expect(page.get_by_text("<b>the database is down</b>")).to_be_visible()
    expect(page.get_by_role("heading", name=f"{receiver.url}/resume?…")).to_be_visible()
    assert "a-secret" not in page.content()
    receiver.answer = lambda _: (200, {}, b"thank you")
    press(page, "Try now")
    expect(page.get_by_text("The decision is being sent again.")).to_be_visible()
    assert happens_within(20, lambda: shows(page, "HTTP 200"))
    expect(page.get_by_text("Delivered", exact=True)).to_be_visible()
    first, second = receiver.received
    assert (first.event_id, first.body) == (second.event_id, second.body)


def test_person_tests_the_receiver_and_reads_its_secret(
    stack: Stack, page: Page, receiver: Receiver
) -> None:
    channel = stack.call("GET", "/api/v1/agents").json()[0]["id"]
    hook = {"channelId": channel, "url": f"{receiver.url}/hook"}
    assert stack.call("POST", "/api/v1/agents/setWebhook", hook).status_code == 200
    try:
        page.goto(f"{stack.url}/channels/{channel}/")
        page.get_by_role("link", name="Receiver").click()
        press(page, "Send test")
        (request,) = receiver.wait_for(1)
        assert request.json["event"] == "webhook:test"
        assert happens_within(20, lambda: shows(page, "The last event arrived at"))
        page.get_by_label("Your password").fill(PASSWORD)
        press(page, "Show secrets")
        secret = page.locator("#secrets pre").first.inner_text()
        ReferenceVerifier(secret).verify(request.body, request.headers)
        page.goto(page.url.removesuffix("secrets/#secrets"))
        assert secret not in page.content()
    finally:
        stack.call("POST", "/api/v1/agents/deleteWebhook", {"channelId": channel})
