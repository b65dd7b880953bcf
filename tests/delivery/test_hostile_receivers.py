"""A receiver can waste neither our time nor our memory, whatever it does."""

import socket
import sys
import time
from contextlib import ExitStack

import pytest
from pytest_django.fixtures import Settings

from delivery.egress import Request, Result, parse_target, send
from delivery.egress.wire import Wire
from tests.delivery.hostile import MORE, TEN, Hostile, Memory, says_nothing

LIMIT = 0.5
MARGIN = 0.4  # for a busy machine
TIME_IS_UP = "no complete answer within 0.5 s"
OUTCOMES: dict[str, tuple[int | None, str]] = {
    "says nothing": (None, TIME_IS_UP),
    "drips headers": (None, TIME_IS_UP),
    "drips its body": (None, TIME_IS_UP),
    "continues for ever": (None, "the answer is too long"),
    "sends 300 MB": (200, ""),
    "redirects with 300 MB": (302, ""),
    "sends a gzip bomb": (200, ""),
    "sends 100,000 header lines": (None, "the answer has too many header lines"),
    "resets": (None, "connection reset"),
    "sends garbage": (None, "the answer is not HTTP"),
    "sends fat header lines": (None, "the answer is too long"),
    "sends trailers for ever": (None, "the answer is too long"),
    "stops in the middle": (200, ""),  # it took the request; more of its answer is not needed
    "hangs up": (None, "connection closed without an answer"),
}


@pytest.fixture(autouse=True)
def _short_attempts(settings: Settings) -> None:
    settings.EGRESS_ATTEMPT_SECONDS = LIMIT


def _send(url: str, body: bytes = b"{}") -> Result:
    return send(Request(url=url, method="POST", headers={}, body=body))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("kind", TEN | MORE)
def test_hostile_receiver_costs_little_time_and_memory(kind: str) -> None:
    with Hostile((TEN | MORE)[kind]) as receiver:
        memory, started = Memory(), time.monotonic()
        result = _send(receiver.url)
        taken, growth = time.monotonic() - started, memory.growth()
    assert (result.status, result.error) == OUTCOMES[kind]
    assert taken < LIMIT + MARGIN
    assert growth <= 20
    assert len(result.head) <= 2048
    assert receiver.connections == 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_measure_of_memory_sees_what_was_there_for_a_moment() -> None:
    memory = Memory()
    assert len(b"x" * 400_000_000) == 400_000_000
    assert memory.growth() > 200  # what other tests left may be given back meanwhile


def test_redirect_is_an_answer_even_if_its_body_never_comes() -> None:
    def redirects() -> "list[tuple[bytes, float]]":
        return [(b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 9\r\n\r\n", 60)]

    with Hostile(lambda: iter(redirects())) as receiver:
        result = _send(receiver.url)
    assert (result.status, result.head, result.error) == (302, "", "")


def test_compressed_answer_is_kept_as_it_came() -> None:
    with Hostile(TEN["sends a gzip bomb"]) as receiver:
        assert _send(receiver.url).head.startswith("\x1f\N{REPLACEMENT CHARACTER}\x08")


def test_receiver_that_takes_nothing_is_left_in_time() -> None:
    with Hostile(says_nothing, reads=False) as receiver:
        started = time.monotonic()
        result = _send(receiver.url, b"x" * 20_000_000)
    assert result.error == TIME_IS_UP
    assert time.monotonic() - started < LIMIT + MARGIN


def test_handshake_that_is_never_answered_is_left_in_time() -> None:
    with Hostile(says_nothing, reads=False) as receiver:
        started = time.monotonic()
        result = _send(f"https://127.0.0.1:{receiver.port}/")
    assert result.error == TIME_IS_UP
    assert time.monotonic() - started < LIMIT + MARGIN


def test_connection_that_is_never_accepted_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as fillers:
        address = full.getsockname()
        for _ in range(4):  # the kernel holds two or so, and then lets further ones hang
            filler = fillers.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(address)
        started = time.monotonic()
        result = _send(f"http://127.0.0.1:{address[1]}/")
    assert result.status is None
    assert result.error in (TIME_IS_UP, "no connection in time")
    assert time.monotonic() - started < LIMIT + MARGIN


def test_connection_that_comes_too_late_is_closed_at_once() -> None:
    with Hostile(says_nothing) as receiver:
        wire = Wire(parse_target(receiver.url), seconds=60)
        wire.cut()
        wire.connect()
        with wire.take() as late:
            assert late.recv(1) == b""
        wire.close()


def test_attempt_has_one_connection() -> None:
    with Hostile(says_nothing) as receiver:
        wire = Wire(parse_target(receiver.url), seconds=60)
        wire.connect()
        wire.take().close()
        with pytest.raises(ConnectionError):
            wire.take()
        wire.close()


def test_very_long_wish_is_cut() -> None:
    head = b"HTTP/1.1 503 Busy\r\nretry-after: " + b"9" * 9000 + b"\r\ncontent-length: 0\r\n\r\n"
    with Hostile(lambda: iter([(head, 0.0)])) as receiver:
        result = _send(receiver.url)
    assert result.retry_after == "9" * 64


def test_answer_without_a_length_ends_with_its_connection() -> None:
    with Hostile(lambda: iter([(b"HTTP/1.1 200 OK\r\n\r\nfine", 0.0)])) as receiver:
        result = _send(receiver.url)
    assert (result.status, result.head) == (200, "fine")
