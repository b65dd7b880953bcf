"""This dialect's errors: `{status, message, data}`, one sentence for each thing that is wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.response import Response

from api.placet.errors import INVALID, headers_of, judge

# Told in the same words, whatever the reason was.
FIXED = {
    401: "Invalid or expired token.",
    405: "This method is not allowed here.",
    406: "Answers are JSON only.",
    500: "Internal server error.",
}
LONGEST_SHOWN = 100


class RefusedCallError(APIException):
    """A call that cannot be done, with what its caller is told."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status_code = status


def missing(what: str, given: str) -> RefusedCallError:
    """What is not there, under the name that the caller gave it. Foreign looks the same."""
    return RefusedCallError(f"{what} not found: {_plain(given)}.", status=404)


def required(field: str) -> RefusedCallError:
    return RefusedCallError(f"Field '{field}' is required.")


def _plain(text: str) -> str:
    """The beginning of a text; what would not be seen is shown by its code point."""
    shown = text[:LONGEST_SHOWN]
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in shown)


def handle(failure: Exception, context: dict[str, Any]) -> Response:
    """The exception handler of every view of this dialect."""
    status, message, faults = judge(failure)
    body = error_body(FIXED.get(status) or _sentence(message, faults))
    return Response(body, status=status, headers=headers_of(failure, status))


def error_body(message: str) -> dict[str, Any]:
    return {"status": "error", "message": message, "data": None}


def _sentence(message: str, faults: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong in particular, where there is such a thing."""
    if message == INVALID and faults:
        first = faults[0]
        shape = first["code"] == "invalid_type"  # our fields are looked at one by one
        message = "The body must be a JSON object" if shape else first["message"]
    return message if message.endswith(".") else f"{message}."
