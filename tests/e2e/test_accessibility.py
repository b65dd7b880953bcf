"""axe-core finds nothing on any screen, in any state, theme and width (WCAG 2.0 to 2.2, A, AA)."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.e2e.gallery import Gallery
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(400),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]

HERE = Path(__file__).parent / "axe"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# A new scheme is there at once, where people see it fade in.
STILL = """const still = new CSSStyleSheet();
still.replaceSync("* { transition: none !important; }");
document.adoptedStyleSheets = [still];"""
COLOURS = ["color-contrast"]
MEASURES = ["target-size", "scrollable-region-focusable"]
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


@pytest.fixture(params=["desk", "phone", "tablet", "narrow"])
def page(request: pytest.FixtureRequest, browser: Browser, state: StorageState) -> Iterator[Page]:
    """The policy is off here, because it would keep the checker itself out."""
    width, height = SIZES[request.param]
    made = browser.new_context(
        storage_state=state,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        bypass_csp=True,
    )
    made.add_init_script(STILL)
    yield made.new_page()
    made.close()


def problems(page: Page, axe: str, only: Sequence[str] = TAGS) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("only => axe.run({runOnly: only})", only)
    return [
        f"{each['id']}: {json.dumps([node['target'] for node in each['nodes']][:3])}"
        for each in found["violations"]
    ]


def sideways(page: Page) -> list[str]:
    wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return ["scrolls sideways"] if wider else []


def look(page: Page, axe: str) -> list[str]:
    """Everything in the dark; in the light, the colours."""
    page.emulate_media(color_scheme="dark")
    found = problems(page, axe)
    page.emulate_media(color_scheme="light")
    return found + problems(page, axe, COLOURS)


def test_every_screen_is_accessible(
    page: Page, gallery: Gallery, axe: str, request: pytest.FixtureRequest
) -> None:
    """All screens at a desk and on a phone; between them, the measures of what people answer in."""
    whole = any(size in request.node.name for size in ("desk", "phone"))
    found: dict[str, list[str]] = {}
    for name, show in gallery.screens().items():
        if not whole and not name.startswith(("card", "inbox", "conversation")):
            continue
        show(page)
        wrong = look(page, axe) if whole else problems(page, axe, MEASURES)
        if wrong := wrong + sideways(page):
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
