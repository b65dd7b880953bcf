"""Reads about deliveries, their receivers, and the engine."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, Prefetch, Q, QuerySet, Subquery

from accounts.ids import uuid7
from accounts.models import Workspace
from delivery.egress import origin_of
from delivery.models import (
    FAILED_STATES,
    FINAL_STATES,
    Attempt,
    Delivery,
    EngineBeat,
    Event,
    GoneUrl,
    Lane,
    State,
)
from delivery.outbox import key_of, slot_of

ENGINE_SILENT_AFTER = timedelta(seconds=30)
LATE_AFTER = timedelta(seconds=60)


def deliveries_about(workspace: Workspace, reference: str) -> QuerySet[Delivery]:
    """Every delivery about one thing, the newest first."""
    return (
        Delivery.objects.filter(event__workspace=workspace, event__reference=reference)
        .select_related("event", "lane")
        .order_by("-created_at", "-id")
    )


def log_about(workspace: Workspace, reference: str, *, most: int) -> list[Delivery]:
    """The newest deliveries about one thing, with lanes and attempts, without what they say.

    `kept` tells whether it could still be sent.
    """
    attempts = Prefetch("attempt_log", Attempt.objects.order_by("number"))
    found = deliveries_about(workspace, reference).prefetch_related(attempts)
    found = found.defer("headers_json", "event__body")
    return list(found.annotate(kept=Q(event__body__isnull=False))[:most])


def undelivered(workspace: Workspace, references: Collection[str]) -> dict[str, Delivery]:
    """What has not arrived, by what it is about: the newest delivery, unless it was delivered."""
    events = Event.objects.filter(workspace=workspace, reference__in=references)
    rows = Delivery.objects.filter(event__in=events).select_related("event", "lane")
    rows = rows.defer("headers_json", "event__body").order_by("created_at", "id")
    newest = {row.event.reference: row for row in rows}
    return {key: row for key, row in newest.items() if row.state != State.DELIVERED}


def deliveries_of(workspace: Workspace, scope: str) -> QuerySet[Delivery]:
    """Every delivery of one channel, the newest first; without what it says."""
    found = Delivery.objects.filter(event__workspace=workspace, signing_scope=scope)
    found = found.select_related("event", "lane").defer("headers_json", "event__body")
    return found.order_by("-created_at", "-id")


def failed_events(workspace: Workspace, scope: str, *, since: datetime) -> QuerySet[Event]:
    """What failed for good since then and neither arrived nor waits, the oldest first.

    What was said is kept for a month; what is erased cannot be sent again.
    """
    hopeful = Delivery.objects.filter(event=OuterRef("pk"))
    hopeful = hopeful.exclude(state__in=FAILED_STATES | {State.CANCELLED})
    failed = _failed(scope, since=since).values("event")
    events = Event.objects.filter(~Exists(hopeful), pk__in=failed)
    return events.filter(workspace=workspace, body__isnull=False).order_by("pk")


def _failed(scope: str, *, since: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        signing_scope=scope, state__in=FAILED_STATES, finished_at__gte=since
    )


@dataclass(frozen=True)
class Health:
    """How the receiver of one channel does; `off` are its receivers that are switched off."""

    lane: Lane | None
    off: Sequence[Lane]
    gone_since: datetime | None
    last_success_at: datetime | None
    waiting: int
    failed: int


FAILED_WITHIN = timedelta(days=7)


def health_of(workspace: Workspace, scope: str, *, url: str | None, now: datetime) -> Health:
    """`url` is where the channel's events go today, if it has an address of its own."""
    origin = origin_of(url) if url else None
    known = list(receivers_of(workspace, scope, origin=origin))
    lane = next((lane for lane in known if lane.origin == origin), None)
    gone = GoneUrl.objects.filter(workspace=workspace, url_sha256=key_of(url or ""))
    return Health(
        lane=lane,
        off=[lane for lane in known if lane.disabled_at],
        gone_since=gone.values_list("since", flat=True).first(),
        last_success_at=_last_success(workspace, scope, lane),
        **_counts(workspace, scope, now),
    )


def receivers_of(workspace: Workspace, scope: str, *, origin: str | None) -> QuerySet[Lane]:
    """The lane to this origin, and every lane of the channel that is switched off."""
    used = Exists(Delivery.objects.filter(lane=OuterRef("pk"), signing_scope=scope))
    own = Q(origin=origin or "", slot=slot_of(scope))
    off = Q(disabled_at__isnull=False) & used
    return Lane.objects.filter(own | off, workspace=workspace).order_by("disabled_at", "origin")


def is_off(workspace: Workspace, scope: str, *, url: str | None) -> bool:
    """Whether a receiver of the channel is switched off, by us or by a 410 of its own."""
    lanes = receivers_of(workspace, scope, origin=origin_of(url) if url else None)
    off = lanes.filter(disabled_at__isnull=False)
    gone = GoneUrl.objects.filter(workspace=workspace, url_sha256=key_of(url or ""))
    return Workspace.objects.filter(Exists(off) | Exists(gone), pk=workspace.pk).exists()


def _last_success(workspace: Workspace, scope: str, lane: Lane | None) -> datetime | None:
    found = deliveries_of(workspace, scope).filter(state=State.DELIVERED)
    if lane is not None:
        found = found.filter(lane=lane)
    return found.values_list("finished_at", flat=True).first()


def _counts(workspace: Workspace, scope: str, now: datetime) -> dict[str, int]:
    """What was made before the longest wait began cannot wait any more."""
    made = now - settings.DELIVERY_GIVE_UP_AFTER - timedelta(days=1)
    waiting = Delivery.objects.filter(
        signing_scope=scope, created_at__gte=made, state__in=[State.PENDING, State.SENDING]
    )
    failed = _failed(scope, since=now - FAILED_WITHIN)
    return {
        "waiting": waiting.filter(event__workspace=workspace).count(),
        "failed": failed.filter(event__workspace=workspace).count(),
    }


MOST_OFF = 40


def receivers_off(workspace: Workspace) -> list[tuple[str, str]]:
    """Origins that are switched off, the latest first, with the scope that used each last."""
    latest = Delivery.objects.filter(lane=OuterRef("pk")).order_by("-id")
    off = Lane.objects.filter(workspace=workspace, disabled_at__isnull=False)
    scopes = off.annotate(scope=Subquery(latest.values("signing_scope")[:1]))
    rows = scopes.order_by("-disabled_at").values_list("origin", "scope")[:MOST_OFF]
    return [(origin, scope or "") for origin, scope in rows]


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


@dataclass(frozen=True)
class Overview:
    """What operators see first. `ended` are the states of what was made in the last day."""

    waiting: int
    sending: int
    oldest_waiting: datetime | None
    off: int
    ended: Sequence[tuple[str, int]]


def overview(now: datetime) -> Overview:
    """Only partial indexes and the newest ids are read, however long the history is."""
    waiting = Delivery.objects.filter(state=State.PENDING)
    made = Delivery.objects.filter(pk__gte=uuid7(now - timedelta(days=1)))
    ended = made.filter(state__in=FINAL_STATES).values_list("state")
    counts = dict(ended.annotate(number=Count("pk")).order_by())
    return Overview(
        **waiting.aggregate(waiting=Count("pk"), oldest_waiting=Min("created_at")),
        sending=Delivery.objects.filter(state=State.SENDING).count(),
        off=Lane.objects.filter(disabled_at__isnull=False).count(),
        ended=[(str(State(state).label), counts[state]) for state in sorted(counts)],
    )
