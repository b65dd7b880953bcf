"""HTTP on a wire: the client library, without what a sender to strangers must not do."""

import contextlib
import functools
import http.client
import io
import socket
import ssl
import threading
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
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

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        wire: Wire = _thread.wire
        self.fp = io.BufferedReader(_Counted(self.fp.detach(), wire.most_bytes))


@functools.cache
def tls_context() -> ssl.SSLContext:
    """One for the process: reading the certificates of all authorities takes 20 ms."""
    context = create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if settings.EGRESS_CA_FILE:
        context.load_verify_locations(settings.EGRESS_CA_FILE)
    return context


_thread = threading.local()


class _Plain(HTTPConnection):
    """Speaks on the wire of its thread, in place of a connection that it would open itself."""

    response_class = _Answer

    def _new_conn(self) -> socket.socket:
        return _taken()


class _Tls(HTTPSConnection):
    """The same with TLS."""

    response_class = _Answer

    def _new_conn(self) -> socket.socket:
        return _taken()


def _taken() -> socket.socket:
    wire: Wire = _thread.wire
    return wire.take()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    """Makes connections of ours, and none that verifies less."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=tls_context())
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context verifies; the library would read all certificates again for each attempt."""
        conn.cert_reqs = "CERT_REQUIRED"


class Session(requests.Session):
    """Never follows, and never reads the body of, a redirect. Knows no proxy and no password."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        # It serves all attempts of a thread: nothing that one receiver says may reach another.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        adapter = _Adapter(max_retries=0)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


@contextlib.contextmanager
def session_on(wire: Wire) -> Iterator[Session]:
    """The thread's session, for one attempt on one wire. No connection outlives the attempt."""
    session: Session | None = getattr(_thread, "session", None)
    if session is None:
        session = _thread.session = Session()
    _thread.wire = wire
    try:
        yield session
    finally:
        session.close()
        del _thread.wire
