"""Sending everything again that failed for good, tests, and switching a receiver on."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from delivery.egress import origin_of
from delivery.engine import deliver_due
from delivery.models import Delivery, Event, GoneUrl, Lane, State
from inbox.models import Channel, DeliveryStatus, Message, Sender
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer, ReviewRequest
from reviews.resending import (
    NoReceiverError,
    failed_in,
    resend,
    resend_failed,
    send_test,
    switch_on,
)
from reviews.services import Answer, answer_review
from tests.factories import make_channel, make_message, make_review
from tests.receiver import Receiver

HOUR = timedelta(hours=1)


@pytest.fixture
def channel(channel: Channel, receiver: Receiver) -> Channel:
    return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))


def write(channel: Channel, person: User, text: str = "Hello") -> Message:
    return make_message(channel, sender=Sender.USER, author=person, text=text)


def decide(review: ReviewRequest, person: User) -> ReviewRequest:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    return answer_review(review, answer=answer)


def fail(now: datetime, state: State = State.EXHAUSTED) -> None:
    """Whatever waits has failed for good."""
    waiting = Delivery.objects.filter(state=State.PENDING)
    waiting.update(state=state, finished_at=now, attempts=1)


def event_of(message: Message) -> str:
    return Event.objects.get(reference=str(message.pk)).id


def test_each_event_that_failed_is_sent_once_with_its_id(
    channel: Channel, person: User, receiver: Receiver, now: datetime
) -> None:
    messages = []
    for state in (State.EXHAUSTED, State.GONE, State.BLOCKED):
        messages.append(write(channel, person))
        fail(now, state)
    assert resend_failed(channel, since=now - HOUR, now=now) == 3
    deliver_due()
    sent = [request.event_id for request in receiver.received]
    assert sorted(sent) == sorted(event_of(message) for message in messages)
    assert Delivery.objects.filter(replay_no=1, state=State.DELIVERED).count() == 3
    replayed = Delivery.objects.filter(replay_no=1).select_related("replay_of")
    assert all(row.replay_of and row.replay_of.event_id == row.event_id for row in replayed)
    statuses = Message.objects.values_list("delivery_status", flat=True)
    assert set(statuses) == {DeliveryStatus.DELIVERED}


def test_pressing_twice_sends_once(
    channel: Channel, person: User, receiver: Receiver, now: datetime
) -> None:
    write(channel, person)
    fail(now)
    assert resend_failed(channel, since=now - HOUR, now=now) == 1
    assert resend_failed(channel, since=now - HOUR, now=now) == 0
    deliver_due()
    assert resend_failed(channel, since=now - HOUR, now=now) == 0
    assert len(receiver.received) == 1


def test_what_waits_arrived_or_was_only_cancelled_is_left_alone(
    channel: Channel, person: User, receiver: Receiver, now: datetime
) -> None:
    arrived = write(channel, person)
    deliver_due()
    resend(arrived, now=now)
    fail(now)
    cancelled = write(channel, person)
    Delivery.objects.filter(event__reference=str(cancelled.pk)).update(
        state=State.CANCELLED, finished_at=now
    )
    write(channel, person)
    assert resend_failed(channel, since=now - HOUR, now=now) == 0


def test_only_what_failed_since_then_is_sent(channel: Channel, person: User, now: datetime) -> None:
    write(channel, person)
    fail(now - 2 * HOUR)
    assert resend_failed(channel, since=now - HOUR, now=now) == 0
    assert resend_failed(channel, since=now - 3 * HOUR, now=now) == 1


def test_long_retried_event_counts_from_its_failure(
    channel: Channel, person: User, now: datetime
) -> None:
    write(channel, person)
    Delivery.objects.update(created_at=now - timedelta(days=3))
    Event.objects.update(created_at=now - timedelta(days=3))
    fail(now)
    assert resend_failed(channel, since=now - HOUR, now=now) == 1


def test_erased_events_are_not_counted(channel: Channel, person: User, now: datetime) -> None:
    write(channel, person)
    fail(now)
    Event.objects.update(body=None)
    assert not failed_in(channel, since=now - HOUR).exists()
    assert resend_failed(channel, since=now - HOUR, now=now) == 0


def test_address_and_headers_of_today_are_used(
    channel: Channel, person: User, receiver: Receiver, now: datetime
) -> None:
    write(channel, person)
    fail(now)
    hook = Webhook(url=f"{receiver.url}/right", headers={"x-own": "1"})
    channel = set_webhook(channel, webhook=hook)
    resend_failed(channel, since=now - HOUR, now=now)
    deliver_due()
    (request,) = receiver.received
    assert (request.path, request.headers["x-own"]) == ("/right", "1")


def test_reviews_go_to_their_own_callbacks(
    channel: Channel, person: User, receiver: Receiver, now: datetime
) -> None:
    channel = set_webhook(channel, webhook=None)
    for name in ("a", "b"):
        callback = {
            "callback_url": f"{receiver.url}/{name}",
            "callback_method": "PUT",
            "callback_headers_json": "{}",
        }
        review = make_review(channel=channel)
        ReviewRequest.objects.filter(pk=review.pk).update(**callback)
        decide(ReviewRequest.objects.get(pk=review.pk), person)
    fail(now)
    assert resend_failed(channel, since=now - HOUR, now=now) == 2
    deliver_due()
    assert sorted((r.method, r.path) for r in receiver.received) == [("PUT", "/a"), ("PUT", "/b")]


def test_without_an_address_nothing_is_sent_and_it_stays_left(
    channel: Channel, person: User, now: datetime
) -> None:
    write(channel, person)
    fail(now)
    channel = set_webhook(channel, webhook=None)
    assert resend_failed(channel, since=now - HOUR, now=now) == 0
    assert failed_in(channel, since=now - HOUR).count() == 1


def test_oldest_go_first_and_the_rest_is_left(
    channel: Channel, person: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviews.resending.MOST_AT_ONCE", 3)
    monkeypatch.setattr("reviews.resending.BATCH", 2)
    events = [event_of(write(channel, person)) for _ in range(5)]
    fail(now)
    assert resend_failed(channel, since=now - HOUR, now=now) == 3
    waiting = Delivery.objects.filter(state=State.PENDING).values_list("event_id", flat=True)
    assert sorted(waiting) == events[:3]
    assert failed_in(channel, since=now - HOUR).count() == 2


def test_other_channels_stay_as_they_are(channel: Channel, person: User, now: datetime) -> None:
    write(make_channel(channel.workspace, webhook_url="https://a.example/"), person)
    write(make_channel(webhook_url="https://b.example/"), person)
    fail(now)
    assert resend_failed(channel, since=now - HOUR, now=now) == 0


def test_replay_opens_what_was_closed(channel: Channel, person: User, now: datetime) -> None:
    write(channel, person)
    fail(now, State.GONE)
    url = channel.webhook_url or ""
    digest = Delivery.objects.get().target_key
    GoneUrl.objects.create(workspace=channel.workspace, url=url, url_sha256=digest)
    Lane.objects.update(disabled_at=now, fail_streak=9, open_until=now + HOUR)
    resend_failed(channel, since=now - HOUR, now=now)
    assert not GoneUrl.objects.exists()
    assert deliver_due() == 1


def test_failed_tests_are_not_replayed(channel: Channel, now: datetime) -> None:
    send_test(channel, now=now)
    fail(now)
    assert resend_failed(channel, since=now - HOUR, now=now) == 0


def test_test_needs_an_address(channel: Channel, now: datetime) -> None:
    with pytest.raises(NoReceiverError):
        send_test(set_webhook(channel, webhook=None), now=now)


def test_test_after_one_that_ended_is_a_new_event(
    channel: Channel, receiver: Receiver, now: datetime
) -> None:
    for _ in range(2):
        send_test(channel, now=now)
        deliver_due()
    assert len({request.event_id for request in receiver.received}) == 2


def test_test_that_waits_follows_a_corrected_address(
    channel: Channel, receiver: Receiver, now: datetime
) -> None:
    send_test(channel, now=now)
    channel = set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/right"))
    send_test(channel, now=now)
    deliver_due()
    assert [request.path for request in receiver.received] == ["/right"]


def test_switching_on_leaves_other_receivers_off(
    channel: Channel, person: User, now: datetime
) -> None:
    write(channel, person)
    write(make_channel(channel.workspace, webhook_url="https://other.example/"), person)
    write(make_channel(webhook_url=channel.webhook_url), person)
    Lane.objects.update(disabled_at=now)
    switch_on(channel)
    on = Lane.objects.get(disabled_at=None)
    assert (on.workspace, on.origin) == (channel.workspace, origin_of(channel.webhook_url or ""))
