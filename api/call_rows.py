"""How a finished call becomes rows. All of it happens in the log's own thread."""

import logging
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.addresses import address_of_request
from accounts.ids import parse_uuid, uuid7
from accounts.inserts import insert_all
from accounts.models import ApiKey
from api.bodies import JSON_TYPE, Received
from api.masking import facts, shown_body
from api.models import LONGEST_ERROR, LONGEST_PATH, Call, CallBodies, UnnamedCalls

logger = logging.getLogger(__name__)

LONGEST_METHOD, LONGEST_ROUTE, LONGEST_NUMBER = 10, 200, 15


class Noted(NamedTuple):
    """A finished call. `key` is None where no good one was shown.

    `received` and `answered` are the bodies as they were; None where there is none, or where the
    log already holds too much. `told` is what a refused agent was told.
    """

    at: datetime
    key: ApiKey | None
    meta: Mapping[str, Any]
    path: str
    route: str
    about: Mapping[str, Any]
    status: int
    seconds: float
    told: object = None
    received: Received | None = None
    answered: bytes | None = None
    answer_type: str = ""
    answer_size: int = 0

    @property
    def weight(self) -> int:
        received = len(self.received) if isinstance(self.received, bytes) else 0
        return received + len(self.answered or b"")

    def without_bodies(self) -> "Noted":
        return self._replace(received=None, answered=None)


def write(batch: Sequence[Noted]) -> None:
    """One short transaction for all of them."""
    named = [(_row(call, call.key), call) for call in batch if call.key is not None]
    unnamed = Counter(_hour(call.at) for call in batch if call.key is None)
    bodies = [_bodies(row, call) for row, call in named] if settings.API_LOG_BODIES else []
    with transaction.atomic():
        insert_all([row for row, _ in named])
        insert_all([each for each in bodies if each.size])
        for hour, number in unnamed.items():
            _count_unnamed(hour, number)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _count_unnamed(hour: datetime, number: int) -> None:
    hours = UnnamedCalls.objects.filter(pk=hour)
    if not hours.update(number=F("number") + number):
        UnnamedCalls.objects.bulk_create([UnnamedCalls(hour=hour)], ignore_conflicts=True)
        hours.update(number=F("number") + number)


def _row(call: Noted, key: ApiKey) -> Call:
    return Call(
        id=uuid7(call.at - timedelta(seconds=call.seconds)),
        created_at=call.at - timedelta(seconds=call.seconds),
        workspace_id=key.workspace_id,
        key_id=key.pk,
        key_prefix=key.key_prefix,
        channel_id=_channel_of(call),
        method=_storable(call.meta.get("REQUEST_METHOD", ""), LONGEST_METHOD),
        route=_storable(call.route, LONGEST_ROUTE),
        path=_storable(call.path, LONGEST_PATH),
        status=call.status,
        duration_ms=round(call.seconds * 1000),
        request_bytes=_request_size(call),
        address=address_of_request(call.meta),
        error=_storable(error_in(call.told), LONGEST_ERROR),
    )


def _request_size(call: Noted) -> int:
    length = str(call.meta.get("CONTENT_LENGTH") or "")[:LONGEST_NUMBER]
    return int(length) if length.isascii() and length.isdigit() else 0


def _storable(text: str, most: int) -> str:
    """PostgreSQL stores neither NUL nor half a surrogate pair, and an agent may send both."""
    return text[:most].replace("\0", "\ufffd").encode(errors="replace").decode()


def error_in(answer: object) -> str:
    """The first line of what an agent was told, with the first fault and its place."""
    if not isinstance(answer, dict):
        return ""
    if isinstance(answer.get("error"), dict):
        return _eliza_error(answer["error"])
    message = str(answer.get("message", ""))
    for each in answer.get("errors") or []:
        place = ".".join(str(part) for part in each.get("path", []))
        detail = f"{place}: {each['message']}" if place else str(each["message"])
        message = detail if each["message"] == message else f"{message}: {detail}"
        break
    return next(iter(message.splitlines()), "")


def _eliza_error(error: dict[str, str]) -> str:
    message, details = error["message"], error["details"]
    return message if details == message else f"{message}: {details}"


# What it was about


def _channel_of(call: Noted) -> uuid.UUID | None:
    for named in _channels_named(call):
        found = parse_uuid(named) if isinstance(named, str) else None
        if found is not None:
            return found
    return None


def _channels_named(call: Noted) -> Iterator[object]:
    """In the path, the query, the body or the answer; no body is read for what stands before it."""
    yield call.about.get("agent_id") or call.about.get("channel_id")
    yield parse_qs(str(call.meta.get("QUERY_STRING", ""))).get("channel", [""])[-1]
    if isinstance(call.received, bytes):
        yield _channel_in(call.received)
    yield _channel_in(call.answered or b"")


def _channel_in(body: bytes) -> object:
    """At the top, or of the message that stands there alone; `agentId` is ElizaOS's word for it."""
    if b'"channelId"' not in body and b'"agentId"' not in body:
        return None
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict):
        return None
    parts = (value.get("message"), value.get("data"), value)
    whole = next(part for part in parts if isinstance(part, dict))
    return whole.get("channelId") or whole.get("agentId")


# Bodies


def _bodies(row: Call, call: Noted) -> CallBodies:
    """Both bodies as they are kept. What cannot be masked is not kept, whatever the reason."""
    try:
        request, answer = _request(call), _answer(call)
    except Exception:  # one body must not cost the others theirs
        logger.warning("call log: the bodies of a call were not kept", exc_info=True)
        request = answer = None
    size = len((request or "").encode()) + len((answer or "").encode())
    return CallBodies(
        call=row, workspace_id=row.workspace_id, size=size, request=request, answer=answer
    )


def _request(call: Noted) -> str | None:
    kind, size = str(call.meta.get("CONTENT_TYPE") or ""), _request_size(call)
    if isinstance(call.received, bytes):
        if not call.received:
            return None
        return shown_body(call.received) or facts("not JSON", len(call.received))
    if call.received is not None:
        return facts(kind.partition(";")[0], size, call.received)
    return facts(kind or "unknown", size) if size else None


def _answer(call: Noted) -> str | None:
    if call.answered and call.answer_type.startswith(JSON_TYPE):
        return shown_body(call.answered) or facts("not JSON", len(call.answered))
    return facts(call.answer_type, call.answer_size) if call.answer_size else None
