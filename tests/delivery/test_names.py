"""A name is looked up once, all its addresses are judged, and the connection goes to one of them.

The name server is a real one, on loopback; connections are noted instead of opened.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from delivery.egress import EgressRefusedError, Request, Result, names, send
from tests.delivery.names import AAAA, A, Answer, Connects, NameServer, noted_connects
from tests.receiver import Receiver

PUBLIC, PUBLIC6, LOOPBACK = "93.184.216.34", "2606:4700::1111", "127.0.0.1"
ROOT = Path(__file__).parents[2]


def _send(host: str) -> Result:
    return send(Request(url=f"http://{host}/", method="POST", headers={}, body=b"{}"))


@pytest.fixture
def connects(settings: Settings) -> Iterator[Connects]:
    settings.EGRESS_ALLOW = ""
    with noted_connects() as noted:
        yield noted


def _zone(v4: Sequence[str] = (), v6: Sequence[str] = ()) -> Answer:
    return lambda _name, kind, _times: {A: v4, AAAA: v6}[kind]


def test_name_that_rebinds_is_connected_to_its_first_address(
    connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rebinds(name: str, kind: int, times: int) -> Sequence[str]:
        if kind == AAAA:
            return []
        return [PUBLIC] if times == 1 else [LOOPBACK]

    with NameServer(rebinds) as server:
        monkeypatch.setattr(socket, "getaddrinfo", server.resolver())
        assert _send("rebinds.example").error == "connection refused"
        assert server.asked.count(("rebinds.example", A)) == 1
        assert server.asked.count(("rebinds.example", AAAA)) == 1
        assert connects == [(PUBLIC, 80)]
        with pytest.raises(EgressRefusedError):  # the next attempt judges anew
            _send("rebinds.example")
    assert connects == [(PUBLIC, 80)]


def test_name_that_rebinds_is_looked_up_once_even_when_it_answers(
    settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EGRESS_ALLOW = LOOPBACK
    with NameServer(_zone([LOOPBACK])) as server:
        monkeypatch.setattr(socket, "getaddrinfo", server.resolver())
        assert _send(f"rebinds.example:{receiver.port}").ok
    assert sorted(server.asked) == [("rebinds.example", A), ("rebinds.example", AAAA)]
    assert receiver.received[0].headers["host"] == f"rebinds.example:{receiver.port}"


@pytest.mark.parametrize(
    ("v4", "v6"),
    [
        ([PUBLIC, LOOPBACK], []),
        ([LOOPBACK, PUBLIC], []),
        ([PUBLIC], ["::1"]),
        ([PUBLIC], ["fd00::1"]),
        (["10.0.0.1"], [PUBLIC6]),
        ([PUBLIC], ["::ffff:127.0.0.1"]),
        ([PUBLIC], ["64:ff9b::808:808"]),
        ([PUBLIC, "168.63.129.16"], [PUBLIC6]),
    ],
)
def test_name_with_one_address_that_is_refused_is_refused(
    connects: Connects, monkeypatch: pytest.MonkeyPatch, v4: list[str], v6: list[str]
) -> None:
    with NameServer(_zone(v4, v6)) as server:
        monkeypatch.setattr(socket, "getaddrinfo", server.resolver())
        with pytest.raises(EgressRefusedError):
            _send("mixed.example")
    assert connects == []


def test_name_with_200_addresses_is_tried_three_times(
    connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"93.184.216.{number}" for number in range(1, 201)]
    with NameServer(_zone(many)) as server:
        monkeypatch.setattr(socket, "getaddrinfo", server.resolver())
        assert _send("many.example").error == "connection refused"
    assert connects.hosts == many[:3]


def test_one_private_address_among_200_is_found(
    connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"93.184.216.{number}" for number in range(1, 200)]
    with NameServer(_zone([*many, "10.0.0.1"])) as server:
        monkeypatch.setattr(socket, "getaddrinfo", server.resolver())
        with pytest.raises(EgressRefusedError):
            _send("many.example")
    assert connects == []


def test_name_that_does_not_exist_is_a_result(
    connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NameServer(_zone()) as server:
        monkeypatch.setattr(socket, "getaddrinfo", server.resolver())
        assert _send("nowhere.example").error == "the name does not exist"
    assert connects == []


def test_name_server_that_never_answers_is_left_in_time(
    connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names.DNS_SECONDS == 3
    monkeypatch.setattr(names, "DNS_SECONDS", 0.2)
    with NameServer(lambda *_: None) as server:
        monkeypatch.setattr(socket, "getaddrinfo", server.resolver(seconds=1))
        started = time.monotonic()
        result = _send("silent.example")
        taken = time.monotonic() - started
    assert result.error == "the name was not looked up within 0.2 s"
    assert taken < 0.6
    assert server.asked
    assert connects == []


def test_look_up_takes_no_longer_than_the_attempt_may(
    settings: Settings, connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EGRESS_ATTEMPT_SECONDS = 0.2
    with NameServer(lambda *_: None) as server:
        monkeypatch.setattr(socket, "getaddrinfo", server.resolver(seconds=1))
        started = time.monotonic()
        result = _send("silent.example")
        taken = time.monotonic() - started
    assert result.status is None
    assert taken < 0.6


def test_literal_address_needs_no_thread(
    connects: Connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr(names, "_ask", refuse)
    _send("8.8.8.8")
    assert connects == [("8.8.8.8", 80)]


STUCK = """
import socket, threading, time, django
django.setup()
from delivery.egress import Request, names, send
names.DNS_SECONDS = 0.1
socket.getaddrinfo = lambda *_: threading.Event().wait(60)
print(send(Request(url="http://stuck.example/", method="POST", headers={}, body=b"")).error)
"""


def test_stuck_look_up_does_not_keep_a_process_alive() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", STUCK],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    assert "not looked up within 0.1 s" in done.stdout
