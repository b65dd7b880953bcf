"""From an agent's POST through a person's browser to the agent's callback."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page
from standardwebhooks.webhooks import Webhook as ReferenceVerifier

from tests.e2e.stack import Stack
from tests.receiver import Receiver

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def approve(page: Page) -> None:
    page.get_by_role("button", name="Approve").click()


def choose(page: Page) -> None:
    page.get_by_label("Second").check()
    page.get_by_role("button", name="Confirm choice").click()


def fill_in(page: Page) -> None:
    page.get_by_label("Amount").fill("12.5")
    page.get_by_label("Reason").fill("because")
    page.get_by_role("button", name="Send").first.click()


def write(page: Page) -> None:
    page.locator("textarea[name='f.text']").fill("Dear customer")
    page.get_by_role("button", name="Send").first.click()


def write_json(page: Page) -> None:
    page.locator("textarea[name='f.json']").fill('{"verdict": {"score": 3}}')
    page.get_by_role("button", name="Send").first.click()


KINDS: dict[str, tuple[dict[str, Any], Callable[[Page], None], dict[str, Any]]] = {
    "approval": ({}, approve, {"selectedOption": "approve"}),
    "selection": (
        {
            "mode": "single",
            "items": [{"id": "a", "label": "First"}, {"id": "b", "label": "Second"}],
        },
        choose,
        {"selectedIds": ["b"]},
    ),
    "form": (
        {
            "fields": [
                {"name": "amount", "type": "number", "label": "Amount", "required": True},
                {"name": "reason", "type": "text", "label": "Reason"},
            ]
        },
        fill_in,
        {"amount": 12.5, "reason": "because"},
    ),
    "text-input": ({"prompt": "Write the reply"}, write, {"text": "Dear customer"}),
    "freeform": ({}, write_json, {"verdict": {"score": 3}}),
    "never-heard-of": ({"anything": 1}, write_json, {"verdict": {"score": 3}}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_answer_in_the_browser_reaches_callback_and_waiting_call(
    stack: Stack, page: Page, receiver: Receiver, kind: str
) -> None:
    payload, answer, response = KINDS[kind]
    review = {"type": kind, "payload": payload, "callback": {"url": f"{receiver.url}/callback"}}
    review_id = stack.ask(review)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.wait_for, review_id)
        page.goto(f"{stack.url}/inbox/{review_id}/")
        answer(page)
        waited: Any = waiting.result()
    assert waited["status"] == "completed"
    assert waited["message"]["review"]["response"] == response
    (request,) = receiver.wait_for(1)
    assert request.json["event"] == "review:responded"
    assert (request.json["message_id"], request.json["response"]) == (review_id, response)
    assert request.headers["webhook-id"].startswith("msg_")
    ReferenceVerifier(stack.secret).verify(request.body, request.headers)
    assert len(receiver.wait_for(2, seconds=1)) == 1


def test_expiry_reaches_callback_and_waiting_call(stack: Stack, receiver: Receiver) -> None:
    review_id = stack.ask(
        {"type": "approval", "expiresInSeconds": 2, "callback": {"url": receiver.url}}
    )
    waited = stack.wait_for(review_id)
    assert waited["status"] == "expired"
    (request,) = receiver.wait_for(1)
    assert request.json["event"] == "review:expired"
    ReferenceVerifier(stack.secret).verify(request.body, request.headers)
    assert len(receiver.wait_for(2, seconds=3)) == 1


def test_message_of_a_person_reaches_the_channels_webhook(
    stack: Stack, page: Page, receiver: Receiver
) -> None:
    channel = stack.call("GET", "/api/v1/agents").json()[0]["id"]
    hook = {"channelId": channel, "url": f"{receiver.url}/hook"}
    assert stack.call("POST", "/api/v1/agents/setWebhook", hook).status_code == 200
    try:
        page.goto(f"{stack.url}/channels/{channel}/")
        page.locator("textarea").fill("Ship it")
        page.get_by_role("button", name="Send").click()
        (request,) = receiver.wait_for(1)
        assert request.json["event"] == "message:created"
        assert request.json["message"]["text"] == "Ship it"
    finally:
        stack.call("POST", "/api/v1/agents/deleteWebhook", {"channelId": channel})


def test_timeout_of_a_wait_is_exact(stack: Stack) -> None:
    review_id = stack.ask({"type": "approval"})
    answer = stack.call("GET", f"/api/v1/reviews/{review_id}/wait?timeout=500")
    assert answer.json() == {"status": "timeout"}
    assert 0.5 <= answer.elapsed.total_seconds() < 0.8


def test_deleted_message_ends_a_wait(stack: Stack) -> None:
    review_id = stack.ask({"type": "approval"})
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.wait_for, review_id, 10_000)
        stack.call("GET", f"/api/v1/reviews/{review_id}/wait?timeout=300")
        assert stack.call("DELETE", f"/api/v1/messages/{review_id}").status_code == 200
        assert waiting.result(timeout=2) == {"status": "timeout"}
