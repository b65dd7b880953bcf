"""The main journeys with JavaScript switched off: every step is a page and a form."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.people import DESK, Person, new_channel, person
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

CHOICES = [{"id": "a", "label": "First"}, {"id": "b", "label": "Second"}]
SCHEMA = {"type": "object", "required": ["score"]}
NUMBER = {"name": "amount", "type": "number", "label": "Amount", "required": True}
# Each type: the question, fields with what does not fit, fields with what fits, the button, the
# answer. An approval is all buttons: nothing in it can be wrong.
KINDS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, str], str, dict[str, Any]]] = {
    "selection": (
        {"mode": "single", "items": CHOICES},
        {},
        {"Second": ""},
        "Confirm choice",
        {"selectedIds": ["b"]},
    ),
    "form": (
        {"fields": [NUMBER, {"name": "why", "type": "text", "label": "Why"}]},
        {"Why": "because"},
        {"Amount": "12.5"},
        "Send",
        {"amount": 12.5, "why": "because"},
    ),
    "text-input": (
        {"prompt": "Write the reply"},
        {"f.text": ""},
        {"f.text": "Dear customer"},
        "Send",
        {"text": "Dear customer"},
    ),
    "freeform": (
        {"schema": SCHEMA},
        {"f.json": "{not json"},
        {"f.json": '{"score": 3}'},
        "Send",
        {"score": 3},
    ),
    "never-heard-of": ({}, {"f.json": "["}, {"f.json": '{"score": 3}'}, "Send", {"score": 3}),
}
numbers = count(1)


@pytest.fixture(scope="module")
def owner(browser: Browser, stack: Stack) -> Iterator[Person]:
    with person(browser, stack, java_script_enabled=False, **DESK) as someone:
        yield someone


@pytest.fixture
def page(owner: Person) -> Iterator[Page]:
    yield owner.context.new_page()
    owner.close_tabs()


@pytest.fixture
def channel(stack: Stack, page: Page) -> str:
    return new_channel(page, stack.url, f"Plain {next(numbers)}")


def fill(page: Page, fields: dict[str, str]) -> None:
    for name, text in fields.items():
        if name.startswith("f."):
            page.locator(f"[name='{name}']").fill(text)
        elif text:
            page.get_by_label(name).fill(text)
        else:
            page.get_by_label(name).check()


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).first.click()


def response_of(stack: Stack, review_id: str) -> Any:
    found: Any = stack.wait_for(review_id, 2000)
    return found["message"]["review"]["response"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_is_refused_and_then_sent(
    stack: Stack, page: Page, channel: str, kind: str
) -> None:
    payload, wrong, right, button, response = KINDS[kind]
    asked = {"type": kind, "payload": payload}
    review_id = stack.ask(asked, channelId=channel, text="Without a script")
    page.goto(f"{stack.url}/inbox/?channel={channel}")
    page.locator("#rows a.row").click()
    fill(page, wrong)
    press(page, button)
    expect(page.locator("#card [role=alert]")).to_contain_text("This cannot be sent yet")
    fill(page, right)
    press(page, button)
    expect(page.locator("#toasts")).to_contain_text("sent.")
    assert response_of(stack, review_id) == response


def test_dangerous_answer_with_feedback_asks_twice(stack: Stack, page: Page, channel: str) -> None:
    drop = {"id": "drop", "label": "Drop it", "style": "danger", "confirm": True}
    asked = {"type": "approval", "payload": {"options": [{"id": "ship", "label": "Ship"}, drop]}}
    review_id = stack.ask(asked, channelId=channel, text="Drop it?")
    page.goto(f"{stack.url}/inbox/{review_id}/")
    page.locator("#card summary").first.click()
    page.get_by_label("Feedback for the agent").fill("Think again.")
    press(page, "Drop it")
    press(page, "Back")
    expect(page.get_by_label("Feedback for the agent")).to_have_value("Think again.")
    press(page, "Drop it")
    press(page, "Yes, send it")
    found: Any = stack.wait_for(review_id, 2000)
    review = found["message"]["review"]
    assert (review["response"], review["feedback"]) == ({"selectedOption": "drop"}, "Think again.")


def test_answer_sent_twice_by_going_back_counts_once(
    stack: Stack, page: Page, channel: str
) -> None:
    approval = {"type": "approval", "payload": {}}
    review_id = stack.ask(approval, channelId=channel, text="Once")
    page.goto(f"{stack.url}/inbox/{review_id}/")
    press(page, "Approve")
    page.go_back()
    if page.get_by_role("button", name="Reject").is_visible():  # from the browser's own store
        press(page, "Reject")
    expect(page.locator("#card")).to_contain_text("answered this at")
    assert response_of(stack, review_id) == {"selectedOption": "approve"}


def test_search_narrows_the_list_and_is_cleared(stack: Stack, page: Page, channel: str) -> None:
    approval = {"type": "approval", "payload": {}}
    for text in ("A blue whale", "A red panda"):
        stack.ask(approval, channelId=channel, text=text)
    page.goto(f"{stack.url}/inbox/?channel={channel}")
    page.get_by_label("Search reviews").fill("panda")
    with page.expect_navigation():
        page.get_by_label("Search reviews").press("Enter")
    expect(page.locator("#rows a.row")).to_have_count(1)
    expect(page.locator("#rows")).to_contain_text("A red panda")
    page.get_by_label("Search reviews").fill("elephant in no room")
    with page.expect_navigation():
        page.get_by_label("Search reviews").press("Enter")
    expect(page.locator("#rows")).to_contain_text("Nothing matches")
    with page.expect_navigation():
        page.locator("#rows").get_by_role("link", name="Clear filter").click()
    expect(page.locator("#rows")).to_contain_text("A blue whale")


def test_picked_reviews_are_answered_together(stack: Stack, page: Page, channel: str) -> None:
    approval = {"type": "approval", "payload": {}}
    asked = [stack.ask(approval, channelId=channel, text=f"Same {n}") for n in (1, 2)]
    page.goto(f"{stack.url}/inbox/?channel={channel}")
    page.get_by_role("link", name="Select").click()
    for number in (1, 2):
        page.get_by_label(f"Select “Same {number}”").check()
    press(page, "Answer together")
    press(page, "Reject")
    expect(page.get_by_role("heading", name="2 answers sent")).to_be_visible()
    assert [response_of(stack, one) for one in asked] == [{"selectedOption": "reject"}] * 2


def test_setting_is_saved(stack: Stack, page: Page) -> None:
    for label in ("Compact", "Comfortable"):
        page.goto(f"{stack.url}/settings/appearance/")
        page.get_by_role("radio", name=label).check()
        press(page, "Save")
        expect(page.get_by_text("Saved.")).to_be_visible()
        expect(page.get_by_role("radio", name=label)).to_be_checked()
