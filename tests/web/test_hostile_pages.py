"""Every page, with hostile text in every field that an agent may fill."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Workspace
from inbox.models import Channel, ChannelStatus, Message
from reviews.models import ReviewRequest
from tests.conftest import Agent
from tests.factories import make_channel
from tests.web.card import answer
from tests.web.hostile_agent import HIDDEN, SHORT, Page, fill
from web.text.invisible import find_hidden

INTERACTIVE = {"script", "style", "svg", "iframe", "object", "form", "button", "input", "img"}


@pytest.fixture
def hostile(workspace: Workspace) -> Channel:
    channel = make_channel(workspace, name=SHORT, description=SHORT)
    channel.status, channel.status_message = ChannelStatus.BUSY, SHORT
    channel.save()
    return channel


@pytest.fixture
def filled(hostile: Channel, now: datetime) -> tuple[list[ReviewRequest], list[Message]]:
    return fill(hostile, now)


def read(browser: Client, path: str, status: int = 200) -> Page:
    page = browser.get(path)
    assert page.status_code == status
    return Page(page.content.decode())


def check(page: Page) -> None:
    """Nothing hidden is read, nothing of the agent's became a tag, nothing says less than it is."""
    for text in page.texts:
        assert not list(find_hidden(text)), ascii(text)
    for tag, given in page.tags:
        assert not [name for name in given if name.startswith("on") or name == "style"]
        assert tag not in {"style", "iframe", "object"}
        assert tag != "script" or given["src"].startswith("/static/")
        assert not given.get("href", "").lower().startswith(("javascript", "data"))
    unread = [value for value in page.unread if list(find_hidden(value))]
    assert page.html.count('class="hint reading"') == len(unread)
    prose = re.findall(r'<div class="prose">.*?</div>', page.html, re.DOTALL)
    for tag in INTERACTIVE:
        assert not [html for html in prose if f"<{tag}" in html]


def test_lists_and_conversations(
    browser: Client, hostile: Channel, filled: tuple[list[ReviewRequest], list[Message]]
) -> None:
    _reviews, (message, _short) = filled
    for path in ("/inbox/", "/inbox/?status=all", f"/inbox/?channel={hostile.pk}", "/channels/"):
        check(read(browser, path))
    for path in (f"/channels/{hostile.pk}/", f"/channels/{hostile.pk}/delivery/"):
        check(read(browser, path))
    check(read(browser, f"/inbox/{message.pk}/", status=404))


def test_every_kind_open(
    browser: Client, viewer: Client, filled: tuple[list[ReviewRequest], list[Message]]
) -> None:
    for review in filled[0]:
        page = read(browser, f"/inbox/{review.pk}/")
        check(page)
        check(read(viewer, f"/inbox/{review.pk}/"))
        assert "that cannot be seen for what they are" in page.html
        assert "“p\u0430ypal" in page.html


def test_every_kind_refused_confirmed_and_answered(
    browser: Client, filled: tuple[list[ReviewRequest], list[Message]]
) -> None:
    answers: dict[str, dict[str, Any]] = {
        "approval": {"option": SHORT, "comment": SHORT},
        "selection": {"selectedIds": [SHORT]},
        "form": {f"text{SHORT}": SHORT, f"number{SHORT}": SHORT},
        "text-input": {"text": SHORT},
        "freeform": {"json": f'{{"{SHORT}": "{SHORT}"'},
    }
    for review in filled[0]:
        for given in ({}, answers.get(review.kind, {"json": f'{{"a": "{SHORT}"}}'})):
            for confirmed in ({}, {"confirmed": "yes"}):
                said = answer(browser, review, feedback=SHORT, **given, **confirmed)
                if said.status_code != 303:
                    check(Page(said.content.decode()))
        check(read(browser, f"/inbox/{review.pk}/"))


def test_every_revision_and_its_delivery(browser: Client, hostile: Channel, now: datetime) -> None:
    (first, *_rest), _messages = fill(hostile, now)
    ReviewRequest.objects.filter(pk=first.pk).update(callback_url="http://127.0.0.1:9/x")
    done = answer(browser, first, option=SHORT, feedback=SHORT, confirmed="yes")
    assert done.status_code == 303
    check(read(browser, f"/inbox/{first.pk}/delivery/"))


def test_toast_and_search_repeat_nothing_hidden(browser: Client, hostile: Channel) -> None:
    page = read(browser, "/inbox/?q=" + SHORT.replace("<", ""))
    assert not [text for text in page.texts if list(find_hidden(text))]


def test_the_reader_of_pages_finds_what_is_hidden() -> None:
    """The test of the tests: a page that shows such a character does not pass."""
    for html in (f"<p>{HIDDEN}</p>", f'<p title="{HIDDEN}">x</p>', f"<title>{HIDDEN}</title>"):
        with pytest.raises(AssertionError):
            check(Page(html))
    with pytest.raises(AssertionError):
        check(Page(f"<textarea>{HIDDEN}</textarea>"))
    with pytest.raises(AssertionError):
        check(Page(f'<input value="{HIDDEN}">'))


def test_half_of_a_surrogate_pair_reaches_no_page(agent: Agent, channel: Channel) -> None:
    """JSON can write it; no page could be encoded with it."""
    half = '{"channelId": "%s", "text": "a", "metadata": {"a": "\\udfff"}}'
    assert agent.post("/api/v1/messages", (half % channel.pk).encode()).status_code == 400
