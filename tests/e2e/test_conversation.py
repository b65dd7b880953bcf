"""A conversation with JavaScript on: live, with files, replies, commands and drafts."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from tests.e2e.people import sign_in
from tests.e2e.stack import Stack
from tests.polling import happens_within

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

SIZES = [(1440, 900), (390, 844)]
COMMANDS = [
    {"command": "deploy", "description": "Deploy it", "acceptsArgs": True, "argHint": "<version>"},
    {"command": "/status", "description": "Say how it stands"},
    {"command": "st\u202eop", "description": "Stop <b>now</b>"},
]


@dataclass
class Talk:
    """An agent's side, and a person's page that shows the conversation with it."""

    stack: Stack
    page: Page
    channel: str

    def open(self, query: str = "") -> None:
        self.page.goto(f"{self.stack.url}/channels/{self.channel}/{query}")

    def say(self, text: str, **more: Any) -> str:
        body = {"channelId": self.channel, "text": text} | more
        answer = self.stack.call("POST", "/api/v1/messages", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def hear(self, event: str, about: str) -> None:
        """What the stream of events would say."""
        told = json.dumps({"id": about, "channel": self.channel})
        self.page.evaluate(
            "([name, data]) => htmx.trigger(document.body, name, {data})", [event, told]
        )

    def write(self, text: str) -> None:
        self.field.fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()

    @property
    def field(self) -> Locator:
        return self.page.locator("#message-text")

    @property
    def messages(self) -> Locator:
        return self.page.locator("#log-items > .msg")

    def stored(self) -> list[dict[str, Any]]:
        found: dict[str, Any] = self.stack.call(
            "GET", f"/api/v1/messages?channel={self.channel}"
        ).json()
        return list(found["data"])


@pytest.fixture(scope="module")
def session(stack: Stack, sessions: Callable[[Stack], StorageState]) -> StorageState:
    """The cookies of one session for all tests but the one that ends it."""
    return sessions(stack)


@pytest.fixture(params=SIZES, ids=["desk", "phone"])
def talk(
    stack: Stack, browser: Browser, session: StorageState, request: pytest.FixtureRequest
) -> Iterator[Talk]:
    """A channel of its own; what breaks the policy or is complained about in the console fails.

    Chromium itself reports every answer with an error status; some tests provoke those.
    """
    agent = stack.call("POST", "/api/v1/agents", {"name": f"Agent {uuid.uuid4().hex[:6]}"}).json()
    width, height = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, storage_state=session
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield Talk(stack, page, agent["id"])
    context.close()
    assert not [text for text in complaints if "status of" not in text]


def distance_from_end(talk: Talk) -> float:
    return float(talk.page.evaluate("Math.abs(document.getElementById('log').scrollTop)"))


def test_message_is_sent_once_and_the_field_is_empty_again(talk: Talk) -> None:
    talk.open()
    talk.field.fill("Ship it")
    talk.page.evaluate(
        """() => {
            const form = document.querySelector('.compose form');
            form.requestSubmit();
            form.requestSubmit();
        }"""
    )
    expect(talk.messages).to_have_count(1)
    expect(talk.messages.first).to_contain_text("Ship it")
    expect(talk.messages.first).to_contain_text("Sent")
    expect(talk.field).to_have_value("")
    expect(talk.field).to_be_focused()
    assert len(talk.stored()) == 1


def test_enter_sends_and_shift_enter_makes_a_line(talk: Talk) -> None:
    talk.open()
    talk.field.click()
    talk.page.keyboard.type("One")
    talk.page.keyboard.press("Shift+Enter")
    talk.page.keyboard.type("Two")
    talk.page.keyboard.press("Enter")
    expect(talk.messages).to_have_count(1)
    assert talk.stored()[0]["text"] == "One\nTwo"


def test_files_are_chosen_dropped_and_sent_with_words(talk: Talk, tmp_path: Path) -> None:
    first = tmp_path / "invoice.csv"
    first.write_text("a,b\n1,2\n")
    talk.open()
    files = talk.page.locator("#message-files")
    files.set_input_files(first)
    talk.page.evaluate(
        """() => {
            const carried = new DataTransfer();
            for (const name of ['dropped.txt', 'unwanted.txt']) {
                carried.items.add(new File(['x'], name));
            }
            document.getElementById('log').dispatchEvent(
                new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: carried}));
        }"""
    )
    expect(talk.page.locator("#chosen li")).to_have_count(3)
    talk.page.get_by_role("button", name="Remove unwanted.txt").click()
    talk.write("See these")
    expect(talk.messages).to_have_count(1)
    expect(talk.messages.first.locator(".att")).to_have_count(2)
    expect(talk.messages.first).to_contain_text("invoice.csv")
    expect(talk.messages.first).to_contain_text("dropped.txt")
    expect(talk.page.locator("#chosen li")).to_have_count(0)
    expect(talk.page.locator("#sending")).to_be_hidden()
    (message,) = talk.stored()
    assert [each["filename"] for each in message["attachments"]] == ["invoice.csv", "dropped.txt"]


def test_too_many_files_are_refused_before_they_are_sent(talk: Talk) -> None:
    talk.open()
    payloads = [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": b"x"} for n in range(11)]
    talk.page.locator("#message-files").set_input_files(payloads)  # type: ignore[arg-type]
    expect(talk.page.locator("#composer-errors")).to_have_text("Send up to 10 files at once.")
    expect(talk.page.locator("#chosen li")).to_have_count(0)


def test_refused_message_keeps_words_and_files(talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    talk.open()
    talk.page.locator("#message-files").set_input_files(file)
    talk.page.evaluate("document.getElementById('message-text').removeAttribute('maxlength')")
    talk.write("a" * 20_001)
    expect(talk.page.locator("#message-error")).to_contain_text("20000")
    expect(talk.page.locator("#chosen li")).to_have_count(1)
    talk.write("Shorter")
    expect(talk.messages).to_have_count(1)
    expect(talk.messages.first).to_contain_text("a.txt")


def test_failed_connection_keeps_the_words_to_be_sent_again(talk: Talk) -> None:
    talk.open()
    route = f"**/channels/{talk.channel}/messages/"
    talk.page.route(route, lambda it: it.fulfill(status=502, body=""))
    talk.write("Do not lose me")
    expect(talk.page.locator("#composer-errors")).to_contain_text("Not sent")
    expect(talk.field).to_have_value("Do not lose me")
    talk.page.unroute(route)
    talk.write("Do not lose me")
    expect(talk.messages).to_have_count(1)


def test_upload_can_be_called_off(talk: Talk) -> None:
    talk.open()
    talk.page.route(f"**/channels/{talk.channel}/messages/", lambda _route: None)
    payload = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}
    talk.page.locator("#message-files").set_input_files(payload)  # type: ignore[arg-type]
    talk.write("Wait")
    expect(talk.page.locator("#sending")).to_be_visible()
    talk.page.get_by_role("button", name="Cancel").click()
    expect(talk.page.locator("#sending")).to_be_hidden()
    expect(talk.field).to_have_value("Wait")
    expect(talk.field).to_be_editable()
    expect(talk.page.locator("#chosen li")).to_have_count(1)
    talk.page.unroute_all(behavior="ignoreErrors")
    talk.page.get_by_role("button", name="Send", exact=True).click()
    expect(talk.messages).to_have_count(1)


def test_slow_upload_shows_how_far_it_is(talk: Talk) -> None:
    network = talk.page.context.new_cdp_session(talk.page)
    talk.open()
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1 << 20}
    network.send("Network.emulateNetworkConditions", slow)
    payload = {"name": "a.bin", "mimeType": "text/plain", "buffer": bytes(5 << 20)}
    talk.page.locator("#message-files").set_input_files(payload)  # type: ignore[arg-type]
    talk.write("Slowly")
    bar = talk.page.get_by_role("progressbar", name="Upload")
    assert happens_within(10, lambda: 0 < bar.evaluate("it => it.value") < 1)
    expect(talk.page.locator("#sending [data-bytes]")).to_contain_text(" of 5 MB")
    expect(talk.page.locator("#sending [role=status]")).to_have_text(re.compile(r"^\d+%$"))
    talk.page.get_by_role("button", name="Cancel").click()
    expect(talk.page.locator("#sending")).to_be_hidden()
    expect(talk.field).to_have_value("Slowly")
    assert talk.stored() == []


def test_reply_quotes_and_can_be_called_off(talk: Talk) -> None:
    asked = talk.say("Which supplier?")
    talk.open()
    talk.page.get_by_role("link", name="Reply", exact=True).click()
    expect(talk.page.locator("#quote")).to_contain_text("Which supplier?")
    expect(talk.field).to_be_focused()
    talk.page.get_by_role("link", name="Do not reply to this message").click()
    expect(talk.page.locator("#quote")).to_be_empty()
    talk.page.get_by_role("link", name="Reply", exact=True).click()
    expect(talk.page.locator("#quote")).to_contain_text("Which supplier?")
    talk.write("Brightline")
    expect(talk.messages).to_have_count(2)
    answer = talk.messages.last
    expect(answer.locator("a.quoted")).to_contain_text("Which supplier?")
    expect(talk.page.locator("#quote")).to_be_empty()
    answer.locator("a.quoted").click()
    expect(talk.page.locator(f"#m-{asked}")).to_have_class("msg marked")
    assert talk.stored()[0]["metadata"] == {"replyTo": asked}


def test_commands_are_offered_and_chosen_with_the_keyboard(talk: Talk) -> None:
    path = f"/api/v1/agents/{talk.channel}/commands"
    assert talk.stack.call("PUT", path, {"commands": COMMANDS[:1]}).ok
    talk.open()
    assert talk.stack.call("PUT", path, {"commands": COMMANDS}).ok
    talk.hear("channel-changed", talk.channel)
    expect(talk.page.locator("#command-list li")).to_have_count(3)
    talk.field.press("/")
    options = talk.page.get_by_role("option")
    expect(options).to_have_count(3)
    expect(options.last).to_contain_text("␣U+202E")
    expect(options.last).to_contain_text("Stop <b>now</b>")
    expect(talk.field).to_have_attribute("aria-activedescendant", "command-0")
    talk.page.keyboard.type("st")
    expect(options).to_have_count(2)
    talk.page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(talk.field).not_to_have_attribute("role", "combobox")
    talk.field.fill("/d")
    talk.page.keyboard.press("Enter")
    expect(talk.field).to_have_value("/deploy ")
    talk.page.keyboard.type("2.1")
    talk.page.keyboard.press("Enter")
    expect(talk.messages).to_have_count(1)
    assert talk.stored()[0]["text"] == "/deploy 2.1"


def test_new_messages_appear_at_the_end(talk: Talk) -> None:
    talk.say("First")
    talk.open()
    for text in ["Second", "Third"]:
        talk.hear("message-created", talk.say(text))
    expect(talk.messages).to_have_count(3)
    expect(talk.messages.last).to_contain_text("Third")
    expect(talk.messages.last).to_have_class("msg joined")
    expect(talk.page.locator("#log-items .day")).to_have_count(1)
    assert distance_from_end(talk) == 0


def test_stream_of_events_brings_new_messages(talk: Talk) -> None:
    """Nobody helps here: the product's own stream says what happened."""
    with talk.page.expect_response("**/ui/events/"):
        talk.open()
    said = talk.say("Good evening")
    expect(talk.messages).to_have_count(1)
    assert talk.stack.call("DELETE", f"/api/v1/messages/{said}").ok
    expect(talk.messages).to_have_count(0)


def test_empty_conversation_shows_its_first_message(talk: Talk) -> None:
    talk.open()
    expect(talk.page.locator("#log-items")).to_contain_text("Nothing was said here yet.")
    talk.hear("message-created", talk.say("Good morning"))
    expect(talk.messages).to_have_count(1)
    expect(talk.page.locator("#log-items")).not_to_contain_text("Nothing was said here yet.")


def test_reader_further_up_is_told_and_not_moved(talk: Talk) -> None:
    for number in range(30):
        talk.say(f"Message {number}")
    talk.open()
    talk.page.evaluate("document.getElementById('log').scrollTop = -400")
    for _ in range(2):
        talk.hear("message-created", talk.say("News"))
    chip = talk.page.get_by_role("link", name="2 new messages")
    expect(chip).to_be_visible()
    expect(talk.messages).to_have_count(30)
    assert distance_from_end(talk) == 400
    chip.click()
    expect(talk.messages).to_have_count(32)
    expect(chip).to_have_count(0)
    assert distance_from_end(talk) == 0


def test_earlier_messages_leave_the_reader_where_they_are(talk: Talk) -> None:
    for number in range(60):
        talk.say(f"Message {number}.")
    talk.open()
    expect(talk.messages).to_have_count(50)
    top = talk.page.locator("#log-items > .msg").first
    top.scroll_into_view_if_needed()
    where = talk.page.get_by_text("Message 12.").bounding_box()
    talk.page.get_by_role("link", name="Earlier messages").evaluate("link => link.click()")
    expect(talk.messages).to_have_count(60)
    expect(talk.page.locator("#log-items .day")).to_have_count(1)
    assert talk.page.get_by_text("Message 12.").bounding_box() == where
    expect(talk.messages.first).to_contain_text("Message 0.")


def test_streamed_reply_grows_in_place_with_its_steps(talk: Talk) -> None:
    stream, route = {"channelId": talk.channel}, f"/api/v1/messages/streams/{uuid.uuid4().hex}"
    call, name = talk.stack.call, route.rpartition("/")[2]
    draft = talk.say("Let me", streamId=name, streamState="streaming")
    call("POST", f"{route}/status", stream | {"text": "Reading the file"})
    talk.open()
    message = talk.page.locator(f"#m-{draft}")
    expect(message).to_contain_text("Writing")
    expect(message.locator(".steps-of")).to_have_attribute("open", "")
    message.locator("summary").click()
    call("PATCH", route, stream | {"text": "Let me see"})
    talk.hear("message-changed", draft)
    expect(message).to_contain_text("Let me see")
    expect(message.locator(".steps-of")).not_to_have_attribute("open", "")
    call(
        "PATCH",
        route,
        stream | {"text": "Let me see: done", "streamState": "aborted"},
    )
    talk.hear("message-changed", draft)
    expect(message).to_contain_text("Unfinished: the agent stopped writing.")
    assert not message.get_attribute("aria-live")


def test_fast_stream_is_looked_at_four_times_a_second(talk: Talk) -> None:
    draft = talk.say("Let me", streamId=uuid.uuid4().hex, streamState="streaming")
    talk.open()
    asked: list[str] = []
    talk.page.on("request", lambda request: asked.append(request.url))
    told = json.dumps({"id": draft, "channel": talk.channel})
    talk.page.evaluate(
        """async (data) => {
            for (let count = 0; count < 20; count += 1) {
                htmx.trigger(document.body, 'message-changed', {data});
                await htmx.timeout(50);
            }
            await htmx.timeout(600);
        }""",
        told,
    )
    looks = [url for url in asked if f"/messages/{draft}/" in url]
    assert 2 <= len(looks) <= 6


def test_stream_is_spoken_once_it_is_whole(talk: Talk) -> None:
    name = uuid.uuid4().hex
    route = f"/api/v1/messages/streams/{name}"
    draft = talk.say("Let me", streamId=name, streamState="streaming")
    talk.open()
    talk.page.get_by_role("button", name="Read new messages aloud").click()
    talk.page.evaluate(
        """() => {
            window.spoken = [];
            new MutationObserver((changes) => {
                for (const {addedNodes} of changes)
                    for (const node of addedNodes) window.spoken.push(node.id);
            }).observe(document.getElementById('log-items'), {childList: true});
        }"""
    )
    message = talk.page.locator(f"#m-{draft}")
    expect(message).to_have_attribute("aria-live", "off")
    for text, complete in [("Let me see", False), ("Done", True)]:
        body = {"channelId": talk.channel, "text": text, "complete": complete}
        assert talk.stack.call("PATCH", route, body).ok
        talk.hear("message-changed", draft)
        expect(message).to_contain_text(text)
    assert happens_within(10, lambda: talk.page.evaluate("() => window.spoken.length > 0"))
    assert talk.page.evaluate("window.spoken") == [f"m-{draft}"]


def test_reply_that_grows_does_not_move_the_reader(talk: Talk) -> None:
    for number in range(30):
        talk.say(f"Message {number}.")
    name = uuid.uuid4().hex
    draft = talk.say("Let me", streamId=name, streamState="streaming")
    talk.open()
    talk.page.evaluate("document.getElementById('log').scrollTop = -500")
    read = talk.page.get_by_text("Message 10.")
    read.scroll_into_view_if_needed()
    where = read.bounding_box()
    body = {"channelId": talk.channel, "text": "A line\n\n" * 20}
    assert talk.stack.call("PATCH", f"/api/v1/messages/streams/{name}", body).ok
    talk.hear("message-changed", draft)
    expect(talk.page.locator(f"#m-{draft} p")).to_have_count(20)
    assert read.bounding_box() == pytest.approx(where, abs=1)


def test_deleted_message_vanishes_and_the_next_one_gets_its_header(talk: Talk) -> None:
    first, second = talk.say("Wrong"), talk.say("Right")
    talk.open()
    expect(talk.page.locator(f"#m-{second}")).to_have_class("msg joined")
    assert talk.stack.call("DELETE", f"/api/v1/messages/{first}").ok
    talk.hear("message-deleted", first)
    expect(talk.page.locator(f"#m-{first}")).to_have_count(0)
    expect(talk.page.locator(f"#m-{second}")).to_have_class("msg")


def test_state_of_a_delivery_changes_in_place(talk: Talk) -> None:
    talk.open()
    talk.write("Have you got this?")
    expect(talk.messages).to_have_count(1)
    expect(talk.messages.first).to_contain_text("Sent")
    (message,) = talk.stored()
    assert talk.stack.call("POST", f"/api/v1/messages/{message['id']}/ack").ok
    talk.hear("delivery-changed", message["id"])
    expect(talk.messages.first).to_contain_text("Received by agent")


def test_review_shows_in_the_bar_and_in_the_list(talk: Talk) -> None:
    talk.open()
    review = talk.say("Deploy it?", review={"type": "approval"})
    talk.hear("review-created", review)
    expect(talk.page.locator("#pending")).to_contain_text("Deploy it?")
    expect(talk.messages.first.locator(".ask")).to_contain_text("Pending")
    expect(talk.page.locator(f"#channel-{talk.channel}")).to_contain_text("1 review open")


def test_channel_that_is_renamed_says_so(talk: Talk) -> None:
    talk.open()
    change = {"name": "Renamed"}
    assert talk.stack.call("PATCH", f"/api/v1/agents/{talk.channel}", change).ok
    talk.hear("channel-changed", talk.channel)
    expect(talk.page.locator("#head h2")).to_have_text("Renamed")
    expect(talk.page.locator(f"#channel-{talk.channel}")).to_contain_text("Renamed")


def test_draft_survives_a_reload_and_ends_with_sending(talk: Talk) -> None:
    talk.open()
    talk.field.fill("Half a thought")
    talk.open()
    expect(talk.field).to_have_value("Half a thought")
    talk.page.get_by_role("button", name="Send", exact=True).click()
    expect(talk.messages).to_have_count(1)
    talk.open()
    expect(talk.field).to_have_value("")


def test_drafts_end_with_signing_out(talk: Talk) -> None:
    talk.page.context.clear_cookies()
    sign_in(talk.page, talk.stack.url)
    talk.open()
    talk.field.fill("Secret plan")
    keys = "Object.keys(localStorage).filter((key) => key.startsWith('draft:')).length"
    assert talk.page.evaluate(keys) == 1
    talk.page.evaluate("document.querySelector(\"form[action$='/sign-out/']\").requestSubmit()")
    talk.page.wait_for_url("**/sign-in/**")
    assert talk.page.evaluate(keys) == 0


def test_link_to_a_message_shows_and_marks_it(talk: Talk) -> None:
    ids = [talk.say(f"Message {number}.") for number in range(80)]
    talk.open(f"?m={ids[20]}#m-{ids[20]}")
    marked = talk.page.locator(".msg.marked")
    expect(marked).to_contain_text("Message 20.")
    expect(marked).to_be_in_viewport()
    talk.page.get_by_role("link", name="Latest messages").click()
    expect(talk.messages.last).to_contain_text("Message 79.")
    expect(talk.messages).to_have_count(50)


def test_list_opens_conversations_and_history_leads_back(talk: Talk) -> None:
    other = talk.stack.call("POST", "/api/v1/agents", {"name": "Quill"}).json()["id"]
    talk.page.goto(f"{talk.stack.url}/channels/")
    talk.page.evaluate("document.getElementById('channel-list').dataset.same = 'yes'")
    for channel in [talk.channel, other]:
        talk.page.locator(f"#channel-{channel} .row").evaluate("row => row.click()")
        expect(talk.page.locator("#detail")).to_have_attribute("data-channel", channel)
        expect(talk.page.locator(f"#channel-{channel} .row")).to_have_attribute(
            "aria-current", "true"
        )
    talk.page.go_back()
    expect(talk.page.locator("#detail")).to_have_attribute("data-channel", talk.channel)
    assert talk.stack.call("DELETE", f"/api/v1/agents/{other}").ok
    talk.page.evaluate(
        "data => htmx.trigger(document.body, 'channel-changed', {data})",
        json.dumps({"id": other, "channel": other}),
    )
    expect(talk.page.locator(f"#channel-{other}")).to_have_count(0)
    assert talk.page.locator("#channel-list").get_attribute("data-same") == "yes"


def test_reading_aloud_is_off_until_somebody_asks(talk: Talk) -> None:
    talk.open()
    log = talk.page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "off")
    button = talk.page.get_by_role("button", name="Read new messages aloud")
    button.click()
    expect(log).to_have_attribute("aria-live", "polite")
    talk.open()
    expect(log).to_have_attribute("aria-live", "polite")
    expect(button).to_have_attribute("aria-pressed", "true")


def test_everything_is_sent_without_scripts(stack: Stack, page: Page, tmp_path: Path) -> None:
    """`page` has JavaScript off."""
    agent = stack.call("POST", "/api/v1/agents", {"name": "Plain"}).json()["id"]
    asked = {"channelId": agent, "text": "Which file?"}
    stack.call("POST", "/api/v1/messages", asked)
    file = tmp_path / "this.txt"
    file.write_text("x")
    page.goto(f"{stack.url}/channels/{agent}/")
    page.get_by_role("link", name="Reply", exact=True).click()
    page.wait_for_url("**reply=**")
    page.locator("#message-files").set_input_files(file)
    page.locator("#message-text").fill("This one")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**#m-**")
    sent = page.locator(".msg.mine")
    expect(sent).to_contain_text("This one")
    expect(sent).to_contain_text("this.txt")
    expect(sent.locator(".quoted")).to_contain_text("Which file?")
