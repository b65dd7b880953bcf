"""How long is kept what only explains: steps of streamed replies, and agents' changes of status.

Both 90 days, in small batches; the latest change of each agent stays.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, OuterRef, Subquery

from accounts.ids import first_id
from inbox.models import Channel, StatusChange, StatusEvent

KEPT = timedelta(days=90)
BATCH = 500
MOST_BATCHES = 20


def forget_old(*, now: datetime) -> dict[str, int]:
    """Some of each kind; the next tick goes on. Returns how many rows went."""
    return {"steps": _forget_steps(now), "status changes": _forget_changes(now)}


def _forget_steps(now: datetime) -> int:
    old = StatusEvent.objects.filter(pk__lt=first_id(now - KEPT)).order_by("pk")
    return _in_batches(StatusEvent, lambda: list(old.values_list("pk", flat=True)[:BATCH]))


def _forget_changes(now: datetime) -> int:
    return _in_batches(StatusChange, lambda: _old_changes(now))


def _old_changes(now: datetime) -> list[int]:
    """Their numbers follow the time, so only the oldest rows are looked at, and those that stay."""
    latest = StatusChange.objects.filter(channel=OuterRef("pk")).order_by("-pk")
    stay = set(Channel.objects.values_list(Subquery(latest.values("pk")[:1]), flat=True))
    oldest = StatusChange.objects.order_by("pk").values_list("pk", "changed_at")
    seen = oldest[: BATCH + len(stay)]
    return [pk for pk, at in seen if at < now - KEPT and pk not in stay][:BATCH]


def _in_batches(model: type[Model], find: Callable[[], list[Any]]) -> int:
    removed = 0
    for _ in range(MOST_BATCHES):
        ids = find()
        removed += model._default_manager.filter(pk__in=ids).delete()[0]  # noqa: SLF001  # documented
        if len(ids) < BATCH:
            break
    return removed
