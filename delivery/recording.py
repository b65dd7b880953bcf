"""Writing down how attempts ended: the attempt, the delivery's next state, the lane's health.

Everything here runs inside the engine's transaction, and only for lanes whose lease is still ours:
a sender that was paused past its lease does not overrule the one that took over.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from delivery import egress, faults
from delivery.backoff import next_delay, retry_after
from delivery.clock import ClockTimestamp
from delivery.lanes import note_failure, note_success
from delivery.models import Attempt, Delivery, GoneUrl, Lane, State
from delivery.sending import GONE, Flight
from delivery.signals import deliveries_finished
from delivery.statements import SEALED, end_attempts, still_ours

logger = logging.getLogger(__name__)

NO_LONGER_WAITING = frozenset({404, 409})
CONFIRMATIONS = 2
PROBABLY = "probably delivered: an attempt did not end, and now the receiver no longer waits"

type Outcomes = dict[tuple[State, int | None, str], list[Delivery]]


def record(flights: list[Flight], token: uuid.UUID) -> set[uuid.UUID]:
    """Write down flights that ended. Returns the lanes that have to be left alone for now."""
    now = timezone.now()
    known = still_ours(token, [flight.delivery.pk for flight in flights])
    flights = [flight for flight in flights if _key(flight.delivery) in known]
    if not flights:
        return set()
    end_attempts([flight.ended() for flight in flights], now=now)
    _read_limits([flight.delivery for flight in flights if not _succeeded(flight)])
    final: Outcomes = defaultdict(list)
    for flight in flights:
        _settle(flight, final, now)
    _finish(final, now)
    faults.hit("finish.before_commit")
    troubled = {flight.delivery.lane_id for flight in flights if known[_key(flight.delivery)]}
    return _judge_receivers(flights, troubled, now)


def _key(delivery: Delivery) -> tuple[uuid.UUID, int]:
    return delivery.pk, delivery.attempts


def _succeeded(flight: Flight) -> bool:
    return flight.result is not None and flight.result.ok


def _read_limits(deliveries: Collection[Delivery]) -> None:
    """How long each may be tried, as it is now: meanwhile a person may have called it off."""
    if not deliveries:
        return
    rows = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])
    limits = dict(rows.values_list("pk", "give_up_at"))
    for delivery in deliveries:
        delivery.give_up_at = limits[delivery.pk]


def _settle(flight: Flight, final: Outcomes, now: datetime) -> None:
    """Decide what this attempt means for its delivery: an end, or another try."""
    result = flight.result
    if result is None:
        final[State.BLOCKED, None, flight.refusal[:300]].append(flight.delivery)
    elif result.ok:
        final[State.DELIVERED, result.status, ""].append(flight.delivery)
    elif result.status == GONE:
        _remember_gone(flight.delivery)
        final[State.GONE, GONE, explain(result)].append(flight.delivery)
    elif _nobody_waits_any_more(flight.delivery, result):
        final[State.DELIVERED, result.status, PROBABLY].append(flight.delivery)
    elif not _plan_next(flight.delivery, result, now):
        final[State.EXHAUSTED, result.status, explain(result)].append(flight.delivery)


def explain(result: egress.Result) -> str:
    return result.error or f"the receiver answered {result.status}"


def _remember_gone(delivery: Delivery) -> None:
    GoneUrl.objects.get_or_create(
        workspace_id=delivery.event.workspace_id,
        url_sha256=delivery.target_key,
        defaults={"url": delivery.url, "reason": f"answered {GONE}"},
    )


def _nobody_waits_any_more(delivery: Delivery, result: egress.Result) -> bool:
    """A resume address that was reached by an attempt of unknown end answers 404 afterwards.

    Two such answers after an attempt without an end are taken as a delivery.
    """
    if result.status not in NO_LONGER_WAITING or delivery.attempts <= CONFIRMATIONS:
        return False
    log = list(Attempt.objects.filter(delivery=delivery).order_by("number"))
    confirming = [row for row in log[-CONFIRMATIONS:] if row.http_status in NO_LONGER_WAITING]
    unknown = any(row.ended_at is None for row in log[:-CONFIRMATIONS])
    return unknown and len(confirming) == CONFIRMATIONS


def _plan_next(delivery: Delivery, result: egress.Result, now: datetime) -> bool:
    """Set the time of the next attempt; False when the schedule or the event's age has ended."""
    delay = next_delay(
        settings.DELIVERY_SCHEDULE,
        attempts=delivery.attempts,
        overloaded=result.overloaded,
        wish=retry_after(result.retry_after, now=now),
    )
    if delay is None or now + delay > delivery.give_up_at:
        return False
    Delivery.objects.filter(pk=delivery.pk).update(
        state=State.PENDING,
        next_attempt_at=ClockTimestamp() + delay,
        last_status=result.status,
        last_error=explain(result),
    )
    logger.info("delivery %s: %s, next try in %s", delivery.pk, explain(result), delay)
    return True


def _finish(final: Outcomes, now: datetime) -> None:
    """Record final states, once, and announce them."""
    for (state, status, error), deliveries in final.items():
        ids = [delivery.pk for delivery in deliveries]
        ended = {"state": state, "finished_at": now, "last_status": status, "last_error": error}
        Delivery.objects.filter(pk__in=ids).update(**ended)
        for delivery in deliveries:
            for name, value in ended.items():
                setattr(delivery, name, value)
        deliveries_finished.send(sender=Delivery, deliveries=deliveries)
        logger.info("%d deliveries %s %s", len(ids), state, error)


def _judge_receivers(
    flights: Iterable[Flight], troubled: Collection[uuid.UUID], now: datetime
) -> set[uuid.UUID]:
    """Open, close or keep the breakers. Returns the lanes to be left alone.

    What policy refused, what never left, and a 410 say nothing of a receiver. Lanes are read anew:
    a person may have switched one on, and what a turn counted that failed was never stored.
    """
    well: set[uuid.UUID] = set()
    failed: set[uuid.UUID] = set()
    for flight in flights:
        if flight.request and flight.result and flight.result.status != GONE:
            (well if flight.result.ok else failed).add(flight.delivery.lane_id)
    well.intersection_update(troubled)
    lanes = Lane.objects.in_bulk(well | failed) if well or failed else {}
    for lane_id in well:
        note_success(lanes[lane_id])
    return {lane_id for lane_id in failed if note_failure(lanes[lane_id], now=now)}


UNKNOWN = egress.Result(error="the sender died; whether the receiver got it is not known")


def recover(deliveries: Iterable[Delivery]) -> None:
    """What a dead sender left behind is due again; its attempt stays counted, without an end."""
    now = timezone.now()
    final: Outcomes = defaultdict(list)
    for delivery in deliveries:
        if not _plan_next(delivery, UNKNOWN, now):
            final[State.EXHAUSTED, None, explain(UNKNOWN)].append(delivery)
    _finish(final, now)


def give_up_old(*, limit: int) -> int:
    """End what waited past its time behind an open breaker or a receiver that is switched off.

    So ends what a dead sender left on a lane that nobody claims any more.
    """
    late = _late(State.PENDING, limit)
    late += _late(State.SENDING, limit, lane__lease_until__lt=ClockTimestamp())
    if late:
        text = "its time was over before the receiver could be reached"
        _finish({(State.EXHAUSTED, None, text): late}, timezone.now())
    return len(late)


def _late(state: State, limit: int, **where: Any) -> list[Delivery]:
    """One state at a time: each has its small index, and both together have none."""
    rows = Delivery.objects.filter(state=state, give_up_at__lt=ClockTimestamp(), **where)
    rows = rows.select_for_update(skip_locked=True, of=("self",)).select_related("event")
    return list(rows.order_by("give_up_at").defer(*SEALED)[:limit])
