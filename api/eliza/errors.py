"""ElizaOS's error envelope: `{"success": false, "error": {"code", "message", "details"}}`.

`details` is always a text: the official client drops anything else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_framework.response import Response

from api.placet.errors import INVALID, headers_of, judge
from inbox.queries import ChannelNotFoundError, ChannelNotYoursError

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
OTHER_REFUSAL, SERVER_FAILED = "BAD_REQUEST", 500
NO_CHANNEL = "Channel not found"
REQUIRED = "required"


def error_body(status: int, message: str, details: str) -> dict[str, Any]:
    code = CODES.get(status, CODES[SERVER_FAILED] if status >= SERVER_FAILED else OTHER_REFUSAL)
    return {"success": False, "error": {"code": code, "message": message, "details": details}}


def handle(failure: Exception, context: dict[str, Any]) -> Response:
    """The exception handler of every view of this dialect."""
    status, body = refusal(failure)
    return Response(body, status=status, headers=headers_of(failure, status))


def refusal(failure: Exception) -> tuple[int, dict[str, Any]]:
    """Status and envelope for any failure."""
    if isinstance(failure, ChannelNotFoundError | ChannelNotYoursError):
        return 404, error_body(404, NO_CHANNEL, NO_CHANNEL)
    status, message, faults = judge(failure)
    return status, error_body(status, _summary(message, faults), _details(message, faults))


def _summary(message: str, faults: Sequence[Mapping[str, Any]]) -> str:
    """Which fields are missing; if none is, which ones are wrong."""
    if message != INVALID:
        return message
    missing = [each for each in faults if each["code"] == REQUIRED]
    fields = ", ".join(_place(each["path"]) for each in missing or faults if each["path"])
    if not fields:
        return faults[0]["message"] if faults else message
    return f"{'Missing required' if missing else 'Invalid'} fields: {fields}"


def _details(message: str, faults: Iterable[Mapping[str, Any]]) -> str:
    return "; ".join(_sentence(_place(each["path"]), each["message"]) for each in faults) or message


def _sentence(place: str, problem: str) -> str:
    return f"{place}: {problem.removeprefix(place + ' ')}" if place else problem


def _place(path: Iterable[str | int]) -> str:
    """`["messages", 3, "content"]` as `messages[3].content`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
