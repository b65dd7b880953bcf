"""One running product and one browser for all end-to-end tests."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    StorageState,
    expect,
    sync_playwright,
)

from tests.e2e.people import TELL_VIOLATIONS, sign_in
from tests.e2e.separate import Separate
from tests.e2e.stack import Stack

expect.set_options(timeout=15_000)  # two journeys share a machine with what they drive

KINDS: dict[str, type[Stack]] = {"serve": Stack, "separate": Separate}
WHOLE = ("chromium", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stack]]:
    """Starts each kind of stack when it is first asked for; all end together."""
    with ExitStack() as running:

        @cache
        def start(kind: str) -> Stack:
            folder = tmp_path_factory.mktemp("var")
            return running.enter_context(KINDS[kind](folder, migrated=kind == "serve"))

        yield start


@pytest.fixture(scope="session", params=["serve", "separate"])
def stack(request: pytest.FixtureRequest, stacks: Callable[[str], Stack]) -> Stack:
    """The product as `make serve` starts it, and as the compose file names its processes."""
    missing = KINDS[request.param].missing()
    if missing and not os.environ.get("CI"):
        pytest.skip(f"install {missing} for the separate processes")
    return stacks(request.param)


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts the first of some browsers that is installed, and keeps it running."""
    with sync_playwright() as playwright:

        @cache
        def start(*names: str) -> Browser:
            program = next(filter(None, map(shutil.which, names)), None)
            assert program, (
                "install Chromium (Debian, Ubuntu: apt install chromium) for these tests"
            )
            return playwright.chromium.launch(executable_path=program, args=FLAGS)

        yield start


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Browser:
    """Without a window's parts where that comes as a program of its own: it takes half the time."""
    return launch("chromium-headless-shell", *WHOLE)


@pytest.fixture(scope="session")
def whole_browser(launch: Callable[..., Browser]) -> Browser:
    """One that also shows notifications and PDFs, as people have it."""
    return launch(*WHOLE)


@pytest.fixture(scope="session")
def sessions(browser: Browser) -> Callable[[Stack], StorageState]:
    """The cookies of the owner, who signs in once at each stack."""

    @cache
    def cookies(url: str) -> StorageState:
        context = browser.new_context(java_script_enabled=False)
        sign_in(context.new_page(), url)
        kept = context.storage_state()
        context.close()
        return kept

    return lambda stack: cookies(stack.url)


@pytest.fixture
def page(
    stack: Stack, browser: Browser, sessions: Callable[[Stack], StorageState]
) -> Iterator[Page]:
    """A signed-in person's page, without JavaScript; anything that breaks the policy fails."""
    context = browser.new_context(java_script_enabled=False, storage_state=sessions(stack))
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    policy = [text for text in complaints if "Content Security Policy" in text]
    assert not policy


@pytest.fixture
def watched(
    stack: Stack, browser: Browser, sessions: Callable[[Stack], StorageState]
) -> Iterator[tuple[Page, list[str]]]:
    """A signed-in person's page with JavaScript, and a list of all that should not happen."""
    context = browser.new_context(storage_state=sessions(stack))
    context.add_init_script(TELL_VIOLATIONS)
    page = context.new_page()
    complaints: list[str] = []

    def note_request(request: Request) -> None:
        if not request.url.startswith((f"{stack.url}/", "data:", "blob:")):
            complaints.append(f"left: {request.url}")

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def note_dialog(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("request", note_request)
    page.on("console", note_console)
    page.on("dialog", note_dialog)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("popup", lambda popup: complaints.append(f"opened: {popup.url}"))
    yield page, complaints
    context.close()


@pytest.fixture
def scripted_page(watched: tuple[Page, list[str]]) -> Iterator[Page]:
    """The same; errors, violations of the policy, dialogs and foreign requests fail its test."""
    page, complaints = watched
    yield page
    assert complaints == []
