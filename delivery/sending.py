"""Sending what is due: claim a lane, call, record, reschedule.

A lane's lease makes one sender its holder; the token lets a holder that was paused past its lease
notice that somebody else took over. No transaction is open while a receiver is called. At least
once: a sender that dies between the receiver's answer and our record is repeated, with the same
event id and the same bytes.
"""

import hashlib
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from delivery import egress
from delivery.backoff import next_delay, retry_after
from delivery.clock import ClockTimestamp
from delivery.models import Attempt, Delivery, EngineBeat, GoneUrl, Lane, SigningSecret, State
from delivery.signals import delivery_finished
from delivery.signing import signed_headers

logger = logging.getLogger(__name__)

GONE = 410
BATCH = 20
DRAIN_SECONDS = 20.0
FORGOTTEN_AFTER = timedelta(days=1)

_stopping = threading.Event()


def stop_sending() -> None:
    """The process is about to end: finish the attempt at hand, release the lane, start no other."""
    _stopping.set()


def _time_is_up(until: float) -> bool:
    return _stopping.is_set() or time.monotonic() >= until


@dataclass(frozen=True)
class Held:
    """A lane whose lease is ours, as long as the token in its row is this one."""

    lane_id: uuid.UUID
    token: uuid.UUID

    def rows(self) -> QuerySet[Lane]:
        return Lane.objects.filter(pk=self.lane_id, lease_token=self.token)

    def extend(self) -> bool:
        return bool(self.rows().update(lease_until=_lease_end()))

    def release(self) -> None:
        self.rows().update(lease_until=ClockTimestamp(), lease_token=None)


def _lease_end() -> Any:
    return ClockTimestamp() + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)


def deliver_due() -> int:
    """Send whatever is due, lane after lane, until nothing is. Returns the attempts made.

    The time is bounded so that a busy worker comes back for other tasks; what remains is due
    for the next tick.
    """
    beat()
    made, until = 0, time.monotonic() + DRAIN_SECONDS
    while not _time_is_up(until):
        held = claim_lane()
        if held is None:
            break
        try:
            for delivery in _due_in(held, until):
                _attempt(delivery, held)
                made += 1
        finally:
            held.release()
    return made


def beat() -> None:
    """Leave a sign of life, from which readiness is judged."""
    name, now = f"{socket.gethostname()}:{os.getpid()}", timezone.now()
    _, is_new = EngineBeat.objects.update_or_create(name=name, defaults={"seen_at": now})
    if is_new:
        EngineBeat.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


@transaction.atomic
def claim_lane() -> Held | None:
    """Take the lease of the lane that waits longest and has something to do.

    PostgreSQL skips lanes that others are claiming; on SQLite the IMMEDIATE transaction lets one
    process choose at a time. The UPDATE repeats the lease's condition either way.
    """
    due = Q(state=State.PENDING, next_attempt_at__lte=ClockTimestamp()) | Q(state=State.SENDING)
    free = Lane.objects.filter(
        Exists(Delivery.objects.filter(due, lane=OuterRef("pk"))),
        disabled_at=None,
        lease_until__lte=ClockTimestamp(),
        open_until__lte=ClockTimestamp(),
    )
    if connection.features.has_select_for_update_skip_locked:
        free = free.select_for_update(skip_locked=True)
    lane_id = free.order_by("lease_until").values_list("pk", flat=True).first()
    if lane_id is None:
        return None
    held = Held(lane_id, uuid.uuid4())
    won = Lane.objects.filter(pk=lane_id, lease_until__lte=ClockTimestamp()).update(
        lease_token=held.token, lease_until=_lease_end()
    )
    return held if won else None


def _due_in(held: Held, until: float) -> Iterator[Delivery]:
    """The lane's due deliveries, oldest first, as long as the lease is ours and time remains."""
    _recover(held)
    while not _time_is_up(until):
        due = Delivery.objects.filter(
            lane_id=held.lane_id, state=State.PENDING, next_attempt_at__lte=ClockTimestamp()
        )
        batch = list(due.select_related("event").order_by("next_attempt_at", "id")[:BATCH])
        if not batch:
            return
        for delivery in batch:
            if _time_is_up(until) or not held.extend():
                return
            yield delivery


def _recover(held: Held) -> None:
    """What a dead holder left in `sending` is due again; its attempt stays counted."""
    for delivery in Delivery.objects.filter(lane_id=held.lane_id, state=State.SENDING):
        _reschedule(delivery, held, egress.Result(error="the sender died; outcome unknown"))


def _attempt(delivery: Delivery, held: Held) -> None:
    """One attempt: record that it starts, make it, record how it ended."""
    started_at = timezone.now()
    if not _start(delivery, held, started_at):
        return
    try:
        result = egress.send(_request(delivery, started_at))
    except egress.EgressRefusedError as refused:
        _finish(delivery, held, State.BLOCKED, egress.Result(error=str(refused)[:300]))
        return
    if result.ok:
        _finish(delivery, held, State.DELIVERED, result)
    elif result.status == GONE:
        _finish(delivery, held, State.GONE, result)
    else:
        _reschedule(delivery, held, result)


@transaction.atomic
def _start(delivery: Delivery, held: Held, started_at: datetime) -> bool:
    """Count the attempt before it is made, so that an event that kills its sender runs out."""
    if _is_gone(delivery):
        _finish(delivery, held, State.GONE, egress.Result(error="the address answered 410 before"))
        return False
    won = Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(
        state=State.SENDING, attempts=F("attempts") + 1
    )
    if not won:
        return False
    delivery.state, delivery.attempts = State.SENDING, delivery.attempts + 1
    Attempt.objects.create(
        delivery=delivery, number=delivery.attempts, token=held.token, started_at=started_at
    )
    return True


def _is_gone(delivery: Delivery) -> bool:
    digest = hashlib.sha256(delivery.url.encode()).hexdigest()
    return GoneUrl.objects.filter(
        workspace_id=delivery.event.workspace_id, url_sha256=digest
    ).exists()


def _request(delivery: Delivery, started_at: datetime) -> egress.Request:
    body = (delivery.event.body or "").encode()
    signed = signed_headers(
        _secrets(delivery.signing_scope, started_at),
        event_id=delivery.event_id,
        timestamp=int(started_at.timestamp()),
        body=body,
    )
    own = json.loads(delivery.headers_json or "{}")
    has_type = any(name.lower() == "content-type" for name in own)
    return egress.Request(
        url=delivery.url,
        method=delivery.method,
        headers=own if has_type else {"Content-Type": "application/json", **own},
        body=body,
        trusted_headers={**signed, "x-licet-attempt": str(delivery.attempts)},
    )


def _secrets(scope: str, now: datetime) -> list[str]:
    """Every secret of the scope that still counts, the live one first."""
    valid = SigningSecret.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), scope=scope)
    newest_first = valid.order_by(F("expires_at").desc(nulls_first=True))
    return [str(secret) for secret in newest_first.values_list("secret", flat=True)]


def _reschedule(delivery: Delivery, held: Held, result: egress.Result) -> None:
    """Plan the next attempt, or give up when the schedule or the event's age has ended."""
    now = timezone.now()
    delay = next_delay(
        settings.DELIVERY_SCHEDULE,
        attempts=delivery.attempts,
        status=result.status,
        wish=retry_after(result.retry_after, now=now),
    )
    if delay is None or now + delay > delivery.give_up_at:
        _finish(delivery, held, State.EXHAUSTED, result)
        return
    with transaction.atomic():
        _end_attempt(delivery, held, result, now)
        _ours(delivery, held).update(
            state=State.PENDING,
            next_attempt_at=ClockTimestamp() + delay,
            last_status=result.status,
            last_error=_explain(result),
        )
    logger.info("delivery %s: %s, next try in %s", delivery.pk, _explain(result), delay)


@transaction.atomic
def _finish(delivery: Delivery, held: Held, state: State, result: egress.Result) -> None:
    """Record a final state, once, and announce it."""
    now = timezone.now()
    _end_attempt(delivery, held, result, now)
    won = _ours(delivery, held).update(
        state=state, finished_at=now, last_status=result.status, last_error=_explain(result)
    )
    if not won:
        return
    if state == State.GONE and result.status == GONE:
        _remember_gone(delivery)
    delivery.refresh_from_db(fields=["state", "finished_at", "last_status", "last_error"])
    delivery_finished.send(sender=Delivery, delivery=delivery)
    logger.info("delivery %s of %s: %s", delivery.pk, delivery.event_id, state)


def _ours(delivery: Delivery, held: Held) -> QuerySet[Delivery]:
    """The delivery, as long as the state is the one we saw and the lane is still ours."""
    return Delivery.objects.filter(Exists(held.rows()), pk=delivery.pk, state=delivery.state)


def _end_attempt(delivery: Delivery, held: Held, result: egress.Result, now: datetime) -> None:
    Attempt.objects.filter(
        delivery=delivery, number=delivery.attempts, token=held.token, ended_at=None
    ).update(
        ended_at=now,
        ip=result.ip,
        http_status=result.status,
        duration_ms=result.duration_ms,
        response_head=result.head,
        error=result.error,
    )


def _explain(result: egress.Result) -> str:
    if result.ok:
        return ""
    return result.error or f"the receiver answered {result.status}"


def _remember_gone(delivery: Delivery) -> None:
    GoneUrl.objects.get_or_create(
        workspace_id=delivery.event.workspace_id,
        url_sha256=hashlib.sha256(delivery.url.encode()).hexdigest(),
        defaults={"url": delivery.url, "reason": f"answered {GONE}"},
    )
