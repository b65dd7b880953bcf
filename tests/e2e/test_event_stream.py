"""The browsers' event stream against the running product, alone and behind the proxy."""

import re
import time

import pytest
import requests

from tests.e2e.stack import EMAIL, PASSWORD, Stack
from tests.polling import happens_within
from tests.web.stream.listening import Heard, Tab
from web.stream.app import PATH

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def cookie(stack: Stack) -> str:
    return signed_in(stack)


def signed_in(stack: Stack) -> str:
    """The Cookie header of the owner, signed in through the page."""
    with requests.Session() as browser:
        form = browser.get(f"{stack.url}/sign-in/", timeout=10)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert token
        fields = {"username": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        answer = browser.post(f"{stack.url}/sign-in/", fields, timeout=10)
        assert answer.ok
        return f"session={browser.cookies['session']}"


def test_page_hears_of_a_request_within_the_second_and_goes_on_after_a_break(
    stack: Stack, cookie: str
) -> None:
    with Tab(stack.url, cookie) as tab:
        started = time.monotonic()
        asked = stack.ask({"type": "approval"})
        heard = tab.next()
        assert time.monotonic() - started < 1
        assert (heard.name, heard.data["id"]) == ("review-created", asked)
        assert tab.response.headers["cache-control"] == "no-cache"
        assert "content-encoding" not in tab.response.headers
    missed = stack.ask({"type": "approval"})
    assert happens_within(5, lambda: heard_again(stack, cookie, tab.last) == missed)


def heard_again(stack: Stack, cookie: str, last: str) -> str:
    with Tab(stack.url, cookie, last=last) as again:
        assert again.first == Heard("hello", {}, last, 500)
        return str(again.next().data["id"])


def test_who_may_not_listen_is_told_so(stack: Stack, cookie: str) -> None:
    def status(method: str = "GET", **headers: str) -> int:
        with requests.request(
            method, f"{stack.url}{PATH}", headers=headers, timeout=10, stream=True
        ) as answer:
            return answer.status_code

    assert status() == 401
    assert status(Cookie=cookie, Origin="https://evil.example") == 403
    assert status("POST", Cookie=cookie) == 405
    assert status(Cookie=cookie, Origin=stack.url) == 200
