"""HTTP on a wire: one request and its answer, without what a sender to strangers must not do.

A session of the client library would follow redirects and keep cookies; it takes half of an
attempt's time to prepare for that. Its requests and answers are used, on connections of ours.
"""

import contextlib
import functools
import http.client
import io
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import requests
from django.conf import settings
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from .wire import Wire


class TooLongError(http.client.HTTPException):
    """The answer is longer than anybody needs."""


class _Counted(io.RawIOBase):
    """What arrives, up to a limit: status line, header lines and body together."""

    def __init__(self, source: io.RawIOBase, most: int) -> None:
        self._source, self._left = source, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._left <= 0:
            raise TooLongError
        count: int | None = self._source.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer that is read through a counter."""

    def __init__(self, most_bytes: int, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Counted(self.fp.detach(), most_bytes))


@functools.cache
def tls_context() -> ssl.SSLContext:
    """One for the process: reading the certificates of all authorities takes 20 ms."""
    context = create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if settings.EGRESS_CA_FILE:
        context.load_verify_locations(settings.EGRESS_CA_FILE)
    return context


class _Plain(HTTPConnection):
    """Speaks on a wire, in place of a connection that it would open itself."""

    def __init__(self, wire: Wire, **options: Any) -> None:
        # The watchdog comes first, and says why.
        super().__init__(wire.target.host, wire.target.port, timeout=2 * wire.seconds, **options)
        self.wire = wire
        self.response_class = functools.partial(_Answer, wire.most_bytes)  # type: ignore[assignment]  # called

        self._unsent: list[bytes] = []

    def _new_conn(self) -> socket.socket:
        return self.wire.take()

    def send(self, data: Any) -> None:
        """Head and body leave together, in one packet where they fit."""
        self._unsent.append(data)

    def flush(self) -> None:
        super().send(b"".join(self._unsent))


class _Tls(_Plain, HTTPSConnection):
    """The same with TLS, and a context that verifies."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire, ssl_context=tls_context(), cert_reqs="CERT_REQUIRED")


@contextlib.contextmanager
def exchange(request: requests.PreparedRequest, wire: Wire) -> Iterator[requests.Response]:
    """Send a request and read the head of its answer. No connection outlives the block."""
    connection = (_Tls if wire.target.scheme == "https" else _Plain)(wire)
    with contextlib.closing(connection):
        connection.request(
            str(request.method),
            request.path_url,
            body=request.body or None,
            headers=request.headers,
            preload_content=False,
            decode_content=False,
        )
        # Who hangs up before all was sent may have answered.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.flush()
        with contextlib.closing(connection.getresponse()) as raw:
            answer = requests.Response()
            answer.request, answer.url = request, str(request.url)
            answer.status_code, answer.reason = raw.status, raw.reason or ""
            answer.headers, answer.raw = CaseInsensitiveDict(raw.headers), raw
            yield answer
