"""People with browsers of their own: signed in, with JavaScript, and watched for complaints."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    expect,
)

from tests.e2e.stack import EMAIL, PASSWORD, Stack

DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
TELL_VIOLATIONS = """addEventListener('securitypolicyviolation',
    (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))"""
PATIENCE_MS = 8_000
# The browser writes a line for each of these, though the page handles it.
HANDLED = re.compile(r"the server responded with a status of (401|409|410|422)")
UNREACHABLE = re.compile(r"net::ERR|Failed to fetch")


@dataclass
class Watch:
    """Notes everything that should not happen on the pages of one browser context."""

    url: str
    complaints: list[str] = field(default_factory=list)
    unreachable: bool = False

    def follow(self, page: Page) -> None:
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.complaints.append(f"left: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        lost = self.unreachable and UNREACHABLE.search(message.text)
        if message.type == "error" and not HANDLED.search(message.text) and not lost:
            where = message.location.get("url", "")
            self.complaints.append(f"{message.text} {where}")

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@dataclass
class Person:
    """One person's browser."""

    context: BrowserContext
    watch: Watch

    def open(self, path: str = "/inbox/") -> Page:
        """A tab at `path`, with its event stream open."""
        page = self.context.new_page()
        page.goto(self.watch.url + path)
        return page

    def close_tabs(self) -> None:
        for page in self.context.pages:
            page.close()


def sign_in(page: Page, url: str, email: str = EMAIL, password: str = PASSWORD) -> None:
    page.goto(f"{url}/sign-in/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()


@contextmanager
def person(
    browser: Browser, stack: Stack, email: str = EMAIL, password: str = PASSWORD, **how: Any
) -> Iterator[Person]:
    """Somebody at a browser of their own; whatever it complains about fails the test."""
    context = browser.new_context(service_workers="block", **how)
    context.add_init_script(TELL_VIOLATIONS)
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch(stack.url)
    context.on("page", watch.follow)
    page = context.new_page()
    sign_in(page, stack.url, email, password)
    page.close()
    yield Person(context, watch)
    context.close()
    assert not watch.complaints, "\n".join(watch.complaints)


def new_channel(page: Page, url: str, name: str) -> str:
    """Make a channel through its form; returns its id."""
    page.goto(f"{url}/channels/new/")
    page.get_by_role("textbox", name="Name").fill(name)
    with page.expect_navigation():
        page.get_by_role("button", name="Create channel").click()
    return page.url.rstrip("/").rpartition("/")[2]


def listening(page: Page) -> Page:
    """The page, once its event stream is open."""
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=15_000)
    return page
