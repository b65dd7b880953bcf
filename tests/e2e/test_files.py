"""Files in the running product: a worker makes the preview, a browser shows it in its box."""

from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.attachments import samples
from tests.e2e.stack import KEY, Stack
from tests.polling import happens_within

pytestmark = pytest.mark.e2e

PAGE = b"<title>calm</title><script>document.title = 'ran'</script><h1>Report</h1>"


@pytest.fixture(scope="session")
def browser(whole_browser: Browser) -> Browser:
    """Its viewer of PDFs is no part of the shell."""
    return whole_browser


def store(stack: Stack, filename: str, kind: str, content: bytes) -> str:
    """What an agent does; returns where people see the file."""
    channel = stack.call("GET", "/api/v1/agents").json()[0]["id"]
    answer = requests.post(
        f"{stack.url}/api/v1/files/store",
        data={"channelId": channel},
        files={"file": (filename, content, kind)},
        headers={"x-api-key": KEY},
        timeout=20,
    )
    return f"{stack.url}/files/{answer.json()['id']}/"


def fetched(page: Page, url: str, **headers: str) -> Any:
    return page.request.get(url, headers=headers)


def test_worker_makes_the_preview_of_a_picture(stack: Stack, page: Page) -> None:
    url = store(stack, "chart.png", "image/png", samples.picture())
    assert happens_within(30, lambda: fetched(page, f"{url}thumb/320/").ok)
    page.goto(url)
    assert page.get_by_role("img", name="chart.png").is_visible()
    page.goto(f"{stack.url}/files/")
    assert page.locator(f'a[href="{url.removeprefix(stack.url)}"] img').is_visible()


def test_sound_can_be_read_in_parts(stack: Stack, page: Page) -> None:
    content = bytes(range(256)) * 1000
    url = store(stack, "tone.wav", "audio/wav", content)
    part = fetched(page, f"{url}raw/", range="bytes=1000-1999")
    assert (part.status, part.body()) == (206, content[1000:2000])
    assert fetched(page, f"{url}raw/").body() == content
    tag = part.headers["etag"]
    assert fetched(page, f"{url}raw/", **{"if-none-match": tag}).status == 304
    assert fetched(page, f"{url}raw/", range="bytes=999999-").status == 416


def test_page_of_an_agent_runs_nothing(stack: Stack, page: Page) -> None:
    url = store(stack, "page.html", "text/html", PAGE)
    page.goto(f"{url}?view=sandbox")
    assert page.frame_locator("iframe").get_by_role("heading", name="Report").is_visible()


def test_page_of_an_agent_runs_nothing_even_where_scripts_may_run(stack: Stack, page: Page) -> None:
    url = store(stack, "page.html", "text/html", PAGE)
    assert page.context.browser is not None
    scripting = page.context.browser.new_context(storage_state=page.context.storage_state())
    direct = scripting.new_page()
    direct.goto(f"{url}raw/?render=1")
    assert direct.title() == "calm"
    assert direct.evaluate("window.origin") == "null"
    scripting.close()


def test_pdf_opens_in_the_browsers_own_viewer(stack: Stack, page: Page) -> None:
    url = store(stack, "report.pdf", "application/pdf", samples.pdf())
    assert page.context.browser is not None
    scripting = page.context.browser.new_context(storage_state=page.context.storage_state())
    direct = scripting.new_page()
    direct.goto(url)

    def viewer_is_open() -> bool:
        direct.wait_for_timeout(50)  # lets the browser tell about its frames
        return any(frame.url.startswith("chrome-extension:") for frame in direct.frames)

    assert happens_within(15, viewer_is_open)
    scripting.close()
