"""Placet's error envelope, and the status of each refusal.

Body: `{statusCode, message, errors[], timestamp, path}`: what Placet sends and what it documents,
together (Placet contract 1.3).
"""

import logging
import math
from datetime import datetime
from typing import Any

import msgspec
from django.db import OperationalError
from django.utils import timezone
from rest_framework.exceptions import APIException, Throttled
from rest_framework.response import Response
from rest_framework.status import HTTP_401_UNAUTHORIZED, HTTP_503_SERVICE_UNAVAILABLE

from accounts.errors import RefusedError
from api.placet.times import wire_time
from delivery.egress import EgressRefusedError
from inbox.errors import DomainError

logger = logging.getLogger(__name__)

STATUS_OF_CODE = {
    "agent_not_found": 404,
    "attachment_not_found": 400,
    "bad_cursor": 400,
    "channel_not_found": 404,
    "channel_not_yours": 403,
    "email_in_use": 409,
    "file_missing": 404,
    "invalid": 400,
    "invalid_answer": 400,
    "invalid_plugin_values": 400,
    "iteration_chain": 400,
    "iteration_target": 400,
    "key_ended": 409,
    "last_owner": 409,
    "message_not_found": 404,
    "no_draft": 404,
    "no_member": 404,
    "no_receiver": 400,
    "no_review": 404,
    "not_found": 404,
    "not_new": 409,
    "not_yours_to_change": 403,
    "nothing_to_send": 400,
    "past_deadline": 400,
    "plugin_not_found": 404,
    "quota_exceeded": 413,
    "review_changed": 409,
    "reply_target": 400,
    "review_closed": 403,
    "storage_unavailable": 503,
    "subagent_parent": 400,
    "thread_not_found": 400,
    "too_many_steps": 400,
}
INVALID = "Validation failed"


class InvalidBodyError(APIException):
    """A body or query that cannot be read. `errors` holds code, message and path of each fault."""

    status_code = 400

    def __init__(self, *errors: dict[str, Any], message: str = INVALID) -> None:
        super().__init__(message)
        self.errors = list(errors)


def fault(code: str, message: str, *path: str | int) -> dict[str, Any]:
    """One entry of `errors[]`."""
    return {"code": code, "message": message, "path": list(path)}


def error_body(
    status: int, message: str, *, path: str, now: datetime, errors: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "statusCode": status,
        "message": message,
        "errors": errors,
        "timestamp": wire_time(now),
        "path": path,
    }


def judge(failure: Exception) -> tuple[int, str, list[dict[str, Any]]]:  # noqa: PLR0911  # a table
    """Status, message and details for any failure. What nobody foresaw is a 500 without details."""
    match failure:
        case InvalidBodyError():
            return failure.status_code, str(failure.detail), failure.errors
        case DomainError():
            status = STATUS_OF_CODE[failure.code]
            return status, failure.message, [fault(failure.code, failure.message, *failure.path)]
        case RefusedError():
            details = [fault(failure.code, failure.message)]
            return STATUS_OF_CODE[failure.code], failure.message, details
        case EgressRefusedError():
            return 400, INVALID, [fault("target_refused", "target not allowed by this server")]
        case Throttled():
            message = f"Too many requests. Try again in {seconds_to_wait(failure)} s."
            return 429, message, [fault("throttled", message)]
        case APIException():
            detail = failure.detail if isinstance(failure.detail, str) else INVALID
            return failure.status_code, str(detail), [fault(failure.default_code, str(detail))]
        case OperationalError():
            logger.error("database not reached", exc_info=failure)
            return 503, "The database cannot be reached. Try again.", []
        case _:
            logger.error("unforeseen failure", exc_info=failure)
            return 500, "Internal server error", []


def handle(failure: Exception, context: dict[str, Any]) -> Response:
    """The exception handler of every view of this dialect."""
    request = context["request"]
    status, message, errors = judge(failure)
    body = error_body(
        status, message, path=request.get_full_path(), now=timezone.now(), errors=errors
    )
    return Response(body, status=status, headers=headers_of(failure, status))


def headers_of(failure: Exception, status: int) -> dict[str, str]:
    """What goes with a refusal: how to authenticate, or when to come back."""
    if status == HTTP_401_UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="licet"'}
    if isinstance(failure, Throttled):
        return {"Retry-After": str(seconds_to_wait(failure))}
    return {"Retry-After": "2"} if status == HTTP_503_SERVICE_UNAVAILABLE else {}


def seconds_to_wait(failure: Throttled) -> int:
    return math.ceil(getattr(failure, "wait", None) or 1)


def explain(error: msgspec.ValidationError) -> dict[str, Any]:
    """Turn msgspec's "… - at `$.review.type`" into an entry of `errors[]`."""
    text, _, where = str(error).partition(" - at `")
    return fault("invalid_type", text, *_path(where.removesuffix("`")))


def _path(where: str) -> list[str | int]:
    """`$.options[0].id` as `["options", 0, "id"]`; a value of any key is shown as `...`."""
    parts = where.removeprefix("$").replace("[", ".[").split(".")
    return [
        int(part[1:-1]) if part.startswith("[") and part[1:-1].isdigit() else part.strip("[]")
        for part in parts
        if part
    ]
