"""How long is kept what only explains: steps of streamed replies, and agents' changes of status.

Both 90 days, in small batches; the latest change of each agent stays.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from accounts.ids import first_id
from inbox.models import Channel, StatusChange, StatusEvent

KEPT = timedelta(days=90)
BATCH = 500
MOST_BATCHES = 20


def forget_old(*, now: datetime) -> dict[str, int]:
    """Some of each kind; the next tick goes on. Returns how many rows went."""
    oldest = first_id(now - KEPT)
    return {
        "steps": _in_batches(StatusEvent.objects.filter(pk__lt=oldest)),
        "status changes": _in_batches(_old_changes(now)),
    }


def _in_batches(old: QuerySet[StatusEvent] | QuerySet[StatusChange]) -> int:
    removed = 0
    for _ in range(MOST_BATCHES):
        ids = list(old.order_by("pk").values_list("pk", flat=True)[:BATCH])
        removed += old.filter(pk__in=ids).delete()[0]
        if len(ids) < BATCH:
            break
    return removed


def _old_changes(now: datetime) -> QuerySet[StatusChange]:
    """Their numbers follow the time, so only the oldest rows are looked at."""
    later = StatusChange.objects.filter(channel=OuterRef("channel"), pk__gt=OuterRef("pk"))
    stay = Channel.objects.count()
    oldest = StatusChange.objects.order_by("pk").values("pk")[: BATCH + stay]
    return StatusChange.objects.filter(Exists(later), pk__in=oldest, changed_at__lt=now - KEPT)
