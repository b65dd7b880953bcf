"""What docs/webhooks.md says in tables and figures is what the settings and the code say."""

import re
import socket
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from delivery import backoff, keys, lanes, recording, retention
from delivery.engine import deliver_due
from delivery.models import Delivery
from inbox.models import Channel, Sender
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer
from reviews.services import Answer, answer_review, expire_due
from tests.conftest import Agent
from tests.factories import make_message, make_review, make_thread
from tests.guides import text_of
from tests.receiver import Receiver

GUIDE = text_of("webhooks.md")
WRAPPED = " ".join(GUIDE.split())
MINUTE, HALF_AN_HOUR, SIX_HOURS = timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=6)


@pytest.fixture
def hooked(channel: Channel, receiver: Receiver) -> Channel:
    return set_webhook(channel, webhook=Webhook(url=receiver.url))


def decide(channel: Channel, person: User) -> None:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    answer_review(make_review(channel=channel), answer=answer)


def spoken(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def in_words(waits: list[float]) -> str:
    *others, last = [spoken(wait) for wait in waits]
    return f"{', '.join(others)} and {last}"


def test_figures_of_the_guide_are_the_defaults(settings: Settings) -> None:
    first, *others = settings.DELIVERY_SCHEDULE
    pause, *longer = settings.DELIVERY_BREAKER
    days = settings.DELIVERY_DISABLE_AFTER.days
    said = [
        f"waits {spoken(first)}, then {in_words(others)}, each {backoff.JITTER:.0%}".replace(
            "%", " %"
        ),
        f"more than {spoken(settings.DELIVERY_GIVE_UP_AFTER.total_seconds())} old",
        f"up to {spoken(backoff.LONGEST_RETRY_AFTER.total_seconds())}",
        f"within {spoken(settings.EGRESS_ATTEMPT_SECONDS)}",
        f"for {spoken(pause)}, then after each further failure for {in_words(longer)}",
        f"only failed for {days} days",
        f"Bodies are kept for {retention.BODY_KEPT.days} days",
        f"from 0 to {keys.LONGEST_OVERLAP // timedelta(hours=1)} (24 if left out)",
    ]
    assert [text for text in said if text not in WRAPPED] == []
    assert (len(settings.DELIVERY_SCHEDULE) + 1, "ten attempts" in GUIDE) == (10, True)
    assert (lanes.FAILURES_TO_OPEN, "three failures in a row" in GUIDE) == (3, True)
    assert (lanes.FEWEST_FAILURES_TO_DISABLE, "ten times or more" in GUIDE) == (10, True)
    assert (keys.MOST_OLD_ONES, "at most three old secrets" in WRAPPED) == (3, True)
    assert (recording.CONFIRMATIONS, "when it comes twice" in GUIDE) == (2, True)
    assert (backoff.OVERLOADED_FLOOR, "at least a minute" in GUIDE) == (timedelta(minutes=1), True)
    assert (retention.EVENTS_KEPT.days, "for a year" in GUIDE) == (365, True)


ANSWERS: list[tuple[int, dict[str, str], timedelta]] = [
    (500, {}, timedelta(seconds=5)),
    (302, {"location": "http://127.0.0.1:1/"}, timedelta(seconds=5)),
    (429, {}, MINUTE),
    (502, {}, MINUTE),
    (503, {}, MINUTE),
    (504, {}, MINUTE),
    (500, {"retry-after": "1800"}, HALF_AN_HOUR),
    (503, {"retry-after": "1800"}, HALF_AN_HOUR),
    (503, {"retry-after": "86400"}, SIX_HOURS),
    (503, {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, SIX_HOURS),
    (503, {"retry-after": "1"}, MINUTE),
    (503, {"retry-after": "soon"}, MINUTE),
]


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_answer_makes_licet_wait_as_the_guide_says(
    hooked: Channel,
    person: User,
    receiver: Receiver,
    answer: tuple[int, dict[str, str], timedelta],
) -> None:
    status, headers, expected = answer
    receiver.answer = lambda _: (status, headers, b"")
    decide(hooked, person)
    before = timezone.now()
    deliver_due()
    wait = Delivery.objects.get().next_attempt_at - before
    assert expected * (1 - backoff.JITTER) <= wait <= expected * 1.2 + timedelta(seconds=5)


@pytest.mark.django_db
def test_silence_makes_licet_wait_a_minute(
    channel: Channel, person: User, settings: Settings
) -> None:
    settings.EGRESS_ATTEMPT_SECONDS = 0.3
    with socket.create_server(("127.0.0.1", 0)) as silent:
        set_webhook(channel, webhook=Webhook(url=f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        decide(channel, person)
        deliver_due()
    delivery = Delivery.objects.get()
    assert delivery.last_error == "no complete answer within 0.3 s"
    assert delivery.next_attempt_at - timezone.now() > timedelta(seconds=50)


@pytest.mark.django_db
def test_headers_of_the_guide_are_the_ones_that_are_sent(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    table = GUIDE.split("| header |")[1].split("\n\n")[0]
    named = set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE))
    decide(hooked, person)
    deliver_due()
    (request,) = receiver.received
    transport = {"host", "accept", "accept-encoding", "connection", "content-length"}
    assert request.headers.keys() - transport == named | {"content-type"}
    assert request.headers["x-licet-attempt"] == "1"


def keys_by_event() -> dict[str, set[str]]:
    table = GUIDE.split("| `event` |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `([\w:]+)` \|[^|]*\|(.*)\|$", table, re.MULTILINE)
    return {event: set(re.findall(r"`(\w+)`", keys_named)) for event, keys_named in rows}


@pytest.mark.django_db
def test_keys_of_the_guide_are_the_ones_of_the_bodies(
    channel: Channel, person: User, agent: Agent
) -> None:
    decide(channel, person)
    make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    make_message(channel, sender=Sender.USER, author=person)
    make_message(channel, thread=make_thread(channel))
    optional = {"feedback", "modifiedFileIds", "iterationGroupId", "iteration"}
    events = agent.get("/api/v1/events").json()["events"]
    assert {event["type"] for event in events} == keys_by_event().keys()
    for event in events:
        assert event["data"].keys() - {"event"} == keys_by_event()[event["type"]] - optional
