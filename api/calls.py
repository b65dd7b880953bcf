"""Reads of the log of agents' calls, and how long it is kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum

from accounts.ids import uuid7
from accounts.models import Workspace
from api.models import Call, CallBodies, UnnamedCalls

__all__ = ["Call", "calls_of", "forget_calls", "unnamed_calls"]

BATCH = 500
MOST_BATCHES = 20
COUNTS_KEPT = timedelta(days=30)


def calls_of(workspace: Workspace, *, since: datetime | None = None) -> QuerySet[Call]:
    """The calls of a workspace's keys, the newest first."""
    calls = Call.objects.filter(workspace=workspace).order_by("-pk")
    return calls if since is None else calls.filter(pk__gte=uuid7(since))


def unnamed_calls(*, since: datetime) -> int:
    """How many calls to the whole server showed no good key."""
    return UnnamedCalls.objects.filter(hour__gte=since).aggregate(all=Sum("number"))["all"] or 0


def forget_calls(now: datetime) -> int:
    """Remove what is too old, and what a workspace has too much of. Returns the number of calls.

    Bodies that take too much room go before their calls.
    """
    UnnamedCalls.objects.filter(hour__lt=now - COUNTS_KEPT).delete()
    old = Call.objects.filter(pk__lt=uuid7(now - settings.API_LOG_KEPT))
    workspaces = list(Workspace.objects.values_list("pk", flat=True))
    removed = _remove(old.order_by("pk")) + sum(map(_remove, _surplus(workspaces)))
    for workspace in workspaces:
        _forget_bodies(workspace)
    return removed


def _surplus(workspaces: Sequence[UUID]) -> list[QuerySet[Call]]:
    """For each workspace with too many calls: those beyond the newest that are kept."""
    found = []
    for workspace in workspaces:
        calls = Call.objects.filter(workspace=workspace).order_by("-pk")
        first = calls.values_list("pk", flat=True)[settings.API_LOG_MOST :][:1]
        found += [calls.filter(pk__lte=pk) for pk in first]
    return found


def _remove(calls: QuerySet[Call]) -> int:
    """In short transactions, and only so many: the next tick goes on."""
    removed = 0
    for _ in range(MOST_BATCHES):
        ids = list(calls.values_list("pk", flat=True)[:BATCH])
        CallBodies.objects.filter(pk__in=ids).delete()
        removed += Call.objects.filter(pk__in=ids).delete()[0]
        if len(ids) < BATCH:
            break
    return removed


def _forget_bodies(workspace: UUID) -> None:
    """The oldest bodies of a workspace, until the rest has room. An index knows their sizes."""
    bodies = CallBodies.objects.filter(workspace=workspace)
    for _ in range(MOST_BATCHES):
        excess = (bodies.aggregate(all=Sum("size"))["all"] or 0) - settings.API_LOG_BODIES_MOST
        oldest = bodies.order_by("pk").values_list("pk", "size")[:BATCH]
        before = accumulate((size for _, size in oldest), initial=0)
        ids = [pk for (pk, _), gone in zip(oldest, before, strict=False) if gone < excess]
        bodies.filter(pk__in=ids).delete()
        if len(ids) < BATCH:
            break
