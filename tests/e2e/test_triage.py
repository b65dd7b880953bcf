"""Triage in a browser with JavaScript, at a desk and on a phone: the journeys of the inbox."""

import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.people import DESK, PHONE, Person, listening, new_channel, person
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

APPROVAL: dict[str, Any] = {"type": "approval", "payload": {"allowComment": True}}
AMOUNT: dict[str, Any] = {
    "type": "form",
    "payload": {
        "fields": [
            {"name": "why", "type": "text", "label": "Why"},
            {"name": "amount", "type": "number", "label": "Amount", "required": True},
        ]
    },
}
DANGER: dict[str, Any] = {
    "type": "approval",
    "payload": {
        "allowComment": True,
        "options": [
            {"id": "ship", "label": "Ship it"},
            {"id": "drop", "label": "Drop it", "style": "danger", "confirm": True},
        ],
    },
}
numbers = count(1)


@pytest.fixture(scope="module")
def owner(browser: Browser, stack: Stack) -> Iterator[Person]:
    with person(browser, stack, **DESK) as someone:
        yield someone


@pytest.fixture(scope="module")
def walker(browser: Browser, stack: Stack) -> Iterator[Person]:
    """The same person on a phone."""
    with person(browser, stack, **PHONE) as someone:
        yield someone


@pytest.fixture
def page(owner: Person) -> Iterator[Page]:
    yield owner.context.new_page()
    owner.close_tabs()


@pytest.fixture
def phone(walker: Person) -> Iterator[Page]:
    yield walker.context.new_page()
    walker.close_tabs()


class Desk:
    """One channel's reviews, and the list that shows no others."""

    def __init__(self, stack: Stack, page: Page) -> None:
        self.stack, self.name = stack, f"Triage {next(numbers)}"
        self.channel = new_channel(page, stack.url, self.name)
        self.list = f"{stack.url}/inbox/?channel={self.channel}"

    def ask(self, review: dict[str, Any], text: str, **more: Any) -> str:
        return self.stack.ask(review, channelId=self.channel, text=text, **more)

    def path(self, review_id: str) -> str:
        return f"{self.stack.url}/inbox/{review_id}/?channel={self.channel}"

    def answer_of(self, review_id: str) -> Any:
        found: Any = self.stack.wait_for(review_id, 2000)
        return found["message"]["review"]


@pytest.fixture
def desk(stack: Stack, owner: Person) -> Desk:
    page = owner.context.new_page()
    made = Desk(stack, page)
    page.close()
    return made


def title(page: Page) -> Locator:
    return page.locator("#detail-title")


def row(page: Page, name: str) -> Locator:
    return page.locator("#rows a.row", has_text=name)


def toast(page: Page) -> Locator:
    return page.locator("#toasts")


def test_several_reviews_are_answered_by_mouse(desk: Desk, page: Page) -> None:
    asked = [desk.ask(APPROVAL, f"Question {number}") for number in (1, 2, 3)]
    page.goto(desk.list)
    row(page, "Question 3").click()
    expect(page).to_have_url(desk.path(asked[2]))
    for number in (3, 2, 1):
        expect(title(page)).to_have_text(f"Question {number}")
        expect(row(page, f"Question {number}")).to_have_attribute("aria-current", "true")
        page.get_by_role("button", name="Approve").click()
        expect(row(page, f"Question {number}")).to_have_count(0)
        expect(toast(page)).to_contain_text("sent.")
        if number > 1:
            expect(title(page)).to_be_focused()
    expect(page.locator("#rows")).to_contain_text("Nothing matches")
    assert [desk.answer_of(one)["response"] for one in asked] == [{"selectedOption": "approve"}] * 3


def test_toast_leads_back_to_what_was_sent(desk: Desk, page: Page) -> None:
    desk.ask(APPROVAL, "The first")
    page.goto(desk.path(desk.ask(APPROVAL, "The second")))
    page.get_by_role("button", name="Approve").click()
    expect(title(page)).to_have_text("The first")
    toast(page).get_by_role("link", name="View").click()
    expect(title(page)).to_have_text("The second")
    expect(page.locator("#card")).to_contain_text("answered this at")


def test_invalid_answer_keeps_what_was_typed_and_focuses_the_summary(
    desk: Desk, page: Page
) -> None:
    review_id = desk.ask(AMOUNT, "How much?")
    page.goto(desk.path(review_id))
    page.get_by_label("Why").fill("because")
    page.get_by_role("button", name="Send").click()
    summary = page.locator("#card [role=alert]")
    expect(summary).to_be_focused()
    expect(page.get_by_label("Why")).to_have_value("because")
    expect(page.get_by_label("Amount")).to_have_attribute("aria-invalid", "true")
    summary.get_by_role("link").click()
    expect(page.get_by_label("Amount")).to_be_focused()
    page.get_by_label("Amount").fill("12.5")
    page.get_by_role("button", name="Send").click()
    expect(toast(page)).to_contain_text("sent.")
    assert desk.answer_of(review_id)["response"] == {"why": "because", "amount": 12.5}


def test_dangerous_answer_asks_twice_and_comes_back_with_the_comment(
    desk: Desk, page: Page
) -> None:
    review_id = desk.ask(DANGER, "Drop the table?")
    page.goto(desk.path(review_id))
    page.get_by_label("Comment (optional)").fill("not needed any more")
    page.get_by_role("button", name="Drop it").click()
    expect(page.locator("#card")).to_contain_text("Really “Drop it”?")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Comment (optional)")).to_have_value("not needed any more")
    page.get_by_role("button", name="Drop it").click()
    page.get_by_role("button", name="Yes, send it").click()
    expect(toast(page)).to_contain_text("Drop it")
    response = desk.answer_of(review_id)["response"]
    assert response == {"selectedOption": "drop", "comment": "not needed any more"}


def test_feedback_brings_a_second_revision_with_its_difference(desk: Desk, page: Page) -> None:
    first = desk.ask(APPROVAL, "Write the letter\n\nDear Noor, hello.")
    desk.ask(APPROVAL, "Something else")
    page.goto(desk.path(first))
    page.locator("#card summary").first.click()
    page.get_by_label("Feedback for the agent").fill("Say good morning.")
    page.get_by_role("button", name="Reject").click()
    expect(title(page)).to_have_text("Something else")
    toast(page).get_by_role("link", name="View").click()
    expect(page.locator("#card")).to_contain_text("Say good morning.")
    listening(page)
    desk.ask(APPROVAL, "Write the letter\n\nDear Noor, good morning.", iterationOf=first)
    page.get_by_role("link", name="Open revision 2").click()
    page.get_by_text("What changed since revision 1").click()
    expect(page.locator("#difference ins").first).to_be_visible()
    expect(page.locator("#difference")).to_contain_text("good morning")


def test_double_click_answers_once(desk: Desk, page: Page) -> None:
    desk.ask(APPROVAL, "Keep me")
    review_id = desk.ask(APPROVAL, "Twice?")
    page.goto(desk.path(review_id))
    posted: list[str] = []
    page.on(
        "request",
        lambda request: posted.append(request.url) if "/respond/" in request.url else None,
    )
    page.get_by_role("button", name="Approve").dblclick(delay=50)
    expect(title(page)).to_have_text("Keep me")
    assert len(posted) == 1
    expect(page.locator("#card")).not_to_contain_text("answered this at")


def test_answer_sent_again_after_going_back_shows_what_was_sent(desk: Desk, page: Page) -> None:
    review_id = desk.ask(APPROVAL, "Back again")
    page.goto(desk.list)
    row(page, "Back again").click()
    page.get_by_role("button", name="Approve").click()
    expect(toast(page)).to_contain_text("sent.")
    page.wait_for_url(lambda url: review_id not in url)
    page.go_back()
    expect(page.locator("#card")).to_contain_text("answered this at")
    assert desk.answer_of(review_id)["status"] == "completed"


def test_review_that_changed_is_decided_again_with_what_was_typed(desk: Desk, page: Page) -> None:
    review_id = desk.ask(APPROVAL, "Deploy 1?")
    page.goto(desk.path(review_id))
    page.get_by_label("Comment (optional)").fill("typed before")
    other = desk.ask(APPROVAL, "Another")
    page.evaluate(
        """async (path) => {
            const text = await (await fetch(path)).text();
            const other = new DOMParser().parseFromString(text, 'text/html');
            const token = (from) => from.querySelector('#card input[name=token]');
            token(document).value = token(other).value;
        }""",
        desk.path(other),
    )
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#card")).to_contain_text("This request changed since you opened it")
    expect(page.locator("#card [role=alert]")).to_be_focused()
    expect(page.get_by_label("Comment (optional)")).to_have_value("typed before")
    page.get_by_role("button", name="Approve").click()
    expect(toast(page)).to_contain_text("sent.")


def test_second_tab_was_faster(desk: Desk, page: Page, owner: Person) -> None:
    review_id = desk.ask(APPROVAL, "Which tab?")
    page.goto(desk.path(review_id))
    page.route("**/ui/events/", lambda route: route.abort())  # it does not hear of the answer
    page.reload()
    owner.watch.unreachable = True
    page.get_by_label("Comment (optional)").fill("too late")
    other = owner.open(f"/inbox/{review_id}/")
    other.get_by_role("button", name="Approve").click()
    expect(toast(other)).to_contain_text("sent.")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#card")).to_contain_text("answered this at")
    expect(page.locator("#unsent")).to_have_value(re.compile("too late"))
    owner.watch.unreachable = False
    assert desk.answer_of(review_id)["response"]["selectedOption"] == "approve"


@pytest.fixture
def choose(stack: Stack, page: Page) -> Iterator[Callable[[str], None]]:
    """Chooses what comes after an answer, for this test only: other journeys share the account."""

    def save(label: str) -> None:
        page.goto(f"{stack.url}/settings/appearance/")
        page.get_by_label(label).check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()

    yield save
    save("Open the next review")


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Open the previous review", "Above"),
        ("Go back to the list", ""),
        ("Stay on the review", "Middle"),
        ("Open the next review", "Below"),
    ],
)
def test_setting_says_what_comes_after_an_answer(
    desk: Desk, page: Page, choose: Callable[[str], None], label: str, shown: str
) -> None:
    choose(label)
    for name in ("Below", "Middle", "Above"):
        desk.ask(APPROVAL, name)
    page.goto(desk.list)
    row(page, "Middle").click()
    expect(title(page)).to_have_text("Middle")
    page.get_by_role("button", name="Approve").click()
    expect(toast(page)).to_contain_text("sent.")
    expect(row(page, "Middle")).to_have_count(0)
    if shown:
        expect(title(page)).to_have_text(shown)
    else:
        expect(page).to_have_url(desk.list)


def test_new_reviews_wait_behind_a_bar(desk: Desk, page: Page) -> None:
    desk.ask(APPROVAL, "Old one")
    page.goto(desk.list)
    listening(page)
    desk.ask(APPROVAL, "New one")
    bar = page.locator("#new-bar")
    expect(bar).to_contain_text("1 new review")
    expect(row(page, "New one")).to_have_count(0)
    bar.get_by_role("link", name="Show").click()
    expect(row(page, "New one")).to_be_visible()
    expect(bar).to_be_empty()


def test_picked_reviews_are_answered_together(desk: Desk, page: Page) -> None:
    asked = [desk.ask(APPROVAL, f"Same {number}") for number in (1, 2, 3)]
    page.goto(desk.list)
    page.get_by_role("link", name="Select").click()
    for number in (1, 3):
        page.get_by_label(f"Select “Same {number}”").check()
    page.get_by_role("button", name="Answer together").click()
    expect(page.get_by_role("heading", name="The same answer to 2 reviews")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="2 answers sent")).to_be_visible()
    page.goto(desk.list)
    expect(row(page, "Same 2")).to_be_visible()
    expect(page.locator("#rows a.row")).to_have_count(1)
    for review_id in (asked[0], asked[2]):
        assert desk.answer_of(review_id)["response"] == {"selectedOption": "approve"}


def test_phone_keeps_the_place_in_the_list(desk: Desk, phone: Page) -> None:
    for number in range(14):
        desk.ask(APPROVAL, f"Phone {number}.")
    phone.goto(desk.list)
    row(phone, "Phone 1.").scroll_into_view_if_needed()
    before = phone.evaluate("document.querySelector('#list .scroll').scrollTop")
    assert before > 0
    row(phone, "Phone 1.").tap()
    expect(title(phone)).to_have_text("Phone 1.")
    expect(phone.locator("#list")).to_be_hidden()
    phone.get_by_role("link", name="Back to inbox").tap()
    expect(phone.locator("#list")).to_be_visible()
    assert phone.evaluate("document.querySelector('#list .scroll').scrollTop") == before
    expect(phone).to_have_url(desk.list)


def test_phone_answers_one_after_the_other(desk: Desk, phone: Page) -> None:
    asked = [desk.ask(APPROVAL, f"Tap {number}") for number in (1, 2)]
    phone.goto(desk.list)
    row(phone, "Tap 2").tap()
    expect(phone).to_have_url(desk.path(asked[1]))
    for number in (2, 1):
        expect(title(phone)).to_have_text(f"Tap {number}")
        phone.get_by_role("button", name="Approve").tap()
        expect(toast(phone)).to_contain_text("sent.")
    expect(phone.locator("#list")).to_be_visible()
    expect(phone.locator("#rows")).to_contain_text("Nothing matches")
    assert [desk.answer_of(one)["status"] for one in asked] == ["completed", "completed"]


def test_phone_shows_an_invalid_answer_where_it_is_seen(desk: Desk, phone: Page) -> None:
    phone.goto(desk.path(desk.ask(AMOUNT, "How much?")))
    phone.get_by_role("button", name="Send").tap()
    summary = phone.locator("#card [role=alert]")
    expect(summary).to_be_focused()
    expect(summary).to_be_in_viewport()
