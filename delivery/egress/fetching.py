"""A call whose answer somebody reads, such as a plugin that asks its own service."""

import contextlib
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings

from .errors import AttemptFailedError, EgressRefusedError
from .headers import check_headers
from .sending import REDIRECTS, Request, attempt
from .targets import parse_target
from .watchdog import watching
from .wire import MOST_BYTES, Wire

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
FETCH_SECONDS = 10.0
MOST_ANSWER_BYTES = 1024 * 1024
# What a receiver tells a browser about itself is not for somebody else's page.
KEPT_BACK = frozenset({"set-cookie", "set-cookie2"})


@dataclass(frozen=True)
class Fetched:
    """An answer of any status."""

    status: int
    reason: str
    headers: dict[str, str]
    body: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004


def fetch(request: Request) -> Fetched:
    """Make one call by the rules of `send`, and read its whole answer.

    A redirect is an answer: it is not followed, and its body not read.

    Raises: EgressRefusedError when policy forbids it, AttemptFailedError when no answer came.
    """
    if request.method not in METHODS:
        raise EgressRefusedError(f"method must be one of {', '.join(sorted(METHODS))}")
    check_headers(request.headers, any_type=True)
    wire = Wire(
        parse_target(request.url),
        seconds=min(FETCH_SECONDS, settings.EGRESS_ATTEMPT_SECONDS),
        most_bytes=MOST_ANSWER_BYTES + MOST_BYTES,
    )
    with contextlib.closing(wire), watching(wire.seconds, wire.cut):
        answer = attempt(request, wire, _read)
    if "error" in answer:
        raise AttemptFailedError(answer["error"])
    return Fetched(**answer)


def _read(response: requests.Response) -> dict[str, Any]:
    body = b""
    if response.status_code not in REDIRECTS:
        body = response.raw.read(MOST_ANSWER_BYTES + 1, decode_content=False)
    if len(body) > MOST_ANSWER_BYTES:
        raise AttemptFailedError("the answer is too long")
    shown = {
        name.lower(): value
        for name, value in response.headers.items()
        if name.lower() not in KEPT_BACK
    }
    return {
        "status": response.status_code,
        "reason": response.reason or "",
        "headers": shown,
        "body": body.decode("utf-8", "replace"),
    }
