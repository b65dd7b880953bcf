"""The charts: right figures on both databases, words for those who do not see, and no script."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from api.models import UnnamedCalls
from delivery.models import Delivery, EngineBeat, State
from inbox.models import Channel
from reviews.models import ReviewRequest, Status
from tests.factories import make_call, make_channel, make_review
from tests.web.conftest import signed_in
from tests.web.test_activity import make_expired
from web.charts import (
    HEIGHT,
    Series,
    milliseconds_text,
    overlaid,
    percent_text,
    seconds_text,
    stacked,
)
from web.figures import Steps, quantile
from web.health import call_charts, delivery_chart, review_charts, signs_of

NOON = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def make_answered(channel: Channel, at: datetime, took: timedelta) -> ReviewRequest:
    review = make_review(channel=channel, now=at - took, expires_in=timedelta(days=2))
    ReviewRequest.objects.filter(pk=review.pk).update(
        status=Status.COMPLETED, decided_at=at, created_at=at - took, response_json="{}"
    )
    return review


def last_day() -> Steps:
    return Steps.until(NOON, hours=24)


def test_answers_are_counted_in_their_hour(workspace: Workspace, channel: Channel) -> None:
    make_answered(channel, NOON, timedelta(seconds=40))
    make_answered(channel, NOON - timedelta(minutes=29), timedelta(seconds=60))
    make_answered(channel, NOON - timedelta(hours=5), timedelta(hours=3))
    make_answered(channel, NOON - timedelta(hours=30), timedelta(seconds=1))
    answers, time, expired = review_charts(workspace, last_day())
    assert answers.summary == "3 reviews were answered."
    assert list(answers.series[0].values) == [0] * 18 + [1] + [0] * 4 + [2]
    assert answers.rows[-1] == ("12:00", ["2"])
    assert time.series[0].values[-1] == 40
    assert time.series[0].values[18] == 10_000  # two figures of three hours
    assert time.summary == "Half of the answers came within 1.0 min."
    assert time.rows[0] == ("13:00", ["\u2013"])
    assert expired.summary.startswith("0 % ")


def test_expired_share_is_of_what_ended(workspace: Workspace, channel: Channel) -> None:
    now = timezone.now()
    make_expired(channel)
    for _ in range(3):
        make_answered(channel, now, timedelta(seconds=5))
    _answers, _time, expired = review_charts(workspace, Steps.until(now, hours=24))
    assert expired.summary == "25 % of the reviews that ended were not answered in time."


def test_days_are_those_of_the_zone(
    workspace: Workspace, channel: Channel, settings: Settings
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    with timezone.override("Asia/Tokyo"):
        make_answered(channel, datetime(2026, 11, 19, 16, tzinfo=UTC), timedelta(seconds=5))
        answers = review_charts(workspace, Steps.until(NOON, days=7))[0]
    assert answers.rows[-1] == ("20 Nov", ["1"])
    assert answers.rows[-2] == ("19 Nov", ["0"])


def test_deliveries_are_told_apart(workspace: Workspace) -> None:
    called = make_channel(workspace, webhook_url="https://agent.example/hook")
    for state, number in ((State.DELIVERED, 3), (State.EXHAUSTED, 1), (State.GONE, 1)):
        for _ in range(number):
            make_expired(called)
            Delivery.objects.filter(state=State.PENDING).update(
                state=state, finished_at=timezone.now()
            )
    make_expired(called)
    chart = delivery_chart(workspace, Steps.until(timezone.now(), hours=24))
    assert chart.summary == "3 deliveries arrived and 2 failed for good."


def test_calls_are_told_apart_and_timed(workspace: Workspace) -> None:
    for number in range(100):
        took = 2000 if number >= 94 else 8
        status = 500 if number == 0 else 404 if number < 5 else 201
        make_call(workspace, NOON, status=status, duration_ms=took)
    calls, durations = call_charts(workspace, last_day())
    assert calls.summary == "95 calls succeeded, 4 were refused (4xx), 1 failed (5xx)."
    assert calls.rows[-1] == ("12:00", ["95", "4", "1"])
    assert durations.summary == "Half of the calls took up to 8 ms, 95 of 100 up to 2.0 s."


def test_page_draws_bars_and_offers_a_table(
    browser: Client, workspace: Workspace, now: datetime
) -> None:
    make_call(workspace, now)
    for period in ("day", "week", "month", "nonsense"):
        page = browser.get(f"/activity/health/?period={period}").content.decode()
        assert re.search(r'<rect class="ok" x="[\d.]+" y="[\d.]+" width="[\d.]+"', page)
        assert "Show as table" in page
        assert "1 calls succeeded, 0 were refused" in page
        assert "<script>" not in page


def test_nothing_to_chart_is_said(browser: Client) -> None:
    page = browser.get("/activity/health/").content.decode()
    assert "No review ended." in page
    assert "No call was logged." in page
    assert "<rect" not in page


def texts(workspace: Workspace, now: datetime) -> list[str]:
    return [sign.look.label for sign in signs_of(workspace, now)]


def test_signs_say_what_does_not_run(workspace: Workspace, channel: Channel, now: datetime) -> None:
    assert texts(workspace, now) == ["No worker", "Deliveries on time", "Reviews on time"]
    EngineBeat.objects.create(name="a", seen_at=now - timedelta(seconds=5))
    make_expired(make_channel(workspace, webhook_url="https://agent.example/hook"))
    make_review(channel=channel, now=now, expires_in=timedelta(minutes=1))
    assert texts(workspace, now) == ["Worker runs", "Deliveries on time", "Reviews on time"]
    later = now + timedelta(minutes=5)
    assert texts(workspace, later) == ["Worker silent", "Deliveries late", "Reviews overdue"]


def test_only_operators_learn_of_calls_without_a_key(
    browser: Client, person: User, workspace: Workspace, now: datetime
) -> None:
    UnnamedCalls.objects.create(hour=now.replace(minute=0, second=0, microsecond=0), number=7)
    assert b"no good key" not in browser.get("/activity/health/").content
    person.is_staff = True
    person.save()
    assert b"7 calls to this server showed no good key" in (
        signed_in(person).get("/activity/health/").content
    )


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_quantile_of_nothing_is_nothing(share: float) -> None:
    assert quantile(Counter(), share) is None
    assert quantile(Counter({7: 3}), share) == 7


def test_stacked_bars_fill_the_height_and_do_not_overlap() -> None:
    low, high = stacked([Series("a", "ok", [1]), Series("b", "bad", [3])])
    assert low.y + low.height == HEIGHT
    assert high.y == 0
    assert high.y + high.height == low.y


def test_small_bar_is_still_seen() -> None:
    small = overlaid([Series("a", "ok", [1, 100_000])])[0]
    assert small.height > 1
    assert small.y + small.height == HEIGHT


def test_figures_in_words() -> None:
    assert milliseconds_text(999) == "999 ms"
    assert milliseconds_text(1500) == "1.5 s"
    assert [seconds_text(value) for value in (59, 90, 5400, 180_000)] == [
        "59 s",
        "1.5 min",
        "1.5 h",
        "2.1 d",
    ]
    assert percent_text(33.4) == "33 %"


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Asia/Kolkata", "2026-11-19 18:29:59", "2026-11-19 18:30:00"),  # half past the hour
        ("Europe/Berlin", "2026-10-24 21:59:59", "2026-10-24 22:00:00"),  # a day of 25 hours begins
        ("Europe/Berlin", "2026-10-25 22:59:59", "2026-10-25 23:00:00"),  # and ends
    ],
)
def test_day_begins_at_midnight_of_the_zone(
    workspace: Workspace, channel: Channel, zone: str, before: str, after: str
) -> None:
    times = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (before, after)]
    for at in times:
        make_answered(channel, at, timedelta(seconds=5))
    with timezone.override(zone):
        answers = review_charts(workspace, Steps.until(times[1] + timedelta(hours=30), days=7))[0]
    assert list(answers.series[0].values) == [0, 0, 0, 0, 1, 1, 0]
