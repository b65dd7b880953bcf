"""Reads about deliveries and the engine."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import Workspace
from delivery.models import Delivery, EngineBeat, State

ENGINE_SILENT_AFTER = timedelta(seconds=30)
LATE_AFTER = timedelta(seconds=60)


def deliveries_about(workspace: Workspace, reference: str) -> QuerySet[Delivery]:
    """Every delivery about one thing, the newest first."""
    return (
        Delivery.objects.filter(event__workspace=workspace, event__reference=reference)
        .select_related("event")
        .order_by("-created_at", "-id")
    )


def engine_problem(now: datetime) -> str:
    """Why deliveries and expiry cannot be trusted to run; an empty string if they can."""
    if not EngineBeat.objects.filter(seen_at__gte=now - ENGINE_SILENT_AFTER).exists():
        return f"no worker was seen for {ENGINE_SILENT_AFTER.seconds} s"
    late = Delivery.objects.filter(
        state=State.PENDING,
        next_attempt_at__lt=now - LATE_AFTER,
        lane__disabled_at=None,
        lane__open_until__lt=now,
    )
    return f"deliveries are more than {LATE_AFTER.seconds} s late" if late.exists() else ""
