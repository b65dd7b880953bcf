"""The log in both directions: agents' calls as they were noted, and our attempts to reach agents.

Attempts have rows of their own, so they are not written a second time: both are read and merged
by time. An attempt's id in this list is made of its moment and its number.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import merge
from typing import Any

import orjson
from django.db.models import Q, QuerySet

from accounts.ids import EPOCH, parse_uuid
from accounts.models import Workspace
from api.calls import calls_of
from api.masking import (
    LONGEST_BODY,
    MASK,
    masked_excerpt,
    shown_body,
    shown_value,
    without_passwords,
)
from api.models import Call, CallBodies
from delivery.models import Attempt
from reviews.models import ReviewRequest

NO_ANSWER = 0
NUMBER_BITS = 62
LATEST = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
CUSTOM = 8  # UUIDv8 (RFC 9562, section 5.8): agents' calls have version 7


class Direction(StrEnum):
    """As agents' calls come in and our own go out."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True)
class Filter:
    """What the log is narrowed to. `status` is a range without its end; 0 means no answer."""

    since: datetime | None = None
    direction: Direction | None = None
    channel_id: uuid.UUID | None = None
    status: range | None = None
    key_id: uuid.UUID | None = None
    path: str = ""


@dataclass(frozen=True)
class Entry:
    """One row of the log: a call of an agent, or an attempt to reach one."""

    id: uuid.UUID
    of: Call | Attempt

    @property
    def direction(self) -> Direction:
        return Direction.INBOUND if isinstance(self.of, Call) else Direction.OUTBOUND

    @property
    def at(self) -> datetime:
        return self.of.created_at if isinstance(self.of, Call) else self.of.started_at

    @property
    def status(self) -> int:
        return self.of.status if isinstance(self.of, Call) else self.of.http_status or NO_ANSWER


def attempt_id(attempt: Attempt) -> uuid.UUID:
    """48 bits of milliseconds, 12 of the microseconds below, 62 of the row's number."""
    milliseconds, micro = divmod((attempt.started_at - EPOCH) // timedelta(microseconds=1), 1000)
    value = (milliseconds & (2**48 - 1)) << 80 | CUSTOM << 76 | micro << 64
    return uuid.UUID(int=value | 0b10 << NUMBER_BITS | attempt.pk)


def _moment(entry_id: uuid.UUID) -> datetime:
    """When an attempt with this id began; for a call, the begin of its millisecond."""
    micro = (entry_id.int >> 64) & 0xFFF if entry_id.version == CUSTOM else 0
    milliseconds = min(entry_id.int >> 80, LATEST)  # an id may have been made up
    return EPOCH + timedelta(milliseconds=milliseconds, microseconds=min(micro, 999))


def _number(entry_id: uuid.UUID) -> int:
    return int(entry_id.int & (2**NUMBER_BITS - 1))


def page_of_log(
    workspace: Workspace,
    wanted: Filter,
    *,
    before: uuid.UUID | None,
    limit: int,
    with_bodies: bool = False,
) -> list[Entry]:
    """Up to `limit` rows, the newest first, that come after `before` in this order."""
    calls, attempts = _calls(workspace, wanted, before), _attempts(workspace, wanted, before)
    if with_bodies:
        calls = calls.select_related("bodies")
    else:
        attempts = attempts.defer("delivery__event__body")
    found: list[Iterable[Entry]] = []
    if wanted.direction != Direction.OUTBOUND:
        found.append([Entry(call.pk, call) for call in calls[:limit]])
    if wanted.direction != Direction.INBOUND and wanted.key_id is None:
        found.append([Entry(attempt_id(row), row) for row in attempts[:limit]])
    return list(merge(*found, key=lambda entry: entry.id, reverse=True))[:limit]


def _calls(workspace: Workspace, wanted: Filter, before: uuid.UUID | None) -> QuerySet[Call]:
    calls = calls_of(workspace, since=wanted.since)
    if before is not None:
        calls = calls.filter(pk__lt=before)
    if wanted.status is not None:
        calls = calls.filter(status__gte=wanted.status.start, status__lt=wanted.status.stop)
    if wanted.key_id is not None:
        calls = calls.filter(key_id=wanted.key_id)
    if wanted.channel_id is not None:
        calls = calls.filter(channel_id=wanted.channel_id)
    return calls.filter(path__icontains=wanted.path) if wanted.path else calls


def _attempts(workspace: Workspace, wanted: Filter, before: uuid.UUID | None) -> QuerySet[Attempt]:
    rows = _attempts_of(workspace)
    if wanted.since is not None:
        rows = rows.filter(started_at__gte=wanted.since)
    if before is not None:
        rows = rows.filter(_earlier(before))
    if wanted.status is not None:
        rows = rows.filter(_answered(wanted.status))
    if wanted.channel_id is not None:
        rows = rows.filter(delivery__signing_scope=str(wanted.channel_id))
    if wanted.path:
        rows = rows.filter(delivery__url__icontains=wanted.path)
    return rows.order_by("-started_at", "-pk")


def _attempts_of(workspace: Workspace) -> QuerySet[Attempt]:
    rows = Attempt.objects.filter(delivery__lane__workspace=workspace)
    return rows.select_related("delivery__event", "delivery__lane").defer("delivery__headers_json")


def _earlier(before: uuid.UUID) -> Q:
    """A call sorts before all attempts of its millisecond."""
    at = _moment(before)
    if before.version != CUSTOM:
        return Q(started_at__lt=at)
    return Q(started_at__lte=at) & (Q(started_at__lt=at) | Q(pk__lt=_number(before)))


def _answered(status: range) -> Q:
    found = Q(http_status__gte=status.start, http_status__lt=status.stop)
    return found | Q(http_status=None) if NO_ANSWER in status else found


def find_entry(workspace: Workspace, entry_id: uuid.UUID) -> Entry | None:
    """With its bodies. None for one that is foreign, missing, or forgotten by now."""
    if entry_id.version != CUSTOM:
        call = calls_of(workspace).select_related("bodies").filter(pk=entry_id).first()
        return None if call is None else Entry(call.pk, call)
    row = _attempts_of(workspace).filter(pk=_number(entry_id)).first()
    return Entry(entry_id, row) if row is not None and attempt_id(row) == entry_id else None


# Bodies


@dataclass(frozen=True)
class Bodies:
    """JSON texts, masked. None where nothing was sent, came, or is kept."""

    request: str | None = None
    answer: str | None = None


def bodies_of(workspace: Workspace, entries: Sequence[Entry]) -> dict[uuid.UUID, Bodies]:
    """The bodies of entries that were read with theirs."""
    attempts = [entry.of for entry in entries if isinstance(entry.of, Attempt)]
    reviews = _reviews(workspace, attempts)
    return {
        entry.id: _of_call(entry.of)
        if isinstance(entry.of, Call)
        else _of_attempt(entry.of, reviews.get(entry.of.delivery.event.reference))
        for entry in entries
    }


def _of_call(call: Call) -> Bodies:
    try:
        return Bodies(call.bodies.request, call.bodies.answer)
    except CallBodies.DoesNotExist:
        return Bodies()


def _reviews(workspace: Workspace, attempts: Sequence[Attempt]) -> dict[str, ReviewRequest]:
    """What was asked, where an answer was sent: it says what of that is a password."""
    events = [row.delivery.event for row in attempts]
    ids = {parse_uuid(event.reference) for event in events if '"response"' in (event.body or "")}
    if not ids:
        return {}
    reviews = ReviewRequest.objects.filter(workspace=workspace, pk__in=ids - {None})
    return {str(review.pk): review for review in reviews.only("kind", "payload_json")}


def _of_attempt(row: Attempt, review: ReviewRequest | None) -> Bodies:
    return Bodies(_sent(row.delivery.event.body, review), _came(row.response_head))


def _sent(body: str | None, review: ReviewRequest | None) -> str | None:
    """An answer whose question is gone may be a password, all of it."""
    if body is None:
        return None
    value: Any = orjson.loads(body)
    if isinstance(value, dict) and isinstance(value.get("response"), dict):
        said = value["response"]
        value["response"] = (
            dict.fromkeys(said, MASK)
            if review is None
            else without_passwords(review.kind, review.payload, said)
        )
    return shown_value(value)


def _came(head: str) -> str | None:
    """The first bytes of an answer; what is no JSON, or was cut, becomes a string."""
    if not head:
        return None
    return shown_body(head.encode()) or shown_value(masked_excerpt(head, LONGEST_BODY))
