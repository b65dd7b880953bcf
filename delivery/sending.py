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

from django.utils import timezone

from accounts.encryption import UndecryptableError
from delivery import egress, faults
from delivery.keys import signers_of
from delivery.models import Delivery, State
from delivery.signing import Signer
from delivery.statements import SEALED, begin_attempts, take_next

logger = logging.getLogger(__name__)


@dataclass
class Flight:
    """One attempt. Its row is in the database before the request leaves.

    `delivery` is as it was when the attempt began; `result` is what came of it.
    """

    delivery: Any  # as `take_next` gives it
    started_at: datetime
    request: egress.Request | None = None
    result: egress.Result | None = None
    refusal: str = ""

    def ended(self) -> dict[str, Any]:
        """What its row in the database does not have yet."""
        result = self.result or egress.Result(error=self.refusal[:300])
        return {
            "delivery": self.delivery.pk,
            "number": self.delivery.attempts,
            "ip": result.ip,
            "http_status": result.status,
            "duration_ms": result.duration_ms,
            "response_head": result.head,
            "error": result.error,
        }


def left_behind(lane_ids: Collection[uuid.UUID]) -> list[Delivery]:
    """What a dead sender left in `sending` on lanes that are ours now, with the rows locked.

    One that somebody holds is left out: a sender that was taken for dead is writing its end down.
    """
    found = Delivery.objects.filter(lane_id__in=lane_ids, state=State.SENDING)
    found = found.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return list(found.select_related("event").defer(*SEALED))


def start_next(token: uuid.UUID, lane_ids: Collection[uuid.UUID]) -> list[Flight]:
    """Begin one attempt on each lane that has something due."""
    deliveries = take_next(token, lane_ids)
    if not deliveries:
        return []
    now = timezone.now()
    flights = [Flight(delivery, now) for delivery in deliveries]
    begin_attempts(token, [delivery.pk for delivery in deliveries], now=now)
    _prepare(flights)
    for flight in flights:
        faults.hit("send.before_attempt_row", flight.delivery.url)
    return flights


def _prepare(flights: list[Flight]) -> None:
    """Give each flight its request; without one it ends at once."""
    signers: dict[str, Signer] = {}
    with contextlib.suppress(UndecryptableError):  # then each reads its own
        signers = signers_of([flight.delivery for flight in flights])
    for flight in flights:
        delivery = flight.delivery
        if delivery.is_gone:
            flight.result = egress.Result(status=GONE, error="the address answered 410 before")
            continue
        try:
            if delivery.event.body is None:
                flight.refusal = "the stored event was erased; its time to be kept is over"
            else:
                flight.request = _request(flight, signers or signers_of([delivery]))
        except (UndecryptableError, ValueError) as unreadable:
            logger.warning("delivery %s cannot be read: %s", delivery.pk, unreadable)
            flight.result = egress.Result(error=str(unreadable)[:300])


GONE = 410


def _request(flight: Flight, signers: Mapping[str, Signer]) -> egress.Request:
    delivery = flight.delivery
    signer = signers[delivery.signing_scope]
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
