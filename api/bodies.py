"""Reading JSON bodies: bounded, strict, and with an answer for every kind of nonsense.

Each dialect gives its own error by catching `BodyError`.
"""

from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, UnreadablePostError

DEEPEST = 64
JSON_TYPE = "application/json"
ENDED_EARLY = "The body ended before its Content-Length."
EMPTY = "The body is empty; a JSON object is needed."


class BodyError(Exception):
    """A body that cannot be read: HTTP status, what is wrong, and where."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def has_body(request: HttpRequest) -> bool:
    """Whether anything was sent; blanks count."""
    return request.META.get("CONTENT_LENGTH") not in (None, "", "0")


type Received = bytes | list[str]


def note_received(request: HttpRequest, received: Received) -> None:
    """Keep what came for the log: the bytes of a JSON body, or the names of a form's parts."""
    request.received = received  # type: ignore[attr-defined]  # read by `received_by` alone


def received_by(request: HttpRequest) -> Received | None:
    """None where nothing was read: the call had no body, or was refused before."""
    return getattr(request, "received", None)


def read_json_body(request: HttpRequest) -> bytes:
    """The bytes of a JSON body, after the checks that cost little.

    Raises: BodyError with 413 (over 1 MiB), 415 (not JSON) or 400 (empty, deep, not UTF-8, NUL).
    """
    if not has_body(request):
        raise BodyError(400, EMPTY)
    if (request.content_type or "").lower() != JSON_TYPE:
        raise BodyError(415, f"Send the body as {JSON_TYPE}.")
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if charset not in {"utf-8", "utf8"}:
        raise BodyError(400, f"Send the body as UTF-8, not as {charset[:40]}.")
    body = _bounded(request)
    if not body.strip():
        raise BodyError(400, EMPTY)
    _check_text(body)
    return body


def _bounded(request: HttpRequest) -> bytes:
    largest = settings.LARGEST_JSON_BODY
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > largest:
        raise BodyError(413, f"The body is larger than {largest} bytes.")
    try:
        body = request.read(largest + 1)
    except UnreadablePostError:
        raise BodyError(400, ENDED_EARLY) from None
    if len(body) > largest:
        raise BodyError(413, f"The body is larger than {largest} bytes.")
    note_received(request, body)
    return body


def _check_text(body: bytes) -> None:
    if b"\\u0000" in body and _has_nul(body):
        raise BodyError(400, "A string holds the character NUL (\\u0000), which cannot be stored.")
    if body.count(b"{") + body.count(b"[") > DEEPEST and _depth(body) > DEEPEST:
        raise BodyError(400, f"The body is nested more than {DEEPEST} levels deep.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BodyError(400, f"The body is not UTF-8 at byte {error.start}.") from None


def _has_nul(body: bytes) -> bool:
    r"""Whether `\u0000` occurs as an escape: an even number of backslashes before it."""
    start = body.find(b"\\u0000")
    while start != -1:
        before = body[:start]
        if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
            return True
        start = body.find(b"\\u0000", start + 1)
    return False


def _depth(body: bytes) -> int:
    """The deepest nesting, brackets inside strings left out."""
    deepest = depth = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            in_string = escaped or byte != 0x22  # noqa: PLR2004  # a quote
            escaped = not escaped and byte == 0x5C  # noqa: PLR2004  # a backslash
        elif byte == 0x22:  # noqa: PLR2004
            in_string = True
        elif byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > DEEPEST:
                break
        elif byte in b"}]":
            depth -= 1
    return deepest


def decode_object[T](body: bytes, into: type[T]) -> T:
    """Decode into a struct.

    Raises: msgspec.ValidationError, which says where; BodyError for text that is not JSON.
    """
    try:
        return msgspec.json.decode(body, type=into)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise BodyError(400, f"The body is not JSON: {error}") from None
    except RecursionError:
        raise BodyError(400, f"The body is nested more than {DEEPEST} levels deep.") from None


def measure_json(value: Any) -> int:
    """The size of a value as JSON, in bytes."""
    return len(msgspec.json.encode(value))


def decode_json(text: bytes) -> Any:
    """Decode JSON that has been checked as part of a body."""
    return msgspec.json.decode(text)
