"""Calls of plugins: to whom, with which secrets, and what comes back."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from delivery.egress.fetching import MOST_ANSWER_BYTES
from reviews.plugins import calling
from reviews.plugins.calling import Call, CallRefusedError, call
from reviews.plugins.configuration import Configured
from reviews.plugins.manifest import read_plugin
from tests.plugins import write_plugin
from tests.receiver import Receiver

ENV = [
    {"key": "TOKEN", "label": "Token", "secret": True},
    {"key": "CITY", "label": "City"},
]
SECRET = 'h"u/s&h'
NAMED: dict[str, Any] = {"httpRequests": True, "maxHttpDomains": ["127.0.0.1"]}
ANY: dict[str, Any] = {"httpRequests": True}


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.EGRESS_ALLOW = "127.0.0.1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def used(folder: Path, permissions: Mapping[str, Any] = NAMED) -> Configured:
    plugin = read_plugin(write_plugin(folder, env=ENV, permissions=permissions))
    return Configured(plugin, enabled=True, given={"TOKEN": SECRET, "CITY": "Ulm"})


def test_answer_comes_back_whole(folder: Path, receiver: Receiver) -> None:
    receiver.answer = lambda _: (418, {"x-a": "1", "set-cookie": "a=b"}, "é".encode() * 5000)
    answer = call(used(folder), Call(f"{receiver.url}/a?b=c", "post", {}, "x"), may_write=True)
    assert (answer.status, answer.ok, answer.body) == (418, False, "é" * 5000)
    assert answer.headers["x-a"] == "1"
    assert "set-cookie" not in answer.headers
    (asked,) = receiver.received
    assert (asked.method, asked.path, asked.body) == ("POST", "/a?b=c", b"x")
    assert "cookie" not in asked.headers


def test_redirect_is_an_answer(folder: Path, receiver: Receiver) -> None:
    receiver.answer = lambda _: (302, {"location": "http://127.0.0.1:1/"}, b"elsewhere")
    answer = call(used(folder), Call(receiver.url), may_write=False)
    assert (answer.status, answer.body) == (302, "")
    assert len(receiver.received) == 1


def test_body_may_be_of_any_type(folder: Path, receiver: Receiver) -> None:
    asked = Call(receiver.url, "POST", {"Content-Type": "text/plain"}, "graph")
    call(used(folder), asked, may_write=True)
    assert receiver.received[0].headers["content-type"] == "text/plain"


def test_answer_that_is_too_long_is_none(folder: Path, receiver: Receiver) -> None:
    receiver.answer = lambda _: (200, {}, b"x" * (MOST_ANSWER_BYTES + 1))
    with pytest.raises(CallRefusedError, match="too long"):
        call(used(folder), Call(receiver.url), may_write=False)
    receiver.answer = lambda _: (200, {}, b"x" * MOST_ANSWER_BYTES)
    assert len(call(used(folder), Call(receiver.url), may_write=False).body) == MOST_ANSWER_BYTES


@pytest.mark.parametrize(
    ("permissions", "url", "said"),
    [
        ({}, "https://a.org/", "httpRequests is not true"),
        ({"maxHttpDomains": ["a.org"]}, "https://a.org/", "httpRequests is not true"),
        (NAMED, "https://a.org/", "a.org is not in permissions.maxHttpDomains"),
        (NAMED, "https://127.0.0.1.a.org/", "is not in"),
        (NAMED, "https://127.0.0.1@a.org/", "must be an absolute"),
        (NAMED, "//127.0.0.1/", "must be an absolute"),
        (NAMED, "file:///etc/passwd", "must be an absolute"),
        (NAMED, "", "must be an absolute"),
        (ANY | {"maxHttpDomains": []}, "https://a.org/", "is not in"),
        (ANY | {"maxHttpDomains": ["*.a.org"]}, "https://a.org/", "is not in"),
        (ANY | {"maxHttpDomains": ["*.a.org"]}, "https://evila.org/", "is not in"),
        (ANY, "http://10.0.0.1/", "not an address that this server may call"),
        (ANY, "http://169.254.169.254/", "not an address that this server may call"),
        (ANY, "http://[::1]:6379/", "not an address that this server may call"),
    ],
)
def test_nobody_else_is_called(
    folder: Path, permissions: dict[str, Any], url: str, said: str
) -> None:
    with pytest.raises(CallRefusedError, match=said):
        call(used(folder, permissions), Call(url), may_write=True)


def test_subdomains_are_those_of_the_star(folder: Path) -> None:
    stars = ANY | {"maxHttpDomains": ["*.invalid"]}
    with pytest.raises(CallRefusedError, match="the name"):  # it was looked up
        call(used(folder, stars), Call("http://a.b.invalid/"), may_write=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"method": "TRACE"}, "method must be one of"),
        ({"method": "POST"}, "Your role allows you to look"),
        ({"headers": {"Host": "a.org"}}, "header Host cannot be set"),
        ({"headers": {"X": "a\r\nB: c"}}, "not allowed"),
        ({"headers": {"Cookie": "a=b"}}, "header Cookie cannot be set"),
        ({"body": "\ud800"}, "body must be text"),
    ],
)
def test_call_that_is_none_is_refused(
    folder: Path, receiver: Receiver, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(CallRefusedError, match=said):
        call(used(folder), Call(receiver.url, **asked), may_write=False)
    assert not receiver.received


MARK = "{{secret:TOKEN}}"
ENCODED = "%7B%7Bsecret%3ATOKEN%7D%7D"


@pytest.mark.parametrize(
    ("headers", "body", "arrives"),
    [
        ({}, '{"token": "{{secret:TOKEN}}"}', '{"token": "h\\"u/s&h"}'),
        ({"content-type": "application/json"}, '"{{secret:TOKEN}}"', '"h\\"u/s&h"'),
        ({"content-type": "application/x-www-form-urlencoded"}, f"t={MARK}", "t=h%22u%2Fs%26h"),
        ({"content-type": "application/x-www-form-urlencoded"}, f"t={ENCODED}", "t=h%22u%2Fs%26h"),
        ({"content-type": "text/plain"}, MARK, SECRET),
        ({}, "{{secret:CITY}} {{secret:NONE}}", "{{secret:CITY}} {{secret:NONE}}"),
    ],
)
def test_secret_is_written_as_the_body_wants_it(
    folder: Path, receiver: Receiver, headers: dict[str, str], body: str, arrives: str
) -> None:
    call(used(folder), Call(receiver.url, "POST", headers, body), may_write=True)
    assert receiver.received[0].body.decode() == arrives


def test_secret_goes_into_address_and_headers(folder: Path, receiver: Receiver) -> None:
    url = f"{receiver.url}/{MARK}?a={ENCODED}"
    call(used(folder), Call(url, "GET", {"Authorization": f"Bearer {MARK}"}), may_write=False)
    (asked,) = receiver.received
    assert asked.path == "/h%22u%2Fs%26h?a=h%22u%2Fs%26h"
    assert asked.headers["authorization"] == f"Bearer {SECRET}"


def test_secret_does_not_come_back(folder: Path, receiver: Receiver) -> None:
    receiver.answer = lambda asked: (
        200,
        {"x-echo": asked.headers["authorization"]},
        f"{asked.headers['authorization']} {asked.path}".encode(),
    )
    headers = {"Authorization": MARK}
    answer = call(used(folder), Call(f"{receiver.url}/{ENCODED}", "GET", headers), may_write=False)
    assert answer.body == f"{MARK} /{MARK}"
    assert answer.headers["x-echo"] == MARK


@pytest.mark.parametrize("domains", [None, ["*"], ["*.0.0.1"], ["*", "other.example"]], ids=str)
def test_secret_goes_to_named_hosts_only(
    folder: Path, receiver: Receiver, domains: list[str] | None
) -> None:
    permissions = ANY | ({} if domains is None else {"maxHttpDomains": domains})
    for asked in (
        Call(receiver.url, headers={"Authorization": MARK}),
        Call(f"{receiver.url}/?{ENCODED}"),
        Call(receiver.url, "POST", {}, MARK),
    ):
        with pytest.raises(CallRefusedError, match="secrets go to hosts that maxHttpDomains"):
            call(used(folder, permissions), asked, may_write=True)
    assert not receiver.received


def test_secret_is_no_part_of_a_host(folder: Path) -> None:
    domains = ANY | {"maxHttpDomains": ["x.a.org", "x"]}
    for url in ("http://{{secret:TOKEN}}.a.org/", "http://{{secret:TOKEN}}/"):
        with pytest.raises(CallRefusedError):
            call(used(folder, domains), Call(url), may_write=True)


def test_slow_services_do_not_take_all_threads(folder: Path, receiver: Receiver) -> None:
    gate = threading.Event()

    def wait(_: Any) -> Any:
        gate.wait(10)
        return 200, {}, b""

    receiver.answer = wait
    plugin = used(folder)
    calls = [
        threading.Thread(target=call, args=(plugin, Call(receiver.url)), kwargs={"may_write": True})
        for _ in range(calling.AT_ONCE)
    ]
    for each in calls:
        each.start()
    assert len(receiver.wait_for(calling.AT_ONCE)) == calling.AT_ONCE
    with pytest.raises(CallRefusedError, match="Too many calls"):
        call(plugin, Call(receiver.url), may_write=True)
    gate.set()
    for each in calls:
        each.join()
    assert call(plugin, Call(receiver.url), may_write=True).ok
