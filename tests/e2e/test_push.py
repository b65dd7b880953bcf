"""Notifications from the button in a page to the lock screen, with Chromium's own service worker.

A browser without a network cannot subscribe: `PushManager.subscribe` of this Chromium fails, in a
fresh context at once and in a profile after its time limit. So that call is a stand-in, which makes
real keys in the browser and names a push service of ours. Everything else is the product: the page,
the worker that finds the review and sends, and the service worker, which gets what the test has
opened with the browser's keys.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, CDPSession, Locator, Page, expect

from tests.delivery.certificates import Authority
from tests.e2e.stack import EMAIL, PASSWORD, Stack
from tests.polling import happens_within
from tests.push import Browser, unbase64url, verified_claims
from tests.receiver import Received, Receiver

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

STAND_IN = (Path(__file__).parent / "subscribing.js").read_text()
TRUST = "authority.pem"


@pytest.fixture(scope="session")
def browser(whole_browser: Chromium) -> Chromium:
    """Notifications need all of it."""
    return whole_browser


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Path]:
    folder = tmp_path_factory.mktemp("authority")
    made = Authority(folder)
    (folder / TRUST).write_text(made.pem)
    return made, folder / TRUST


@pytest.fixture(scope="module")
def push_stack(
    authority: tuple[Authority, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A product whose operator trusts the push service's authority."""
    environment = {
        "EGRESS_CA_FILE": str(authority[1]),
        "VAPID_SUBJECT": "mailto:operator@example.org",
    }
    with Stack(tmp_path_factory.mktemp("var"), environment, migrated=True) as running:
        yield running


@pytest.fixture
def service(authority: tuple[Authority, Path]) -> Iterator[Receiver]:
    with Receiver(tls=authority[0].server_context("127.0.0.1")) as running:
        running.answer = lambda _: (201, {}, b"")
        yield running


@pytest.fixture
def context(browser: Chromium, push_stack: Stack) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    opened.grant_permissions(["notifications"], origin=push_stack.url)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, push_stack: Stack, service: Receiver) -> Iterator[Page]:
    """Signed in, on the page with the devices; nothing may break the policy."""
    endpoint = json.dumps(f"{service.url}/send/a-secret-path")
    context.add_init_script(f"({STAND_IN})({endpoint})")
    page = context.new_page()
    complaints: list[tuple[str, str]] = []
    page.on("console", lambda message: complaints.append((message.type, message.text)))
    page.on("pageerror", lambda error: complaints.append(("error", str(error))))
    sign_in(page, push_stack)
    yield page
    errors = [text for kind, text in complaints if kind == "error"]
    assert not [text for text in errors if "Failed to load resource" not in text]


def sign_in(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/sign-in/?next=/push/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/push/")


def switch_on(page: Page) -> Browser:
    """Press the button; returns the keys that the browser made."""
    page.get_by_role("button", name="Notify me on this device").click()
    expect(this_device(page)).to_be_visible()
    return browser_keys(page)


def this_device(page: Page) -> Locator:
    """Its row; devices of other tests may be listed, too."""
    mark = page.get_by_text("This device", exact=True).filter(visible=True)
    return page.get_by_role("listitem").filter(has=mark)


def browser_keys(page: Page) -> Browser:
    kept = json.loads(page.evaluate("localStorage.subscription"))
    scalar = int.from_bytes(unbase64url(kept["d"]))
    keys = kept["json"]["keys"]
    browser = Browser(ec.derive_private_key(scalar, ec.SECP256R1()), unbase64url(keys["auth"]))
    assert browser.keys == keys
    assert kept["server"] == page.locator("[data-push]").get_attribute("data-push")
    return browser


@pytest.fixture
def worker(page: Page, context: BrowserContext) -> "ServiceWorker":
    return ServiceWorker(page, context)


class ServiceWorker:
    """The browser's side of a push: what it shows, and what a click does."""

    def __init__(self, page: Page, context: BrowserContext) -> None:
        self.page, self.context = page, context
        page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
        self.protocol: CDPSession = context.new_cdp_session(page)
        self.registrations: list[dict[str, Any]] = []
        self.last: Any = None
        self.protocol.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: self.registrations.extend(event["registrations"]),
        )
        self.protocol.send("ServiceWorker.enable")

    def receive(self, said: Any) -> None:
        """Hand over what the browser would have decrypted."""
        self.last = said
        origin = self.page.evaluate("location.origin")
        assert happens_within(10, lambda: self.page.evaluate("1") and self.registrations)
        self.protocol.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": origin,
                "registrationId": self.registrations[-1]["registrationId"],
                "data": json.dumps(said),
            },
        )

    def shown(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._inside(
            "() => registration.getNotifications().then((all) => all.map("
            "({ title, body, tag, silent, data }) => ({ title, body, tag, silent, data })))"
        )
        return found

    def shows(self, body: str) -> bool:
        """On a busy machine a push gets lost in the browser now and then; it comes twice then."""

        def shown() -> bool:
            return happens_within(10, lambda: [each["body"] for each in self.shown()] == [body])

        if shown():
            return True
        self.receive(self.last)
        return shown()

    def click(self) -> str:
        """Click the notification; returns the address that is opened. It needs a real finger to
        open a window, so what would be opened is noted instead.
        """
        opened: str = self._inside(
            """async () => {
              const [notification] = await registration.getNotifications();
              const opening = new Promise((resolve) => { clients.openWindow = resolve; });
              dispatchEvent(new NotificationEvent("notificationclick", { notification }));
              return opening;
            }"""
        )
        return opened

    def _inside(self, script: str) -> Any:
        """It may be on its way: the browser starts it, and ends it, as it likes."""
        assert happens_within(10, lambda: self.page.evaluate("1") and self.context.service_workers)
        return self.context.service_workers[-1].evaluate(script)


def test_person_is_notified_of_a_review_and_of_who_answered_it(
    push_stack: Stack, service: Receiver, page: Page, worker: ServiceWorker
) -> None:
    browser = switch_on(page)
    public_key = page.locator("[data-push]").get_attribute("data-push") or ""
    page.goto("about:blank")  # nobody looks at the pages
    asked_at = time.monotonic()
    review_id = push_stack.ask({"type": "approval", "expiresInSeconds": 600})
    (first,) = service.wait_for(1)
    print(f"\npushed {time.monotonic() - asked_at:.1f} s after the post")  # noqa: T201
    news = browser.read(first)
    assert news["id"] == review_id
    assert (news["type"], news["text"]) == ("approval", "Approval")
    assert "title" not in news
    assert_sealed_and_signed(first, service, public_key)
    page.goto(f"{push_stack.url}/push/")
    worker.receive(news)
    assert worker.shows("Approval"), worker.shown()
    (notification,) = worker.shown()
    assert notification["title"] == news["channel"]
    assert (notification["tag"], notification["silent"]) == (review_id, False)
    assert worker.click() == f"/inbox/{review_id}/"
    assert happens_within(10, lambda: not worker.shown())  # closed by the click

    worker.receive(news)
    assert worker.shows("Approval"), worker.shown()
    page.goto(f"{push_stack.url}/inbox/{review_id}/")
    page.get_by_role("button", name="Approve").click()
    _, last = service.wait_for(2)
    ending = browser.read(last)
    assert (ending["closed"], ending["text"]) == (True, "You answered this")
    assert last.headers["topic"] == first.headers["topic"]
    worker.receive(ending)
    assert worker.shows("You answered this"), worker.shown()
    assert worker.shown()[0]["silent"]


def assert_sealed_and_signed(request: Received, service: Receiver, public_key: str) -> None:
    assert request.path == "/send/a-secret-path"
    assert b"Deploy" not in request.body
    assert request.headers["content-encoding"] == "aes128gcm"
    assert request.headers["urgency"] == "high"
    assert 500 < int(request.headers["ttl"]) <= 600
    claims = verified_claims(request, public_key)
    assert (claims["aud"], claims["sub"]) == (service.url, "mailto:operator@example.org")
    assert time.time() < claims["exp"] <= time.time() + 24 * 3600


def test_titles_tests_and_removal_work_from_the_page(
    push_stack: Stack, service: Receiver, page: Page, worker: ServiceWorker
) -> None:
    browser = switch_on(page)
    expect(page.get_by_role("button", name="Notify me on this device")).to_be_hidden()
    this_device(page).get_by_label("Show titles").check()
    this_device(page).get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("about:blank")  # nobody looks at the pages
    push_stack.ask({"type": "approval"})
    (request,) = service.wait_for(1)
    assert browser.read(request)["title"] == "Deploy version 2?"
    page.goto(f"{push_stack.url}/push/")
    this_device(page).get_by_role("button", name="Send test").click()
    expect(page.get_by_text("A test is on its way.")).to_be_visible()
    _, trial = service.wait_for(2)
    worker.receive(browser.read(trial))
    assert worker.shows("Notifications work on this device."), worker.shown()
    assert worker.click() == "/inbox/"
    this_device(page).get_by_role("button", name="Remove").click()
    expect(page.get_by_text("That device is not notified any more.")).to_be_visible()
    expect(page.get_by_role("button", name="Notify me on this device")).to_be_visible()
    assert page.evaluate("localStorage.subscription") is None


def test_ending_of_what_is_not_shown_disturbs_nobody_who_looks_at_a_page(
    page: Page, worker: ServiceWorker
) -> None:
    worker.receive({"id": "one", "closed": True, "channel": "Atlas", "text": "Answered"})
    worker.receive({"id": "two", "channel": "Atlas", "text": "Form"})
    assert worker.shows("Form"), worker.shown()


def test_browser_that_says_no_is_told_where_to_change_it(
    browser: Chromium, push_stack: Stack
) -> None:
    context = browser.new_context(permissions=[])
    context.add_init_script("Notification.requestPermission = async () => 'denied'")
    page = context.new_page()
    sign_in(page, push_stack)
    button = page.get_by_role("button", name="Notify me on this device")
    if page.evaluate("Notification.permission") == "denied":
        expect(page.get_by_text("does not allow notifications")).to_be_visible()
    button.click()
    expect(page.get_by_text("does not allow notifications")).to_be_visible()
    context.close()


def test_push_service_that_is_not_reached_is_said_to_be(
    context: BrowserContext, push_stack: Stack
) -> None:
    """With the browser's own `subscribe`, which has no network here."""
    page = context.new_page()
    sign_in(page, push_stack)
    page.get_by_role("button", name="Notify me on this device").click()
    expect(page.get_by_text("push service was not reached")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Notify me on this device")).to_be_enabled()
    context.set_offline(True)
    page.get_by_role("button", name="Notify me on this device").click()
    expect(page.get_by_text("You are offline.")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("delete window.PushManager", "This browser cannot show notifications"),
        ("delete window.PushManager; navigator.standalone = false", "Add to Home Screen"),
    ],
)
def test_browser_without_pushes_is_told_what_it_needs(
    browser: Chromium, push_stack: Stack, script: str, text: str
) -> None:
    context = browser.new_context()
    context.add_init_script(script)
    page = context.new_page()
    sign_in(page, push_stack)
    expect(page.get_by_text(text)).to_be_visible()
    expect(page.get_by_role("button", name="Notify me on this device")).to_be_hidden()
    context.close()


def test_without_a_script_the_page_says_so(browser: Chromium, push_stack: Stack) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, push_stack)
    expect(page.get_by_text("allow JavaScript for this page")).to_be_visible()
    context.close()


def test_offline_a_page_says_so_and_tries_again_and_nothing_private_was_kept(
    push_stack: Stack, page: Page, worker: ServiceWorker, context: BrowserContext
) -> None:
    page.goto(f"{push_stack.url}/inbox/")
    page.goto(f"{push_stack.url}/channels/")
    kept = page.evaluate(
        """async () => {
          const opened = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
          const requests = await Promise.all(opened.map((cache) => cache.keys()));
          return requests.flat().map((request) => new URL(request.url).pathname);
        }"""
    )
    assert "/offline/" in kept
    assert all(path == "/offline/" or path.startswith("/static/") for path in kept)
    context.set_offline(True)
    page.goto(f"{push_stack.url}/inbox/?status=all")
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    colour = page.evaluate(
        "getComputedStyle(document.querySelector('.btn.primary')).backgroundColor"
    )
    assert colour == "rgb(51, 80, 212)"  # the stylesheet is there
    context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page).to_have_url(f"{push_stack.url}/inbox/?status=all")
    expect(page.get_by_role("heading", name="No connection")).to_be_hidden()
