"""axe-core finds nothing on any screen, in any state, theme and width (WCAG 2.0 to 2.2, A, AA)."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from tests.e2e.gallery import Gallery
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(400),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

HERE = Path(__file__).parent / "axe"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"desk": (1440, 900), "tablet": (900, 800), "phone": (390, 844), "narrow": (320, 640)}


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program of axe-core, as npm has it."""
    assert shutil.which("npm"), "install npm (Debian, Ubuntu: apt install nodejs npm)"
    folder = tmp_path_factory.mktemp("axe")
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)  # noqa: S607
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


@pytest.fixture(scope="module")
def state(stack: Stack, sessions: Callable[[Stack], StorageState]) -> StorageState:
    """The cookies of somebody who is signed in."""
    return sessions(stack)


@pytest.fixture(scope="module")
def gallery(browser: Browser, stack: Stack, state: StorageState) -> Gallery:
    context = browser.new_context(storage_state=state, java_script_enabled=False)
    filled = Gallery(stack).fill(context.new_page())
    context.close()
    return filled


@pytest.fixture(
    params=["desk-light", "desk-dark", "tablet-light", "phone-light", "phone-dark", "narrow-dark"]
)
def context(
    request: pytest.FixtureRequest, browser: Browser, state: StorageState
) -> Iterator[BrowserContext]:
    """The policy is off here, because it would keep the checker itself out."""
    size, theme = request.param.split("-")
    width, height = SIZES[size]
    made = browser.new_context(
        storage_state=state,
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce",
        bypass_csp=True,
    )
    yield made
    made.close()


def problems(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("tags => axe.run({runOnly: tags})", TAGS)
    return [
        f"{each['id']}: {json.dumps([node['target'] for node in each['nodes']][:3])}"
        for each in found["violations"]
    ]


def sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_every_screen_is_accessible(
    context: BrowserContext, gallery: Gallery, axe: str, request: pytest.FixtureRequest
) -> None:
    """All screens in two looks; the list, the cards and the conversation in every look."""
    page = context.new_page()
    found: dict[str, list[str]] = {}
    everything = any(look in request.node.name for look in ("desk-light", "phone-dark"))
    for name, show in gallery.screens().items():
        if not (everything or name.startswith(("card", "inbox", "conversation"))):
            continue
        show(page)
        wrong = problems(page, axe) + (["scrolls sideways"] if sideways(page) else [])
        if wrong:
            found[name] = wrong
    assert not found, json.dumps(found, indent=1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_door_is_accessible(browser: Browser, stack: Stack, axe: str, theme: str) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{stack.url}/sign-in/")
    assert problems(page, axe) == []
    page.get_by_role("button", name="Sign in").click()
    assert problems(page, axe) == []
    context.close()
