"""People with browsers and agents with keys. Every call they make is written down."""

import threading
import time
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

import requests

from tests.chaos.history import Call, Told
from tests.web.card import hidden_fields

CALL_SECONDS = 10.0


class Calls:
    """The history: what was asked of the product, and what it said."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def note(self, call: Call) -> Call:
        with self._lock:
            self._calls.append(call)
        return call

    def all(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def acked(self, kind: str) -> list[Call]:
        return [call for call in self.all() if call.kind == kind and call.told is Told.YES]


class _CsrfField(HTMLParser):
    value = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name") == "csrfmiddlewaretoken":
            self.value = given.get("value") or ""


def _csrf(page: requests.Response) -> str:
    parser = _CsrfField()
    parser.feed(page.text)
    return parser.value


def _timed(call: Callable[[], requests.Response]) -> tuple[requests.Response | None, float]:
    """The answer, or None when the connection broke or the time was up."""
    begun = time.monotonic()
    try:
        answer = call()
    except requests.RequestException:
        return None, time.monotonic() - begun
    return answer, time.monotonic() - begun


def _told(answer: requests.Response | None, success: int) -> Told:
    if answer is None or answer.status_code >= 500:
        return Told.NOTHING
    return Told.YES if answer.status_code == success else Told.NO


class Person:
    """One browser session. Not for two threads at once."""

    def __init__(self, url: str, email: str, calls: Calls) -> None:
        self.url, self.email, self.calls = url, email, calls
        self.browser = requests.Session()
        self.token = ""

    def sign_in(self, password: str) -> None:
        address = f"{self.url}/sign-in/"
        form = {
            "csrfmiddlewaretoken": _csrf(self.browser.get(address, timeout=CALL_SECONDS)),
            "username": self.email,
            "password": password,
        }
        answer = self.browser.post(address, data=form, allow_redirects=False, timeout=CALL_SECONDS)
        assert answer.status_code == 302, f"{self.email} could not sign in: {answer.status_code}"

    def open_form(self, review_id: str) -> dict[str, str] | None:
        """The fields of the card, empty when it is closed; None when no page came."""
        page, _ = _timed(
            lambda: self.browser.get(f"{self.url}/inbox/{review_id}/", timeout=CALL_SECONDS)
        )
        return hidden_fields(page) if page is not None and page.ok else None

    def press(self, review_id: str, form: Mapping[str, str], option: str = "approve") -> Call:
        """Post the card's form."""
        answer, seconds = _timed(
            lambda: self.browser.post(
                f"{self.url}/inbox/{review_id}/respond/",
                data={**form, "option": option},
                allow_redirects=False,
                timeout=CALL_SECONDS,
            )
        )
        return self.calls.note(
            Call(
                kind="decide",
                about=review_id,
                told=_told(answer, 303),
                status=None if answer is None else answer.status_code,
                answer={"selectedOption": option},
                seconds=seconds,
                text="" if answer is None else answer.text,
            )
        )

    def send_again(self, review_id: str) -> None:
        """Press the button under a decided request."""
        address = f"{self.url}/inbox/{review_id}/"
        form = {"csrfmiddlewaretoken": _csrf(self.browser.get(address, timeout=CALL_SECONDS))}
        answer = self.browser.post(
            f"{address}send-again/", data=form, allow_redirects=False, timeout=CALL_SECONDS
        )
        assert answer.status_code == 303, answer.text

    def write(self, channel_id: str, text: str) -> Call:
        """Write to an agent."""
        address = f"{self.url}/channels/{channel_id}/"
        if not self.token:
            page, _ = _timed(lambda: self.browser.get(address, timeout=CALL_SECONDS))
            self.token = "" if page is None else _csrf(page)
        form = {"text": text, "csrfmiddlewaretoken": self.token}
        answer, seconds = _timed(
            lambda: self.browser.post(
                f"{address}messages/", data=form, allow_redirects=False, timeout=CALL_SECONDS
            )
        )
        status = None if answer is None else answer.status_code
        return self.calls.note(
            Call("write", "", _told(answer, 303), status, seconds=seconds, text=text)
        )

    def close(self) -> None:
        self.browser.close()


class Agent:
    """Calls the API with a key. May be used by several threads."""

    def __init__(self, url: str, key: str, calls: Calls) -> None:
        self.url, self.key, self.calls = url, key, calls

    def call(self, method: str, path: str, body: Any = None, seconds: float = CALL_SECONDS) -> Any:
        return requests.request(
            method,
            f"{self.url}/api/v1/{path}",
            json=body,
            headers={"x-api-key": self.key},
            timeout=seconds,
        )

    def ask(self, channel_id: str, client_id: str, **review: Any) -> Call:
        """Post a request for review."""
        body = {
            "channelId": channel_id,
            "text": f"Deploy {client_id}?",
            "clientId": client_id,
            "review": {"type": "approval", **review},
        }
        answer, seconds = _timed(lambda: self.call("POST", "messages", body))
        told = _told(answer, 201)
        about = answer.json()["id"] if answer is not None and told is Told.YES else ""
        status = None if answer is None else answer.status_code
        return self.calls.note(
            Call("ask", about, told, status, seconds=seconds, client_id=client_id)
        )

    def wait(self, review_id: str, seconds: float = 20) -> dict[str, Any] | None:
        """The long poll; None when the connection broke."""
        path = f"reviews/{review_id}/wait?timeout={int(seconds * 1000)}"
        answer, _ = _timed(lambda: self.call("GET", path, seconds=seconds + 5))
        if answer is None or not answer.ok:
            return None
        found: dict[str, Any] = answer.json()
        return found
