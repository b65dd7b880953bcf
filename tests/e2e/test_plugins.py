"""Plugins in a real browser: what a hostile one tries comes to nothing, and good ones work."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, StorageState, expect

from tests.e2e.stack import Stack
from tests.polling import happens_within
from tests.receiver import Receiver

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]


class Ear:
    """Hears every connection and every datagram to one port of loopback, whatever it says."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        for listen in (self._connections, self._datagrams):
            threading.Thread(target=listen, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _connections(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            self.heard.append("connection")
            connection.close()

    def _datagrams(self) -> None:
        while True:
            try:
                self.heard.append(repr(self._udp.recv(2000)[:20]))
            except OSError:
                return

    def close(self) -> None:
        self._tcp.close()
        self._udp.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    listening = Ear()
    yield listening
    listening.close()


class Visit:
    """Somebody's page, with everything that a plugin should not bring about."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page, self.stack = page, stack
        self.happened: list[str] = []
        page.on("popup", lambda popup: self.happened.append(f"opened {popup.url}"))
        page.on("dialog", self._dialog)
        page.on("download", lambda download: self.happened.append(f"saved {download.url}"))
        page.on("pageerror", lambda error: self.happened.append(f"error {error}"))

    def _dialog(self, dialog: Any) -> None:
        self.happened.append(f"said {dialog.message}")
        dialog.dismiss()

    def open(self, review: str) -> FrameLocator:
        self.page.goto(f"{self.stack.url}/inbox/{review}/")
        return self.frame

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("[data-plugin] iframe")

    def attacked(self, attack: str, ear: Ear) -> str:
        """Ask for a review that the hostile plugin shows; returns its id."""
        payload = {"attack": attack, "away": ear.url}
        return self.stack.ask({"type": "hostile", "payload": payload})


@pytest.fixture
def visit(
    stack: Stack, browser: Browser, sessions: Callable[[Stack], StorageState]
) -> Iterator[Visit]:
    context = browser.new_context(storage_state=sessions(stack))
    yield Visit(context.new_page(), stack)
    context.close()


def pending(stack: Stack, review: str) -> bool:
    return bool(
        stack.call("GET", f"/api/v1/reviews/{review}").json()["review"]["status"] == "pending"
    )


def test_hostile_plugin_reaches_and_tells_nobody(visit: Visit, stack: Stack, ear: Ear) -> None:
    review = visit.attacked("steal", ear)
    report = visit.open(review).locator("#report")
    expect(report).to_contain_text("{")
    found = json.loads(report.text_content() or "")
    assert [name for name, outcome in found.items() if outcome == "got it"] == []
    assert visit.happened == []
    assert ear.heard == []
    assert visit.page.url == f"{stack.url}/inbox/{review}/"
    expect(visit.page.locator("#proposal")).to_be_empty()
    assert visit.page.context.cookies() == visit.page.context.cookies(stack.url)
    assert pending(stack, review)
    visit.page.reload()
    expect(visit.page.locator("#detail-title")).to_be_visible()  # nobody was signed out


def test_hostile_plugin_answers_nothing_by_itself(visit: Visit, stack: Stack, ear: Ear) -> None:
    review = visit.attacked("respond", ear)
    expect(visit.open(review).locator("#report")).to_have_text("proposed")
    expect(visit.page.locator("#proposal")).to_contain_text("by the plugin itself")
    assert pending(stack, review)


def test_flooding_plugin_is_taken_off_the_page(visit: Visit, ear: Ear) -> None:
    visit.open(visit.attacked("flood", ear))
    expect(visit.page.locator("[data-plugin]")).to_contain_text("it sent too many messages")
    expect(visit.page.locator("[data-plugin] iframe")).to_have_count(0)
    toast = visit.page.locator("#toasts").text_content() or ""
    assert toast.startswith("Hostile: x")
    assert len(toast) < 300


def test_plugin_that_leaves_its_page_is_taken_off(visit: Visit, ear: Ear) -> None:
    visit.open(visit.attacked("leave", ear))
    expect(visit.page.locator("[data-plugin]")).to_contain_text("tried to leave its page")
    expect(visit.page.locator("[data-plugin] iframe")).to_have_count(0)
    assert ear.heard == []


def test_proposal_is_sent_with_our_button(visit: Visit, stack: Stack, ear: Ear) -> None:
    review = stack.ask({"type": "form-submit", "payload": {"name": "Ada"}})
    frame = visit.open(review)
    frame.get_by_label("E-mail").fill("ada@example.org")
    frame.get_by_role("button").click()
    expect(visit.page.locator("#proposal")).to_contain_text("ada@example.org")
    visit.page.get_by_role("button", name="Send this answer").click()
    message: Any = stack.wait_for(review)["message"]
    assert message["review"]["response"] == {"name": "Ada", "email": "ada@example.org"}
    assert visit.happened == []


def test_plugin_calls_and_reads_what_it_may(
    visit: Visit, stack: Stack, receiver: Receiver, ear: Ear
) -> None:
    receiver.answer = lambda asked: (200, {}, f"heard {asked.headers['authorization']}".encode())
    page = visit.page
    page.goto(f"{stack.url}/settings/plugins/asking/")
    page.get_by_label("Token").fill("hush-hush")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    page.goto("about:blank")  # the preview has called as well
    receiver.received.clear()
    file = {"content": "hello", "filename": "a.txt", "mimeType": "text/plain"}
    data = {"type": "asking", "payload": {"url": f"{receiver.url}/build"}}
    said = visit.open(stack.ask(data, textAttachments=[file])).locator("#said")
    expect(said).to_contain_text("{")
    found = json.loads(said.text_content() or "")
    assert (found["status"], found["body"]) == (200, "heard Bearer {{secret:TOKEN}}")
    assert found["env"] == {"TOKEN": "{{secret:TOKEN}}"}
    assert "maxHttpDomains" in found["elsewhere"]
    assert found["file"]["data"].endswith("base64,aGVsbG8=")
    assert (found["file"]["filename"], found["same"]) == ("a.txt", True)
    assert found["foreign"] == "no such attachment in this message"
    assert [asked.headers["authorization"] for asked in receiver.received] == ["Bearer hush-hush"]
    expect(page.locator("#toasts")).to_have_text("Asking: Done")


def test_written_and_fresh_plugins_work(visit: Visit, stack: Stack, tmp_path: Path) -> None:
    """That of docs/plugins.md, and what `create_plugin` writes."""
    payload = {"release": "Checkout 2.4", "share": 25}
    review = stack.ask({"type": "rollout", "payload": payload})
    frame = visit.open(review)
    expect(frame.get_by_text("25 % of all machines")).to_be_visible()
    frame.get_by_role("button").click()
    visit.page.get_by_role("button", name="Send this answer").click()
    message: Any = stack.wait_for(review)["message"]
    assert message["review"]["response"] == {"share": 25}
    review = stack.ask({"type": "fresh", "payload": {"title": "Hello"}})
    visit.open(review).get_by_role("button").click()
    expect(visit.page.locator("#proposal")).to_contain_text("good")


def test_conversation_shows_cards_as_high_as_they_are(visit: Visit, stack: Stack, ear: Ear) -> None:
    """In a channel of its own: a card floods its page in that of the others."""
    made = stack.call("POST", "/api/v1/agents", {"name": "Cards"})
    assert made.json()["id"] == stack.channel
    source = "flowchart LR; build[Build] --> test{Tests pass?}; test -->|no| build; test --> ship"
    drawing = {"plugin": "diagram", "source": source}
    stack.call(
        "POST",
        "/api/v1/messages",
        {"channelId": stack.channel, "text": "The plan", "metadata": drawing},
    )
    visit.attacked("height", ear)
    page = visit.page
    page.goto(f"{stack.url}/channels/{stack.channel}/")
    chart, hostile = page.locator("[data-address*='/diagram/']").last, page.locator("iframe").last
    picture = chart.frame_locator("iframe").get_by_role("img")
    expect(picture).to_have_attribute(
        "aria-label",
        "Flowchart: Build to Tests pass?; Tests pass? to Build (no); Tests pass? to ship",
    )
    assert happens_within(10, lambda: (chart.bounding_box() or {"height": 0})["height"] > 120)
    assert happens_within(10, lambda: hostile.evaluate("({style}) => style.height") == "800px")
