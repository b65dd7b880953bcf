"""What others do, deadlines and lost connections, on pages that are open."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.people import DESK, Person, listening, new_channel, person
from tests.e2e.stack import Stack
from tests.polling import happens_within
from tests.receiver import Receiver

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

APPROVAL: dict[str, Any] = {"type": "approval", "payload": {"allowComment": True}}
SECOND = 1000
COLLEAGUE, SECRET = "livia@example.org", "a long enough passphrase"
STREAM = "**/ui/events/"
numbers = count(1)


def invite(owner: Person, browser: Browser) -> None:
    """Livia joins through the link that the settings give."""
    page = owner.open("/settings/people/")
    page.get_by_label("E-mail").first.fill(COLLEAGUE)
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_label("Link").input_value()
    page.close()
    theirs = browser.new_page()
    theirs.goto(link)
    theirs.get_by_label("Your name").fill("Livia")
    theirs.get_by_label("Password").fill(SECRET)
    with theirs.expect_navigation():
        theirs.get_by_role("button", name="Create account and join").click()
    theirs.close()


@pytest.fixture(scope="module")
def both(browser: Browser, stack: Stack) -> Iterator[tuple[Person, Person]]:
    """The owner and Livia, of one workspace."""
    with ExitStack() as open_browsers:
        owner = open_browsers.enter_context(person(browser, stack, **DESK))
        invite(owner, browser)
        yield (
            owner,
            open_browsers.enter_context(person(browser, stack, COLLEAGUE, SECRET, **DESK)),
        )


@pytest.fixture
def people(both: tuple[Person, Person]) -> Iterator[tuple[Person, Person]]:
    yield both
    for each in both:
        each.context.set_offline(False)
        each.close_tabs()
        each.watch.unreachable = False


@pytest.fixture
def channel(stack: Stack, people: tuple[Person, Person]) -> str:
    page = people[0].context.new_page()
    made = new_channel(page, stack.url, f"Live {next(numbers)}")
    page.close()
    return made


def comment(page: Page) -> Any:
    return page.get_by_label("Comment (optional)")


def test_answer_of_a_colleague_is_seen_within_a_second(
    stack: Stack, people: tuple[Person, Person], channel: str
) -> None:
    owner, livia = people
    review_id = stack.ask(APPROVAL, channelId=channel, text="Who is faster?")
    hers = listening(livia.open(f"/inbox/{review_id}/?channel={channel}"))
    comment(hers).fill("half a thought")
    mine = owner.open(f"/inbox/{review_id}/")
    mine.get_by_role("button", name="Approve").click()
    expect(mine.locator("#toasts")).to_contain_text("sent.")
    card = hers.locator("#card")
    expect(card).to_contain_text(re.compile("answered this at"), timeout=SECOND)
    expect(hers.locator("#unsent")).to_have_value(re.compile("half a thought"))
    hers.get_by_role("button", name="Copy").click()
    expect(hers.locator("#unsent")).to_have_attribute("readonly", "")
    with hers.expect_navigation():
        hers.get_by_role("button", name="Post as message").click()
    expect(hers.get_by_role("main")).to_contain_text("half a thought")


def test_deadline_closes_the_open_card(
    stack: Stack, people: tuple[Person, Person], channel: str
) -> None:
    short = {"type": "approval", "payload": {"allowComment": True}, "expiresInSeconds": 4}
    review_id = stack.ask(short, channelId=channel, text="Quick!")
    page = listening(people[0].open(f"/inbox/{review_id}/?channel={channel}"))
    comment(page).fill("too slow")
    expect(page.locator("#card [data-left]")).to_contain_text("sec")
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    expect(page.locator("#card")).to_contain_text("Expired without an answer", timeout=8 * SECOND)
    expect(page.locator("#unsent")).to_have_value(re.compile("too slow"))


def test_page_is_live_though_the_extension_for_streams_came_late(
    people: tuple[Person, Person],
) -> None:
    page = people[0].context.new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/hx-sse*.js", hold)
    page.goto(f"{people[0].watch.url}/inbox/", wait_until="commit")
    started = "() => Boolean(window.htmx) && document.readyState === 'interactive'"
    assert happens_within(10, lambda: page.evaluate(started))
    page.evaluate("new Promise((done) => setTimeout(done))")  # htmx has started itself by now
    held[0].continue_()
    listening(page)


def test_delivery_is_followed(
    stack: Stack, people: tuple[Person, Person], channel: str, receiver: Receiver
) -> None:
    asked = APPROVAL | {"callback": {"url": receiver.url}}
    review_id = stack.ask(asked, channelId=channel, text="Tell the agent")
    page = listening(people[0].open(f"/inbox/{review_id}/?channel={channel}"))
    other = people[0].open(f"/inbox/{review_id}/")
    other.get_by_role("button", name="Approve").click()
    receiver.wait_for(1)
    expect(page.locator("#card .ticks")).to_contain_text(re.compile("deliver", re.IGNORECASE))


def test_reading_on_one_device_is_known_on_the_other(
    stack: Stack, people: tuple[Person, Person], channel: str
) -> None:
    stack.ask(APPROVAL, channelId=channel, text="Read me first")
    review_id = stack.ask(APPROVAL, channelId=channel, text="Not me")
    owner, livia = people
    lists = [listening(each.open(f"/inbox/?channel={channel}&status=all")) for each in people]
    dot = [page.locator(f"#row-{review_id} .row.unread") for page in lists]
    for each in dot:
        expect(each).to_have_count(1)
    owner.open(f"/inbox/{review_id}/")
    expect(dot[0]).to_have_count(0, timeout=2 * SECOND)
    expect(dot[1]).to_have_count(1)
    livia.close_tabs()


def test_what_happened_while_the_stream_was_cut_is_caught_up(
    stack: Stack, people: tuple[Person, Person], channel: str
) -> None:
    review_id = stack.ask(APPROVAL, channelId=channel, text="During the break")
    owner, livia = people
    page = listening(livia.open(f"/inbox/{review_id}/?channel={channel}"))
    livia.watch.unreachable = True
    comment(page).fill("kept through the break")
    livia.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    mine = owner.open(f"/inbox/{review_id}/")
    mine.get_by_role("button", name="Approve").click()
    expect(mine.locator("#toasts")).to_contain_text("sent.")
    stack.ask(APPROVAL, channelId=channel, text="Came during the break")
    livia.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator("#new-bar")).to_contain_text("1 new review", timeout=15 * SECOND)
    expect(page.locator("#card")).to_contain_text("answered this at")
    expect(page.locator("#unsent")).to_have_value(re.compile("kept through the break"))


def test_page_says_that_it_reconnects_and_asks_by_itself(
    stack: Stack, people: tuple[Person, Person], channel: str
) -> None:
    """The clock of the page is ours: nobody waits for the pauses between the tries."""
    review_id = stack.ask(APPROVAL, channelId=channel, text="Without a stream")
    owner, livia = people
    livia.watch.unreachable = True
    page = livia.context.new_page()
    page.clock.install()
    page.route(STREAM, lambda route: route.abort())
    page.goto(f"{stack.url}/inbox/{review_id}/?channel={channel}")
    live = page.locator("#live")
    expect(live).to_have_text("Reconnecting")
    mine = owner.open(f"/inbox/{review_id}/")
    mine.get_by_role("button", name="Approve").click()
    expect(mine.locator("#toasts")).to_contain_text("sent.")
    for _try in range(2):
        with page.expect_request(STREAM):
            page.clock.run_for(21_000)
    expect(page.locator("#card")).to_contain_text("answered this at")
    page.unroute(STREAM)
    page.clock.run_for(21_000)
    expect(live).to_have_text("Live")


def test_nothing_is_sent_without_a_connection(
    stack: Stack, people: tuple[Person, Person], channel: str
) -> None:
    review_id = stack.ask(APPROVAL, channelId=channel, text="In a tunnel")
    owner, _livia = people
    page = listening(owner.open(f"/inbox/{review_id}/?channel={channel}"))
    owner.watch.unreachable = True
    comment(page).fill("typed in a tunnel")
    owner.context.set_offline(True)
    expect(page.locator("#offline")).to_contain_text("No connection")
    approve = page.get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()
    approve.click(force=True)
    expect(page.locator("#toasts")).to_contain_text("it was not sent")
    expect(comment(page)).to_have_value("typed in a tunnel")
    owner.context.set_offline(False)
    expect(approve).to_be_enabled()
    approve.click()
    expect(page.locator("#toasts")).to_contain_text("sent. ")
    assert stack.wait_for(review_id, 2000)["status"] == "completed"


def test_hidden_page_pauses_and_catches_up(
    stack: Stack, people: tuple[Person, Person], channel: str
) -> None:
    page = listening(people[0].open(f"/inbox/?channel={channel}"))
    stack.ask(APPROVAL, channelId=channel, text="Seen at once")
    expect(page.locator("#new-bar")).to_contain_text("1 new review")
    hide(page, hidden=True)
    stack.ask(APPROVAL, channelId=channel, text="Seen later")
    with page.expect_request(STREAM):
        hide(page, hidden=False)
    expect(page.locator("#new-bar")).to_contain_text("2 new reviews")


def hide(page: Page, *, hidden: bool) -> None:
    """As the browser does it for a tab behind another one."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


def test_signed_out_person_signs_in_again_in_place(
    stack: Stack, browser: Browser, people: tuple[Person, Person], channel: str
) -> None:
    review_id = stack.ask(APPROVAL, channelId=channel, text="Signed out meanwhile")
    with person(browser, stack, COLLEAGUE, SECRET, **DESK) as livia:
        page = listening(livia.open(f"/inbox/{review_id}/?channel={channel}"))
        comment(page).fill("kept over the door")
        other = people[1].open("/settings/sessions/")
        other.get_by_role("button", name="Sign out everywhere, here too").click()
        expect(other.get_by_label("E-mail")).to_be_visible()
        door = page.get_by_role("dialog", name="You were signed out")
        expect(door).to_be_visible()
        door.get_by_label("Password").fill("not the password")
        door.get_by_role("button", name="Sign in").click()
        expect(door.get_by_role("alert")).to_be_visible()
        door.get_by_label("Password").fill(SECRET)
        door.get_by_role("button", name="Sign in").click()
        expect(door).to_be_hidden()
        expect(comment(page)).to_have_value("kept over the door")
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("#toasts")).to_contain_text("sent.")
        found: Any = stack.wait_for(review_id, 2000)
        assert found["message"]["review"]["response"]["comment"] == "kept over the door"


def test_new_password_in_one_tab_lets_the_other_tab_go_on(
    stack: Stack, browser: Browser, people: tuple[Person, Person]
) -> None:
    """Its session has a new key. The stream ends with the old one, and comes back with the new."""
    with person(browser, stack, COLLEAGUE, SECRET, **DESK) as livia:
        page = listening(livia.open("/inbox/"))
        page.evaluate("document.body.addEventListener('bye', () => (window.ended = true))")
        other = livia.open("/settings/password/")
        other.get_by_label("Old password").fill(SECRET)
        other.get_by_label("New password").first.fill(SECRET)
        other.get_by_label("New password again").fill(SECRET)
        other.get_by_role("button", name="Change password").click()
        expect(other.get_by_text("The password is changed.")).to_be_visible()
        assert happens_within(10, lambda: page.evaluate("() => window.ended"))
        expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=20_000)
        expect(page.get_by_role("dialog", name="You were signed out")).to_be_hidden()
