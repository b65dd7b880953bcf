"""Who answers has to be who was meant."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from delivery.egress import Request, Result, exchange, send
from tests.delivery.certificates import Authority
from tests.delivery.names import table_resolver
from tests.receiver import Receiver

type Serve = Callable[[ssl.SSLContext], AbstractContextManager[Receiver]]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that the sender trusts."""
    made = Authority(tmp_path)
    context = exchange.tls_context.__wrapped__()
    context.load_verify_locations(cadata=made.pem)
    monkeypatch.setattr(exchange, "tls_context", lambda: context)
    return made


@pytest.fixture(autouse=True)
def _names(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EGRESS_ALLOW = "127.0.0.1"
    table = {name: ["127.0.0.1"] for name in ("right.example", "wrong.example")}
    monkeypatch.setattr(socket, "getaddrinfo", table_resolver(table))


@contextmanager
def _serving(context: ssl.SSLContext) -> Iterator[Receiver]:
    with Receiver() as receiver:
        plain = receiver._server.socket
        receiver._server.socket = context.wrap_socket(plain, server_side=True)
        yield receiver


def _send(host: str, receiver: Receiver) -> Result:
    url = f"https://{host}:{receiver.port}/"
    return send(Request(url=url, method="POST", headers={}, body=b"{}"))


def test_certificate_of_the_name_is_accepted(authority: Authority) -> None:
    with _serving(authority.server_context("right.example")) as receiver:
        assert _send("right.example", receiver).ok
        assert _send("right.example.", receiver).ok
    assert len(receiver.received) == 2


def test_certificate_of_the_address_is_accepted(authority: Authority) -> None:
    with _serving(authority.server_context("127.0.0.1")) as receiver:
        assert _send("127.0.0.1", receiver).ok


def test_certificate_of_another_name_is_a_failed_result(authority: Authority) -> None:
    with _serving(authority.server_context("right.example")) as receiver:
        result = _send("wrong.example", receiver)
    assert result.status is None
    assert result.error == "TLS: certificate is not valid for this name"
    assert result.ip == "127.0.0.1"
    assert receiver.received == []


def test_certificate_of_another_address_is_a_failed_result(authority: Authority) -> None:
    with _serving(authority.server_context("right.example")) as receiver:
        result = _send("127.0.0.1", receiver)
    assert result.error == "TLS: certificate is not valid for this address"
    assert receiver.received == []


@pytest.mark.parametrize(
    ("days", "error"),
    [
        ((-3, -2), "TLS: certificate has expired"),
        ((2, 3), "TLS: certificate is not valid yet"),
    ],
)
def test_certificate_out_of_its_time_is_a_failed_result(
    authority: Authority, days: tuple[int, int], error: str
) -> None:
    with _serving(authority.server_context("right.example", days=days)) as receiver:
        assert _send("right.example", receiver).error == error
    assert receiver.received == []


def test_certificate_of_an_unknown_authority_is_a_failed_result(tmp_path: Path) -> None:
    with _serving(Authority(tmp_path).server_context("right.example")) as receiver:
        result = _send("right.example", receiver)
    assert result.error == "TLS: certificate is not signed by a known authority"
    assert receiver.received == []


def test_receiver_without_tls_is_a_failed_result(receiver: Receiver) -> None:
    assert _send("right.example", receiver).error == "TLS: the receiver does not speak TLS"
    assert receiver.received == []


def test_tls_older_than_1_2_is_not_spoken() -> None:
    assert exchange.tls_context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert exchange.tls_context().verify_mode == ssl.CERT_REQUIRED
    assert exchange.tls_context().check_hostname


def test_certificates_of_all_authorities_are_read_once() -> None:
    assert exchange.tls_context() is exchange.tls_context()
