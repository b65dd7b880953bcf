"""The one door to the outside: whatever leaves by HTTP leaves through `send`.

Rules: http and https only; a name is resolved once, every address it has is judged, and the
connection goes to a judged address; private and special addresses are refused unless
`EGRESS_ALLOW` names them; redirects are never followed and their bodies never read; one attempt
ends after `EGRESS_ATTEMPT_SECONDS`, whatever the receiver does.
"""

import contextlib
import functools
import os
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

import requests
import ssrfguard
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# A name whose last label is a number is an address to some resolver (WHATWG URL, 3.5).
NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
METHODS = frozenset({"POST", "PUT", "PATCH"})
DNS_SECONDS = 3.0
CONNECT_SECONDS = 3.0
CONNECT_TRIES = 3
HEAD_BYTES = 2048
LONGEST_URL = 2048
OVERLOADED = frozenset({429, 502, 503, 504})

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,4096}")
MOST_HEADERS = 20
MOST_HEADER_BYTES = 8192
JSON_TYPE = re.compile(r"application/([\w.+-]+\+)?json(\s*;.*)?", re.IGNORECASE)
OURS = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "cookie",
        "forwarded",
        "x-real-ip",
        "user-agent",
        "content-encoding",
        "accept-encoding",
        "metadata-flavor",
    }
)
OURS_BY_START = (
    "proxy-",
    "webhook-",
    "x-licet-",
    "x-forwarded-",
    "x-amz-",
    "x-goog-",
    "x-google-",
    "x-azure-",
    "x-aws-ec2-metadata-token",
)

# Services that can be talked to by smuggled lines of text.
REFUSED_PORTS = frozenset(
    {*range(6000, 6064), 6379, 6667, 11211, 5432, 3306, 27017, 9200, 2375, 2379, 10250}
)
METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "fd00:ec2::254",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",  # a public address that is a cloud host's own channel
        ),
    )
)
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal"})
TRANSLATED = ip_network("::ffff:0:0:0/96")  # IPv4 in its translated form; no table has it
PRIVATE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "127.0.0.0/8",
            "::1/128",
            "fc00::/7",
        ),
    )
)
ANY_PORT = frozenset(range(1, 65536))

type Network = IPv4Network | IPv6Network


class EgressRefusedError(Exception):
    """The request may not leave. The text is for operators; an agent learns only that."""


@dataclass(frozen=True)
class Allowed:
    """One entry of EGRESS_ALLOW: networks or a name, on one port or on all."""

    networks: tuple[Network, ...] = ()
    name: str = ""
    port: int | None = None
    exact: bool = False


@dataclass(frozen=True)
class Request:
    """What to send. `headers` are somebody's wish and checked; `trusted_headers` are our own."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    trusted_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What came of it. Without a status no valid answer came, and `error` says why."""

    status: int | None = None
    error: str = ""
    ip: str | None = None
    head: str = ""
    retry_after: str | None = None
    duration_ms: int = 0
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004

    @property
    def overloaded(self) -> bool:
        """The receiver says that it has too much to do, or says nothing in time."""
        return self.timed_out or self.status in OVERLOADED


@functools.cache
def parse_allowed(text: str) -> tuple[Allowed, ...]:
    """Read EGRESS_ALLOW: addresses, networks and names, each with or without a port, and `private`.

    Raises: ValueError that names the entry.
    """
    return tuple(_entry(part.strip()) for part in text.split(",") if part.strip())


def _entry(text: str) -> Allowed:
    if text == "private":
        return Allowed(networks=PRIVATE)
    host, port = _split_port(text)
    try:
        network = ip_network(host, strict=False)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", host):
            raise ValueError(f"EGRESS_ALLOW: {text!r} is no address, network or name") from None
        return Allowed(networks=PRIVATE, name=host.lower(), port=port)
    return Allowed((network,), port=port, exact=network.num_addresses == 1)


def _split_port(text: str) -> tuple[str, int | None]:
    """`host:port`, `net/bits:port`, `[v6]:port`; a bare IPv6 address has no port."""
    match = re.fullmatch(r"\[([^]]+)\](?::(\d+))?|([^:]+)(?::(\d+))?", text)
    if match is None:
        return text, None
    host, port = match[1] or match[3], match[2] or match[4]
    if port and not 0 < int(port) < 65536:  # noqa: PLR2004
        raise ValueError(f"EGRESS_ALLOW: {text!r} has no valid port")
    return host, int(port) if port else None


@functools.cache
def _parser() -> ssrfguard.Policy:
    """Judges the form of a URL and nothing about where it leads."""
    return ssrfguard.Policy(
        allowed_networks=("0.0.0.0/0", "::/0"),  # type: ignore[arg-type]  # it parses strings
        allowed_ports=ANY_PORT,
        max_url_length=LONGEST_URL,
    )


def parse_target(url: str) -> ssrfguard.Target:
    """Take a URL apart, strictly.

    Raises: EgressRefusedError.
    """
    try:
        target = _parser().check_url(url)
    except (ssrfguard.SSRFGuardError, ValueError) as refused:
        raise EgressRefusedError(str(refused)) from refused
    if not target.is_literal_address and NUMBER.fullmatch(target.host.rpartition(".")[2]):
        raise EgressRefusedError(f"{target.host} is an address in disguise")
    return target


def origin_of(url: str) -> str:
    """`scheme://host:port`, normalised: the receiver that lanes are kept for.

    A URL that cannot be taken apart is a lane of its own, where it will be refused.
    """
    try:
        target = parse_target(url)
    except EgressRefusedError:
        return "unparsable"
    return f"{target.scheme}://{target.host}:{target.port}"


def _matching(target: ssrfguard.Target) -> list[Allowed]:
    """The entries of EGRESS_ALLOW that speak about this host and port."""
    entries = parse_allowed(settings.EGRESS_ALLOW)
    return [
        entry
        for entry in entries
        if entry.port in (None, target.port) and entry.name in ("", target.host.lower())
    ]


def _policy(target: ssrfguard.Target) -> ssrfguard.Policy:
    """What this target may resolve to.

    Raises: EgressRefusedError for a port or a name that is never allowed.
    """
    allowed = _matching(target)
    if target.host.lower() in METADATA_NAMES and not any(entry.name for entry in allowed):
        raise EgressRefusedError(f"{target.host} is a cloud metadata service")
    named_port = any(entry.port == target.port for entry in allowed)
    usual = target.port in (80, 443) or (target.port >= 1024 and target.port not in REFUSED_PORTS)  # noqa: PLR2004
    if not usual and not named_port:
        raise EgressRefusedError(
            f"port {target.port} is refused; EGRESS_ALLOW={target.host}:{target.port} allows it"
        )
    return ssrfguard.Policy(
        allowed_networks=tuple(net for entry in allowed for net in entry.networks),
        allowed_ports=frozenset({target.port}),
        max_url_length=LONGEST_URL,
        max_connection_attempts=CONNECT_TRIES,
    )


def _refuse_metadata(target: ssrfguard.Target, address: str) -> None:
    """A wide allowed range never opens a metadata service; only its own address does."""
    ip = ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None)
    exact = {net for entry in _matching(target) if entry.exact for net in entry.networks}
    for judged in filter(None, (ip, mapped)):
        special = judged in METADATA or (judged.version == 6 and judged in TRANSLATED)  # noqa: PLR2004
        if special and ip_network(judged) not in exact:
            raise EgressRefusedError(f"{address} is a reserved service address")


def check_url(url: str) -> None:
    """Refuse what can be refused when an address is saved: its form, and literal addresses.

    A name is judged when it is used; it may not resolve yet, or not to the same address.

    Raises: EgressRefusedError.
    """
    target = parse_target(url)
    policy = _policy(target)
    try:
        policy.check_url(url)
    except ssrfguard.SSRFGuardError as refused:
        raise EgressRefusedError(f"{refused}; EGRESS_ALLOW can name it") from refused
    if target.is_literal_address:
        _refuse_metadata(target, target.host)


def check_method(method: str) -> str:
    """Raises: EgressRefusedError."""
    if method.upper() not in METHODS:
        raise EgressRefusedError(f"method must be one of {', '.join(sorted(METHODS))}")
    return method.upper()


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse header names and values that could change the meaning of the request.

    Raises: EgressRefusedError.
    """
    total = sum(len(name) + len(value) for name, value in headers.items())
    if len(headers) > MOST_HEADERS or total > MOST_HEADER_BYTES:
        raise EgressRefusedError(
            f"at most {MOST_HEADERS} headers of {MOST_HEADER_BYTES} bytes together"
        )
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise EgressRefusedError(f"{name!r} is no header name")
        lower = name.lower()
        if lower in OURS or lower.startswith(OURS_BY_START):
            raise EgressRefusedError(f"header {name} cannot be set")
        if not HEADER_VALUE.fullmatch(value):
            raise EgressRefusedError(
                f"header {name} has a character that is not allowed, or is too long"
            )
        if lower == "content-type" and not JSON_TYPE.fullmatch(value):
            raise EgressRefusedError("content-type must be a JSON type")


class _Wire:
    """The sockets of one attempt, so that the watchdog can end it from outside."""

    def __init__(self, target: ssrfguard.Target, policy: ssrfguard.Policy) -> None:
        self.target, self.policy = target, policy
        self.ip: str | None = None
        self.expired = False
        self._guard: socket.socket | None = None

    def connect(self) -> socket.socket:
        addresses = _resolve(self.target, self.policy)
        for address in addresses:
            _refuse_metadata(self.target, str(address.ip))
        sock = ssrfguard.connect(addresses, policy=self.policy, timeout=CONNECT_SECONDS)
        self.ip = sock.getpeername()[0]
        # A second handle on the connection: TLS takes the first one away from everybody else.
        self._guard = socket.socket(fileno=os.dup(sock.fileno()))
        return sock

    def cut(self) -> None:
        self.expired = True
        if self._guard is not None:
            with contextlib.suppress(OSError):
                self._guard.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._guard is not None:
            self._guard.close()


def _resolve(target: ssrfguard.Target, policy: ssrfguard.Policy) -> tuple[ssrfguard.Address, ...]:
    """Resolve once, within a deadline that the platform's resolver does not have."""
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="resolve")
    try:
        return pool.submit(ssrfguard.resolve, target, policy=policy).result(DNS_SECONDS)
    finally:
        pool.shutdown(wait=False)


class _Session(requests.Session):
    """Never follows, and never reads the body of, a redirect. Knows no proxy and no cookie."""

    def __init__(self, wire: _Wire) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("http://", _Adapter(wire))
        self.mount("https://", _Adapter(wire))

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Adapter(HTTPAdapter):
    """Hands connections the wire's socket in place of one they would open themselves."""

    def __init__(self, wire: _Wire) -> None:
        self.wire = wire
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        wire = self.wire

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return wire.connect()

        class Tls(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return wire.connect()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}


def send(request: Request) -> Result:
    """Make one attempt.

    Raises: EgressRefusedError when policy forbids it; every other failure is in the result.
    """
    check_headers(request.headers)
    target = parse_target(request.url)
    wire = _Wire(target, _policy(target))
    started = time.monotonic()
    watchdog = threading.Timer(settings.EGRESS_ATTEMPT_SECONDS, wire.cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        answer = _exchange(request, wire)
    finally:
        watchdog.cancel()
        wire.close()
    return Result(**answer, ip=wire.ip, duration_ms=int((time.monotonic() - started) * 1000))


def _exchange(request: Request, wire: _Wire) -> dict[str, Any]:
    limit = settings.EGRESS_ATTEMPT_SECONDS
    try:
        with _Session(wire) as session, _answer(session, request, limit) as response:
            head = response.raw.read(HEAD_BYTES, decode_content=False)
            if wire.expired:
                return {"error": f"no complete answer within {limit:g} s", "timed_out": True}
            return {
                "status": response.status_code,
                "head": head.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"),
                "retry_after": response.headers.get("retry-after"),
            }
    except EgressRefusedError:
        raise
    except ssrfguard.SSRFGuardError as refused:
        raise EgressRefusedError(f"{refused}; EGRESS_ALLOW can name it") from refused
    except FutureTimeout:
        return {"error": f"the name was not resolved within {DNS_SECONDS:g} s"}
    except Exception as failure:  # noqa: BLE001  # a receiver can cause any of them; none may end us
        if wire.expired:
            return {"error": f"no complete answer within {limit:g} s", "timed_out": True}
        return {"error": f"{type(failure).__name__}: {failure}"[:300]}


@contextlib.contextmanager
def _answer(
    session: requests.Session, request: Request, limit: float
) -> Iterator[requests.Response]:
    headers = {
        "User-Agent": settings.USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        **request.headers,
        **request.trusted_headers,
    }
    with session.request(
        request.method,
        request.url,
        data=request.body,
        headers=headers,
        # Longer than the watchdog waits: silence must end by it, and so count as silence.
        timeout=(CONNECT_SECONDS, 2 * limit),
        allow_redirects=False,
        stream=True,
    ) as response:
        yield response
