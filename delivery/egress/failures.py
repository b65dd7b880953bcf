"""Words for what went wrong, short and plain: they stand beside a message that people read."""

import http.client
import logging
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import requests
import urllib3.exceptions

from .errors import AttemptFailedError
from .exchange import TooLongError

logger = logging.getLogger(__name__)

CERTIFICATES = {
    9: "TLS: certificate is not valid yet",
    10: "TLS: certificate has expired",
    18: "TLS: certificate is signed by itself",
    19: "TLS: certificate is not signed by a known authority",
    20: "TLS: certificate is not signed by a known authority",
    21: "TLS: certificate is not signed by a known authority",
    62: "TLS: certificate is not valid for this name",
    64: "TLS: certificate is not valid for this address",
}
HANDSHAKES = {
    "WRONG_VERSION_NUMBER": "TLS: the receiver does not speak TLS",
    "HTTP_REQUEST": "TLS: the receiver does not speak TLS",
    "RECORD_LAYER_FAILURE": "TLS: the receiver does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "TLS: the receiver's version is too old",
    "TLSV1_ALERT_PROTOCOL_VERSION": "TLS: the receiver's version is too old",
}
UNKNOWN_NAMES = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
UNEXPECTED = "the request failed"


def explain(failure: BaseException) -> str:
    """The most telling of what the failure and its causes say."""
    # A wrapper of the client library is an OSError that says nothing of its own.
    causes = [one for one in _causes(failure) if not isinstance(one, requests.RequestException)]
    for kind, words in RULES:
        for cause in causes:
            if isinstance(cause, kind):
                return words if isinstance(words, str) else words(cause)
    logger.warning("a request failed in an unexpected way", exc_info=failure)
    return UNEXPECTED


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The failure and all that it wraps: libraries use arguments, attributes and `from`."""
    seen: list[BaseException] = []
    waiting: list[Any] = [failure]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or any(cause is known for known in seen):
            continue
        seen.append(cause)
        yield cause
        waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _certificate(failure: ssl.SSLCertVerificationError) -> str:
    other = f"TLS: certificate is not valid ({failure.verify_message.lower()})"
    return CERTIFICATES.get(failure.verify_code, other)


def _handshake(failure: ssl.SSLError) -> str:
    return HANDSHAKES.get(str(failure.reason), "TLS: the handshake failed")


def _name(failure: socket.gaierror) -> str:
    is_unknown = failure.errno in UNKNOWN_NAMES
    return "the name does not exist" if is_unknown else "the name could not be looked up"


def _system(failure: OSError) -> str:
    return os.strerror(failure.errno).lower() if failure.errno else "the connection failed"


# The first line that fits any of the causes: what is more telling stands further up.
RULES: tuple[
    tuple[type[BaseException] | tuple[type[BaseException], ...], str | Callable[[Any], str]], ...
] = (
    (AttemptFailedError, str),
    (ssl.SSLCertVerificationError, _certificate),
    (ssl.SSLError, _handshake),
    (socket.gaierror, _name),
    (TooLongError, "the answer is too long"),
    (http.client.LineTooLong, "the answer has a line that is too long"),
    (http.client.RemoteDisconnected, "connection closed without an answer"),
    ((http.client.BadStatusLine, http.client.UnknownProtocol), "the answer is not HTTP"),
    ((http.client.IncompleteRead, urllib3.exceptions.IncompleteRead), "the answer ended early"),
    (ConnectionRefusedError, "connection refused"),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), "connection reset"),
    (urllib3.exceptions.ReadTimeoutError, "no answer in time"),
    (TimeoutError, "no connection in time"),
    (http.client.HTTPException, "the answer has too many header lines"),
    (OSError, _system),
    (urllib3.exceptions.HTTPError, "the answer is not HTTP"),
    (UnicodeError, "the name does not exist"),
)
