"""Files that want to act, at every address under which they can be had: none of them does."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, StorageState

from tests.attachments import samples
from tests.attachments.hostile import FILES, HTML, MARKER, Hostile
from tests.e2e.stack import EMAIL, KEY, PASSWORD, Stack
from tests.polling import happens_within

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]
# Each acts in another way; how the others are served is in tests/web/test_hostile_bytes.py.
OPENED = [
    *("html", "html that claims to be a picture", "xhtml", "svg with script", "xml", "script"),
    *("pdf with script", "gif and script", "png and html"),
]
# As what a page of ours would have to take it, for it to act there.
TAKE_IN = """async (urls) => {
    const made = urls.flatMap((url) => {
        const names = ['script', 'script', 'img', 'iframe', 'link'];
        const [script, module, img, frame, sheet] =
            names.map((name) => document.createElement(name));
        Object.assign(module, {type: 'module'});
        Object.assign(sheet, {rel: 'stylesheet', href: url});
        for (const element of [script, module, img, frame]) element.src = url;
        return [script, module, img, frame, sheet];
    });
    // A frame whose file is saved tells nothing at all.
    const settled = made.filter((it) => it.localName !== 'iframe').map((element) =>
        new Promise((done) => { element.onload = element.onerror = done; }));
    document.body.append(...made);
    await Promise.all(settled);
    await new Promise((done) => setTimeout(done, 200));
    for (const element of made) element.remove();
    return window.ran ?? null;
}"""


@dataclass
class Watch:
    """What files did: calls of the marker, and dialogs."""

    acts: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("dialog", self._dialog)

    def _request(self, call: Request) -> None:
        if MARKER in call.url:
            self.acts.append(call.url)

    def _dialog(self, dialog: Any) -> None:
        self.acts.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def context(
    stack: Stack, browser: Browser, sessions: Callable[[Stack], StorageState]
) -> Iterator[BrowserContext]:
    """Signed in on the pages, and to the JSON API by cookie: there is something to steal."""
    made = browser.new_context(storage_state=sessions(stack), service_workers="block")
    person = {"email": EMAIL, "password": PASSWORD}
    assert made.request.post(f"{stack.url}/api/auth/login", data=person).ok
    yield made
    made.close()


@pytest.fixture
def watch(context: BrowserContext) -> Watch:
    found = Watch()
    found.follow(context)
    return found


def stored(stack: Stack, file: Hostile) -> str:
    answer = requests.post(
        f"{stack.url}/api/v1/files/upload",
        data={"channelId": stack.channel},
        files={"file": (file.filename, file.content, file.kind)},
        headers={"x-api-key": KEY},
        timeout=20,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def addresses(stack: Stack, context: BrowserContext, file_id: str) -> tuple[list[str], list[str]]:
    """What a browser may show, the page of the file first, and what it only ever saves."""
    file, api = f"{stack.url}/files/{file_id}", f"{stack.url}/api/files/{file_id}"
    shown = [f"{file}/", f"{file}/raw/", f"{file}/raw/?render=1", f"{api}/download"]
    link = context.request.get(f"{api}/share").json()["url"]
    return shown, [f"{file}/raw/?download=1", link]


def visit(page: Page, url: str) -> None:
    """What is only saved is no page, which the browser calls an error."""
    with contextlib.suppress(Error):
        page.goto(url)
    assert page.evaluate("window.ran") is None, url


def test_no_file_acts_in_our_origin(stack: Stack, context: BrowserContext, watch: Watch) -> None:
    page, own = context.new_page(), context.new_page()
    own.goto(f"{stack.url}/settings/profile/")
    for name in OPENED:
        file_id = stored(stack, FILES[name])
        shown, saved = addresses(stack, context, file_id)
        for url in shown:
            visit(page, url)
        assert own.evaluate(TAKE_IN, shown[1:] + saved) is None, name
        assert watch.acts == [], name
    talk = f"{stack.url}/channels/{stack.channel}/"
    visit(page, talk)
    assert watch.acts == []


def test_picture_of_an_agent_does_not_act(
    stack: Stack, context: BrowserContext, watch: Watch
) -> None:
    url = f"{stack.url}/api/agents/{stack.channel}/avatar"
    content = samples.picture("GIF") + HTML
    sent = {"file": {"name": "both.html", "mimeType": "image/gif", "buffer": content}}
    made = context.request.post(url, multipart=sent, headers={"origin": stack.url})  # type: ignore[arg-type]
    assert made.status == 201, made.text()
    page = context.new_page()
    for address in (url, f"{stack.url}/channels/{stack.channel}/picture/"):
        visit(page, address)
        shown = context.request.get(address)
        assert (shown.status, shown.headers["content-type"]) == (200, "image/webp")
    page.goto(f"{stack.url}/channels/")
    drawn = "it => it.complete && it.naturalWidth"
    picture = page.locator(f"#channel-{stack.channel} img.av")
    assert happens_within(10, lambda: picture.evaluate(drawn) == 256)
    assert watch.acts == []


def test_the_watch_sees_what_acts(stack: Stack, context: BrowserContext, watch: Watch) -> None:
    """The test of the tests: the same page, served as a page, is noticed."""
    page = context.new_page()
    page.route("**/served-as-a-page", lambda it: it.fulfill(body=HTML, content_type="text/html"))
    with context.expect_event("dialog"), contextlib.suppress(Error):
        page.goto(f"{stack.url}/served-as-a-page", wait_until="commit")

    def was_seen() -> bool:
        page.wait_for_timeout(50)  # lets the browser tell what it did
        return any(MARKER in act for act in watch.acts)

    assert happens_within(10, was_seen)
    assert "dialog: ran" in watch.acts
