"""Starting attempts: what is due on the lanes we hold, counted and written down before it leaves.

Everything here runs inside the engine's transaction. Nothing here calls a receiver.
"""

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Subquery
from django.utils import timezone

from delivery import egress, faults
from delivery.clock import ClockTimestamp
from delivery.keys import signers_of
from delivery.lanes import due_now, held
from delivery.models import Attempt, Delivery, GoneUrl, Lane, State
from delivery.signing import Signer


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


def left_behind(lane_ids: Collection[uuid.UUID]) -> list[Delivery]:
    """What a dead sender left in `sending` on lanes that are ours now."""
    found = Delivery.objects.filter(lane_id__in=lane_ids, state=State.SENDING)
    return list(found.select_related("event", "lane"))


def start_next(token: uuid.UUID, lane_ids: Collection[uuid.UUID]) -> list[Flight]:
    """Begin one attempt on each lane that has something due."""
    due = _next_due(lane_ids)
    if not due:
        return []
    now = timezone.now()
    flights = [Flight(delivery, token, now) for delivery in _take(token, due)]
    Attempt.objects.bulk_create([flight.attempt() for flight in flights])
    _prepare(flights)
    for flight in flights:
        faults.hit("send.before_attempt_row", flight.delivery.url)
    return flights


def _next_due(lane_ids: Collection[uuid.UUID]) -> list[Delivery]:
    """For each lane the delivery that has been due longest."""
    due = Delivery.objects.filter(due_now(), lane=OuterRef("pk"))
    first = due.order_by("next_attempt_at", "id").values("pk")[:1]
    chosen = Lane.objects.filter(pk__in=lane_ids).values_list(Subquery(first), flat=True)
    ids = [delivery_id for delivery_id in chosen if delivery_id]
    return list(Delivery.objects.filter(pk__in=ids).select_related("event")) if ids else []


def _take(token: uuid.UUID, due: list[Delivery]) -> list[Delivery]:
    """Count the attempts before they are made, so that an event that kills its sender runs out.

    Returns those that were still waiting, on lanes that are still ours.
    """
    ids = [delivery.pk for delivery in due]
    ours = held(token).filter(pk=OuterRef("lane_id"), lease_until__gt=ClockTimestamp())
    waiting = Delivery.objects.filter(Exists(ours), pk__in=ids, state=State.PENDING)
    taken = waiting.update(state=State.SENDING, attempts=F("attempts") + 1)
    if taken != len(ids):
        now_sending = Delivery.objects.filter(pk__in=ids, state=State.SENDING)
        sending = set(now_sending.values_list("pk", flat=True))
        due = [delivery for delivery in due if delivery.pk in sending]
    for delivery in due:
        delivery.state, delivery.attempts = State.SENDING, delivery.attempts + 1
    return due


def _prepare(flights: list[Flight]) -> None:
    """Give each flight its request; without one it ends at once."""
    digests = [flight.delivery.target_key for flight in flights]
    gone = set(
        GoneUrl.objects.filter(url_sha256__in=digests).values_list("workspace_id", "url_sha256")
    )
    signers = signers_of([flight.delivery for flight in flights], now=timezone.now())
    for flight in flights:
        delivery = flight.delivery
        if (delivery.event.workspace_id, delivery.target_key) in gone:
            flight.result = egress.Result(status=GONE, error="the address answered 410 before")
        elif delivery.event.body is None:
            flight.refusal = "the stored event was erased; its time to be kept is over"
        else:
            flight.request = _request(flight, signers[delivery.signing_scope])


GONE = 410


def _request(flight: Flight, signer: Signer) -> egress.Request:
    delivery = flight.delivery
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
