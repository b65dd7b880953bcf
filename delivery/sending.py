"""Starting attempts: what is due on the lanes we hold, counted and written down before it leaves.

Everything here runs inside the engine's transaction. Nothing here calls a receiver.
"""

import contextlib
import json
import logging
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Subquery
from django.utils import timezone

from accounts.encryption import UndecryptableError
from delivery import egress, faults
from delivery.clock import ClockTimestamp
from delivery.keys import Signers
from delivery.lanes import due_now, held
from delivery.models import Attempt, Delivery, GoneUrl, Lane, State
from delivery.signing import Signer

logger = logging.getLogger(__name__)


@dataclass
class Flight:
    """One attempt. Its row is in the database before the request leaves.

    `delivery` is as it was when the attempt began; `result` is what came of it.
    """

    delivery: Delivery
    token: uuid.UUID
    started_at: datetime
    request: egress.Request | None = None
    result: egress.Result | None = None
    refusal: str = ""

    def attempt(self) -> Attempt:
        """The row as far as it is known."""
        result = self.result or egress.Result(error=self.refusal[:300])
        return Attempt(
            delivery=self.delivery,
            number=self.delivery.attempts,
            token=self.token,
            started_at=self.started_at,
            ip=result.ip,
            http_status=result.status,
            duration_ms=result.duration_ms,
            response_head=result.head,
            error=result.error,
        )


SEALED = ("headers_json", "event__body")


def left_behind(lane_ids: Collection[uuid.UUID]) -> list[Delivery]:
    """What a dead sender left in `sending` on lanes that are ours now, with the rows locked.

    One that somebody holds is left out: a sender that was taken for dead is writing its end down.
    """
    found = Delivery.objects.filter(lane_id__in=lane_ids, state=State.SENDING)
    found = found.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return list(found.select_related("event").defer(*SEALED))


def start_next(token: uuid.UUID, lane_ids: Collection[uuid.UUID], signers: Signers) -> list[Flight]:
    """Begin one attempt on each lane that has something due."""
    due = _next_due(lane_ids)
    if not due:
        return []
    now = timezone.now()
    flights = [Flight(delivery, token, now) for delivery in _take(token, due)]
    Attempt.objects.bulk_create([flight.attempt() for flight in flights])
    _prepare(flights, signers, gone={delivery.pk for delivery in due if delivery.is_gone})
    for flight in flights:
        faults.hit("start.before_commit", flight.delivery.url)
    return flights


def _next_due(lane_ids: Collection[uuid.UUID]) -> list[Any]:
    """For each lane the delivery that has been due longest, with what is known of its address."""
    due = Delivery.objects.filter(due_now(), lane=OuterRef("pk"))
    first = due.order_by("next_attempt_at", "id").values("pk")[:1]
    chosen = Lane.objects.filter(pk__in=lane_ids).values_list(Subquery(first), flat=True)
    gone = GoneUrl.objects.filter(
        workspace=OuterRef("event__workspace"), url_sha256=OuterRef("target_key")
    )
    # Two statements: joined into one, a planner without fresh statistics reads the whole table.
    ids = [delivery_id for delivery_id in chosen if delivery_id]
    deliveries = Delivery.objects.filter(pk__in=ids).select_related("event")
    deliveries = deliveries.annotate(is_gone=Exists(gone))
    try:
        return list(deliveries)
    except UndecryptableError:  # of one row: the others are read, and it fails by itself later
        return list(deliveries.defer(*SEALED))


def _take(token: uuid.UUID, due: list[Delivery]) -> list[Delivery]:
    """Count the attempts before they are made, so that an event that kills its sender runs out.

    Returns those that were still waiting, on lanes that are still ours. What somebody else is
    changing right now is not waited for: he may wait for a row that this turn has locked.
    """
    ids = [delivery.pk for delivery in due]
    ours = held(token).filter(pk=OuterRef("lane_id"), lease_until__gt=ClockTimestamp())
    chosen = Delivery.objects.filter(Exists(ours), pk__in=ids)
    waiting = chosen.filter(state=State.PENDING).select_for_update(
        skip_locked=True, no_key=True, of=("self",)
    )
    taken = Delivery.objects.filter(pk__in=waiting.values("pk")).update(
        state=State.SENDING, attempts=F("attempts") + 1
    )
    if taken != len(ids):
        sending = set(chosen.filter(state=State.SENDING).values_list("pk", flat=True))
        due = [delivery for delivery in due if delivery.pk in sending]
    for delivery in due:
        delivery.state, delivery.attempts = State.SENDING, delivery.attempts + 1
    return due


def _prepare(flights: list[Flight], signers: Signers, *, gone: Collection[uuid.UUID]) -> None:
    """Give each flight its request; without one it ends at once."""
    now, by_scope = timezone.now(), dict[str, Signer]()
    with contextlib.suppress(UndecryptableError):  # then each reads its own
        by_scope = signers.of([flight.delivery for flight in flights], now=now)
    for flight in flights:
        delivery = flight.delivery
        if delivery.pk in gone:
            flight.result = egress.Result(status=GONE, error="the address answered 410 before")
            continue
        try:
            if delivery.event.body is None:
                flight.refusal = "the stored event was erased; its time to be kept is over"
            else:
                flight.request = _request(flight, by_scope or signers.of([delivery], now=now))
        except (UndecryptableError, ValueError) as unreadable:
            logger.warning("delivery %s cannot be read: %s", delivery.pk, unreadable)
            flight.result = egress.Result(error=str(unreadable)[:300])


GONE = 410


def _request(flight: Flight, by_scope: Mapping[str, Signer]) -> egress.Request:
    delivery = flight.delivery
    signer = by_scope[delivery.signing_scope]
    body = (delivery.event.body or "").encode()
    signed = signer.headers(
        event_id=delivery.event_id, timestamp=int(flight.started_at.timestamp()), body=body
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
