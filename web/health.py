"""How people, receivers and agents do: figures over time, and whether the engine runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.ids import uuid7
from accounts.models import Workspace
from api.calls import calls_of, unnamed_calls
from delivery.models import FAILED_STATES, Delivery, EngineBeat, State
from delivery.queries import ENGINE_SILENT_AFTER, LATE_AFTER
from reviews.models import ReviewRequest, Status
from web.charts import (
    Chart,
    Series,
    counted,
    measured,
    milliseconds_text,
    percent_text,
    seconds_text,
)
from web.figures import Steps, Tally, seconds_between, two_figures
from web.looks import Look
from web.times import clock_text

PERIODS = {"day": 24, "week": 7, "month": 30}  # hours, then days
type Grouped = Iterable[tuple[Any, ...]]

CLASSES = ("2", "4", "5")


def steps_of(period: str, now: datetime) -> Steps:
    number = PERIODS[period]
    return Steps.until(now, hours=number) if period == "day" else Steps.until(now, days=number)


def review_charts(workspace: Workspace, steps: Steps) -> list[Chart]:
    tally = Tally(steps)
    for step, status, took, number in _ended_reviews(workspace, steps):
        tally.add(status, step, number, took)
    return [_answers(tally, steps), _time_to_answer(tally, steps), _expired_share(tally, steps)]


def _ended_reviews(workspace: Workspace, steps: Steps) -> Grouped:
    ended = ReviewRequest.objects.filter(
        workspace=workspace,
        status__in=[Status.COMPLETED, Status.EXPIRED],
        decided_at__gte=steps.since,
    )
    grouped = ended.values_list(
        steps.number_of("decided_at"),
        "status",
        two_figures(seconds_between("created_at", "decided_at")),
    )
    return grouped.annotate(number=Count("pk")).order_by()


def _answers(tally: Tally, steps: Steps) -> Chart:
    answered = tally.counts(Status.COMPLETED)
    total = int(sum(answered))
    return counted(
        "answers",
        _("Answers"),
        ngettext("%(number)d review was answered.", "%(number)d reviews were answered.", total)
        % {"number": total},
        [Series(_("Answered"), "ok", answered)],
        steps.labels,
    )


def _time_to_answer(tally: Tally, steps: Steps) -> Chart:
    median = tally.quantile(0.5, Status.COMPLETED)
    summary = (
        _("Nothing was answered.")
        if median is None
        else _("Half of the answers came within %(time)s.") % {"time": seconds_text(median)}
    )
    series = [Series(_("Median"), "accent", tally.quantiles(0.5, Status.COMPLETED))]
    return measured("time", _("Time to answer"), summary, series, steps.labels, text=seconds_text)


def _expired_share(tally: Tally, steps: Steps) -> Chart:
    answered, expired = tally.counts(Status.COMPLETED), tally.counts(Status.EXPIRED)
    shares = [_share(no, yes + no) for yes, no in zip(answered, expired, strict=True)]
    whole = _share(sum(expired), sum(answered) + sum(expired))
    summary = (
        _("No review ended.")
        if whole is None
        else _("%(share)s of the reviews that ended were not answered in time.")
        % {"share": percent_text(whole)}
    )
    series = [Series(_("Expired"), "warn", shares)]
    return measured("expired", _("Expired share"), summary, series, steps.labels, text=percent_text)


def _share(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None


def delivery_chart(workspace: Workspace, steps: Steps) -> Chart:
    tally = Tally(steps)
    for step, state, number in _ended_deliveries(workspace, steps):
        tally.add("ok" if state == State.DELIVERED else "failed", step, number)
    ok, failed = tally.counts("ok"), tally.counts("failed")
    summary = _("%(ok)d deliveries arrived and %(failed)d failed for good.") % {
        "ok": sum(ok),
        "failed": sum(failed),
    }
    series = [Series(_("Arrived"), "ok", ok), Series(_("Failed"), "bad", failed)]
    return counted("deliveries", _("Deliveries"), summary, series, steps.labels)


def _ended_deliveries(workspace: Workspace, steps: Steps) -> Grouped:
    made = uuid7(steps.since - settings.DELIVERY_GIVE_UP_AFTER - timedelta(days=1))
    ended = Delivery.objects.filter(
        lane__workspace=workspace,
        pk__gte=made,
        finished_at__gte=steps.since,
        state__in=FAILED_STATES | {State.DELIVERED},
    )
    grouped = ended.values_list(steps.number_of("finished_at"), "state")
    return grouped.annotate(number=Count("pk")).order_by()


def call_charts(workspace: Workspace, steps: Steps) -> list[Chart]:
    tally = Tally(steps)
    grouped = calls_of(workspace, since=steps.since).values_list(
        steps.number_of("created_at"), F("status") / 100, two_figures(F("duration_ms"))
    )
    for step, status, took, number in grouped.annotate(number=Count("pk")).order_by():
        tally.add(str(status), step, number, took)
    return [_calls(tally, steps), _durations(tally, steps)]


def _calls(tally: Tally, steps: Steps) -> Chart:
    done, refused, failed = (tally.counts(each) for each in CLASSES)
    summary = _(
        "%(done)d calls succeeded, %(refused)d were refused (4xx), %(failed)d failed (5xx)."
    ) % {"done": sum(done), "refused": sum(refused), "failed": sum(failed)}
    series = [
        Series(_("Succeeded"), "ok", done),
        Series(_("Refused (4xx)"), "warn", refused),
        Series(_("Failed (5xx)"), "bad", failed),
    ]
    return counted("calls", _("API calls"), summary, series, steps.labels)


def _durations(tally: Tally, steps: Steps) -> Chart:
    half, most = tally.quantile(0.5, *CLASSES), tally.quantile(0.95, *CLASSES)
    summary = (
        _("No call was logged.")
        if half is None or most is None
        else _("Half of the calls took up to %(half)s, 95 of 100 up to %(most)s.")
        % {"half": milliseconds_text(half), "most": milliseconds_text(most)}
    )
    series = [
        Series(_("95 of 100 (p95)"), "faint", tally.quantiles(0.95, *CLASSES)),
        Series(_("Half (p50)"), "accent", tally.quantiles(0.5, *CLASSES)),
    ]
    return measured(
        "durations",
        _("Duration of API calls"),
        summary,
        series,
        steps.labels,
        text=milliseconds_text,
    )


@dataclass(frozen=True)
class Sign:
    """One line about what runs: how it stands, in words."""

    look: Look
    text: str


def signs_of(workspace: Workspace, now: datetime) -> list[Sign]:
    return [_engine(now), _deliveries(workspace, now), _reviews(workspace, now)]


def _engine(now: datetime) -> Sign:
    beats = EngineBeat.objects.order_by("-seen_at").values_list("seen_at", flat=True)
    seen = beats.first()
    if seen is None:
        return Sign(Look("warn", _("No worker"), "bad"), _("No worker was ever seen."))
    text = _("A worker was last seen at %(time)s.") % {"time": clock_text(seen, seconds=True)}
    if now - seen > ENGINE_SILENT_AFTER:
        return Sign(Look("warn", _("Worker silent"), "bad"), text)
    return Sign(Look("check", _("Worker runs"), "ok"), text)


def _deliveries(workspace: Workspace, now: datetime) -> Sign:
    due = Delivery.objects.filter(
        lane__workspace=workspace,
        state=State.PENDING,
        next_attempt_at__lt=now,
        lane__disabled_at=None,
        lane__open_until__lt=now,
    )
    oldest = due.aggregate(oldest=Min("next_attempt_at"))["oldest"]
    if oldest is None:
        return Sign(Look("check", _("Deliveries on time"), "ok"), _("No delivery is due."))
    text = _("The oldest due delivery should have left at %(time)s.")
    told = text % {"time": clock_text(oldest, seconds=True)}
    if now - oldest > LATE_AFTER:
        return Sign(Look("warn", _("Deliveries late"), "bad"), told)
    return Sign(Look("check", _("Deliveries on time"), "ok"), told)


def _reviews(workspace: Workspace, now: datetime) -> Sign:
    overdue = ReviewRequest.objects.filter(
        workspace=workspace, status=Status.PENDING, expires_at__lt=now
    )
    oldest = overdue.aggregate(oldest=Min("expires_at"))["oldest"]
    if oldest is None:
        return Sign(Look("check", _("Reviews on time"), "ok"), _("No review is overdue."))
    text = _("The oldest overdue review should have expired at %(time)s.")
    told = text % {"time": clock_text(oldest, seconds=True)}
    if now - oldest > LATE_AFTER:
        return Sign(Look("warn", _("Reviews overdue"), "bad"), told)
    return Sign(Look("check", _("Reviews on time"), "ok"), told)


def calls_without_a_key(steps: Steps) -> int:
    """To the whole server: nobody can say whose they were."""
    return unnamed_calls(since=steps.since)
