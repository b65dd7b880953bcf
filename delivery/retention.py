"""How long what was sent is kept, and the end of what waited too long.

Bodies and headers 30 days (the events feed promises them), attempts 90 days, the event itself
(ids, hash, times) one year. In small batches, so that no transaction is long.
"""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import OuterRef, Subquery

from delivery.clock import StatementTimestamp
from delivery.models import Attempt, Delivery, Event, State
from delivery.recording import give_up_old

BODY_KEPT = timedelta(days=30)
ATTEMPTS_KEPT = timedelta(days=90)
EVENTS_KEPT = timedelta(days=365)
BATCH = 500


def clean_up() -> dict[str, int]:
    """One batch of each kind. Returns how many rows of each were ended, emptied or removed."""
    return {
        "given up": _atomically(give_up_old),
        "emptied": _atomically(empty_events),
        "attempts removed": _atomically(remove_attempts),
        "events removed": _atomically(remove_events),
    }


def _atomically(step: Callable[..., int]) -> int:
    with transaction.atomic():
        return step(limit=BATCH)


def empty_events(*, limit: int) -> int:
    """Forget what events said, once nobody waits for it any more."""
    waiting = Delivery.objects.filter(
        event=OuterRef("pk"), state__in=[State.PENDING, State.SENDING]
    )
    # Looked up for each: joined, all deliveries would be read.
    old = Event.objects.alias(waiting=Subquery(waiting.values("pk")[:1])).filter(
        waiting=None, body__isnull=False, created_at__lt=StatementTimestamp() - BODY_KEPT
    )
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    Delivery.objects.filter(event__in=ids).update(headers_json=None)
    return Event.objects.filter(pk__in=ids).update(body=None)


def remove_attempts(*, limit: int) -> int:
    """Attempts are numbered in the order of their time, so the oldest come first."""
    oldest = list(Attempt.objects.order_by("pk").values_list("pk", flat=True)[:limit])
    over = Attempt.objects.filter(started_at__lt=StatementTimestamp() - ATTEMPTS_KEPT)
    removed, _ = over.filter(pk__in=oldest).delete()
    return removed


def remove_events(*, limit: int) -> int:
    """Events whose year is over, with their deliveries; their ids follow the time, too."""
    oldest = list(Event.objects.order_by("pk").values_list("pk", flat=True)[:limit])
    over = Event.objects.filter(created_at__lt=StatementTimestamp() - EVENTS_KEPT, body=None)
    removed, _ = over.filter(pk__in=oldest).delete()
    return removed
