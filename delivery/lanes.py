"""Who may send to whom right now: leases, breakers, and receivers that are switched off.

A lane's lease makes one engine its holder. The token lets a holder that was paused past its lease
notice that somebody else took over.
"""

import logging
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from delivery.clock import ClockTimestamp
from delivery.models import Lane, long_ago

logger = logging.getLogger(__name__)

FAILURES_TO_OPEN = 3
FEWEST_FAILURES_TO_DISABLE = 10


def _lease_end() -> Any:
    return ClockTimestamp() + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)


def held(token: uuid.UUID) -> QuerySet[Lane]:
    """The lanes whose lease is still this token's."""
    return Lane.objects.filter(lease_token=token)


def extend(token: uuid.UUID, lane_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Extend leases; returns the lanes that are still ours."""
    ours = held(token).filter(pk__in=lane_ids)
    if ours.update(lease_until=_lease_end()) == len(lane_ids):
        return set(lane_ids)
    return set(ours.values_list("pk", flat=True))


def release(token: uuid.UUID, lane_ids: Collection[uuid.UUID]) -> None:
    """Give leases back at once: the lanes go to the end of the row."""
    if lane_ids:
        held(token).filter(pk__in=lane_ids).update(lease_until=ClockTimestamp(), lease_token=None)


def release_others(token: uuid.UUID, lane_ids: Collection[uuid.UUID]) -> None:
    """Give back all leases but these. What was begun on the others is found by who claims them."""
    others = held(token).exclude(pk__in=lane_ids)
    others.update(lease_until=ClockTimestamp(), lease_token=None)


def note_success(lane: Lane) -> None:
    """An answer with 2xx closes the breaker and forgets what went wrong before."""
    if lane.fail_streak == 0 and lane.failing_since is None:
        return
    seen, lane.fail_streak, lane.failing_since = lane.fail_streak, 0, None
    _save(lane, seen=seen, open_until=long_ago())


def note_failure(lane: Lane, *, now: datetime) -> bool:
    """Count a failure. True if the lane has to be left alone: the breaker opens, or it is disabled.

    While a breaker is open, what is due waits and uses up no tries.
    """
    window, seen = settings.DELIVERY_DISABLE_AFTER, lane.fail_streak
    stale = lane.last_failed_at is not None and now - lane.last_failed_at > 2 * window
    if lane.failing_since is None or stale:
        lane.failing_since, lane.fail_streak = now, 0
    lane.fail_streak, lane.last_failed_at = lane.fail_streak + 1, now
    if now - lane.failing_since >= window and lane.fail_streak >= FEWEST_FAILURES_TO_DISABLE:
        lane.disabled_at = now
        logger.error("lane %s is disabled: only failures since %s", lane, lane.failing_since)
    pause = _pause(lane.fail_streak)
    _save(lane, seen=seen, open_until=ClockTimestamp() + pause)
    return bool(pause) or lane.disabled_at is not None


def _pause(fail_streak: int) -> timedelta:
    """How long a receiver is left alone after this many failures in a row."""
    step = fail_streak - FAILURES_TO_OPEN
    if step < 0:
        return timedelta()
    pauses = settings.DELIVERY_BREAKER
    return timedelta(seconds=pauses[min(step, len(pauses) - 1)])


def _save(lane: Lane, *, seen: int, open_until: Any) -> None:
    """Unless a person switched it on since it was read: that counts more than one more failure."""
    Lane.objects.filter(pk=lane.pk, fail_streak=seen).update(
        fail_streak=lane.fail_streak,
        failing_since=lane.failing_since,
        last_failed_at=lane.last_failed_at,
        disabled_at=lane.disabled_at,
        open_until=open_until,
    )


def enable(lanes: QuerySet[Lane]) -> int:
    """Send to these receivers again, from now on. Returns how many had been left alone.

    One after the other: an engine may hold one of them and wait for another. Outside of a
    transaction nobody then waits in a circle.
    """
    left_alone = lanes.exclude(disabled_at=None, fail_streak=0)
    switched_on = {
        "disabled_at": None,
        "fail_streak": 0,
        "failing_since": None,
        "open_until": long_ago(),
    }
    ids = list(left_alone.values_list("pk", flat=True))
    return sum(left_alone.filter(pk=lane_id).update(**switched_on) for lane_id in ids)
