"""What people read when an attempt failed."""

import errno
import http.client
import logging
import socket
import ssl

import pytest
import requests
import urllib3.exceptions
from pytest_django.fixtures import Settings

from delivery.egress import AttemptFailedError, EgressRefusedError, Request, Result, send
from delivery.egress.exchange import TooLongError
from delivery.egress.failures import UNEXPECTED, explain
from tests.receiver import Receiver


def _tls(reason: str) -> ssl.SSLError:
    failure = ssl.SSLError(1, f"[SSL: {reason}] what OpenSSL says (_ssl.c:1000)")
    failure.reason = reason
    return failure


def _certificate(code: int, message: str = "Some Reason") -> ssl.SSLCertVerificationError:
    failure = ssl.SSLCertVerificationError(1, "certificate verify failed")
    failure.verify_code, failure.verify_message = code, message
    return failure


WORDS: list[tuple[BaseException, str]] = [
    (AttemptFailedError("the name was not looked up within 3 s"), "the name was not looked up"),
    (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "the name does not exist"),
    (socket.gaierror(socket.EAI_AGAIN, "Temporary"), "the name could not be looked up"),
    (UnicodeError("label too long"), "the name does not exist"),
    (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
    (ConnectionResetError(104, "Connection reset by peer"), "connection reset"),
    (BrokenPipeError(32, "Broken pipe"), "connection reset"),
    (OSError(errno.EHOSTUNREACH, "No route to host"), "no route to host"),
    (OSError(errno.ENETUNREACH, "Network is unreachable"), "network is unreachable"),
    (OSError("something without a number"), "the connection failed"),
    (TimeoutError("timed out"), "no connection in time"),
    (_certificate(62), "TLS: certificate is not valid for this name"),
    (_certificate(64), "TLS: certificate is not valid for this address"),
    (_certificate(10), "TLS: certificate has expired"),
    (_certificate(9), "TLS: certificate is not valid yet"),
    (_certificate(18), "TLS: certificate is signed by itself"),
    (_certificate(20), "TLS: certificate is not signed by a known authority"),
    (_certificate(92, "CA cert is bad"), "TLS: certificate is not valid (ca cert is bad)"),
    (_tls("WRONG_VERSION_NUMBER"), "TLS: the receiver does not speak TLS"),
    (_tls("UNSUPPORTED_PROTOCOL"), "TLS: the receiver's version is too old"),
    (_tls("SSLV3_ALERT_HANDSHAKE_FAILURE"), "TLS: the handshake failed"),
    (TooLongError(), "the answer is too long"),
    (http.client.LineTooLong("header line"), "the answer has a line that is too long"),
    (http.client.HTTPException("got more than 100 headers"), "too many header lines"),
    (http.client.BadStatusLine("\0<script>"), "the answer is not HTTP"),
    (http.client.RemoteDisconnected("closed"), "connection closed without an answer"),
    (http.client.IncompleteRead(b"x", 9), "the answer ended early"),
    (urllib3.exceptions.IncompleteRead(1, 9), "the answer ended early"),
]


@pytest.mark.parametrize(("failure", "words"), WORDS)
def test_failure_has_short_and_plain_words(failure: BaseException, words: str) -> None:
    assert words in explain(failure)


@pytest.mark.parametrize(("failure", "words"), WORDS)
def test_words_are_the_same_however_a_library_wraps_the_failure(
    failure: BaseException, words: str
) -> None:
    if isinstance(failure, OSError | http.client.HTTPException):
        wrapped = urllib3.exceptions.ProtocolError("Connection aborted.", failure)
        assert words in explain(requests.ConnectionError(wrapped))
    caused = requests.ConnectionError("HTTPConnectionPool(host='secret.internal', port=80)")
    caused.__cause__ = failure
    assert words in explain(caused)


def test_unexpected_failure_is_logged_and_keeps_its_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert explain(RuntimeError("a password")) == UNEXPECTED
    assert caplog.records[0].exc_info


def test_failures_that_cause_each_other_end() -> None:
    first, second = ConnectionResetError(), RuntimeError()
    first.__context__, second.__cause__ = second, first
    assert explain(second) == "connection reset"


def _send(url: str, method: str = "POST") -> Result:
    return send(Request(url=url, method=method, headers={}, body=b"{}"))


def test_refused_connection_is_said_so(settings: Settings) -> None:
    with Receiver() as gone:
        address = gone.url
    assert _send(address).error == "connection refused"


def test_text_of_the_receiver_is_not_repeated(receiver: Receiver) -> None:
    receiver.answer = lambda _: (500, {"retry-after": "soon"}, b"a\0b\xff")
    result = _send(receiver.url)
    assert result.error == ""
    assert result.head == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("method", ["GET", "CONNECT", "POST /x HTTP/1.1\r\nx:"])
def test_method_is_checked_again_before_it_is_sent(receiver: Receiver, method: str) -> None:
    with pytest.raises(EgressRefusedError):
        _send(receiver.url, method)
    assert receiver.received == []


def test_receiver_learns_only_what_it_has_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    _send(f"{receiver.url}/a/../b?c=d#secret")
    got = receiver.received[0]
    assert got.path == "/b?c=d"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["accept-encoding"] == "identity"
    assert "cookie" not in got.headers
