"""One attempt: a request goes out, and what came of it is a result."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import ssrfguard
from django.conf import settings

from .errors import EgressRefusedError
from .exchange import exchange
from .failures import explain
from .headers import check_headers, check_method
from .targets import parse_target, plain_url
from .watchdog import watching
from .wire import Wire

HEAD_BYTES = 2048
LONGEST_RETRY_AFTER = 64
REDIRECTS = range(300, 400)
OVERLOADED = frozenset({429, 502, 503, 504})


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
    def overloaded(self) -> bool:
        """The receiver says that it has too much to do, or says nothing in time."""
        return self.timed_out or self.status in OVERLOADED

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004


def send(request: Request) -> Result:
    """Make one attempt.

    Raises: EgressRefusedError when policy forbids it; every other failure is in the result.
    """
    check_method(request.method)
    check_headers(request.headers)
    started = time.monotonic()
    wire = Wire(parse_target(request.url), seconds=settings.EGRESS_ATTEMPT_SECONDS)
    with contextlib.closing(wire), watching(wire.seconds, wire.cut):
        answer = attempt(request, wire, _read)
    return Result(**answer, ip=wire.ip, duration_ms=int((time.monotonic() - started) * 1000))


def attempt(
    request: Request, wire: Wire, read: Callable[[requests.Response], dict[str, Any]]
) -> dict[str, Any]:
    """What `read` makes of the answer, or an `error`.

    Raises: EgressRefusedError.
    """
    try:
        wire.connect()
        with exchange(_prepared(request, wire), wire) as response:
            answer = read(response)
    except EgressRefusedError:
        raise
    except ssrfguard.SSRFGuardError as refused:
        raise EgressRefusedError(f"{refused}; EGRESS_ALLOW can name it") from refused
    except Exception as failure:  # noqa: BLE001  # a receiver can cause any of them; none may end us
        answer = {"error": explain(failure)}
    # A cut connection can look like an answer that has ended, or like any kind of failure.
    if wire.expired:
        return {"error": f"no complete answer within {wire.seconds:g} s", "timed_out": True}
    return answer


def _read(response: requests.Response) -> dict[str, Any]:
    """The beginning of an answer. The body of a redirect is nobody's business."""
    wanted = 0 if response.status_code in REDIRECTS else HEAD_BYTES
    head: bytes = response.raw.read(wanted, decode_content=False) if wanted else b""
    wish = response.headers.get("retry-after")
    return {
        "status": response.status_code,
        "head": head.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"),
        "retry_after": wish[:LONGEST_RETRY_AFTER] if wish else None,
    }


def _prepared(request: Request, wire: Wire) -> requests.PreparedRequest:
    headers = {
        "User-Agent": settings.USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        **request.headers,
        **request.trusted_headers,
    }
    url = plain_url(wire.target, request.url)
    return requests.Request(request.method, url, headers=headers, data=request.body).prepare()
