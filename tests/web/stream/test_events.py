"""What an open page hears, over a real server, and what it does not."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from delivery.models import Delivery, State
from delivery.signals import deliveries_finished
from inbox.models import Channel, DeliveryStatus, Sender, StreamState
from inbox.services.channels import delete_channel, describe_channel
from inbox.services.messages import delete_message, set_delivery_status
from inbox.services.streams import note_step, update_stream
from reviews.models import Closer, ReviewRequest
from reviews.reading import mark_read, mark_unread
from reviews.services import Answer, answer_review, expire_due
from tests.factories import make_channel, make_message, make_person, make_review
from tests.web.stream.conftest import Server
from tests.web.stream.listening import Heard, Tab, cookie_of

pytestmark = pytest.mark.django_db(transaction=True)


def approve(review: ReviewRequest, person: User) -> None:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    answer_review(ReviewRequest.objects.get(pk=review.pk), answer=answer)


def named(heard: Heard) -> tuple[str, Any]:
    return heard.name, heard.data


def about(name: str, row: Any, channel: Channel) -> tuple[str, Any]:
    return name, {"id": str(row.pk), "channel": str(channel.pk)}


def test_review_is_told_when_it_is_asked_and_when_it_is_answered(
    tab: Tab, channel: Channel, person: User
) -> None:
    started = time.monotonic()
    review = make_review(channel=channel)
    assert named(tab.next()) == about("review-created", review, channel)
    assert time.monotonic() - started < 1
    approve(review, person)
    assert named(tab.next()) == about("review-changed", review, channel)


def test_expired_review_is_told(tab: Tab, channel: Channel) -> None:
    review = make_review(channel=channel, expires_in=timedelta(seconds=-5))
    assert tab.next().name == "review-created"
    assert expire_due(limit=10) == 1
    assert named(tab.next()) == about("review-changed", review, channel)


def test_what_is_rolled_back_is_never_told(tab: Tab, channel: Channel) -> None:
    with transaction.atomic():
        make_review(channel=channel)
        transaction.set_rollback(True)
    kept = make_message(channel)
    assert named(tab.next()) == about("message-created", kept, channel)


def test_nothing_is_told_before_the_commit(tab: Tab, channel: Channel) -> None:
    with transaction.atomic():
        make_review(channel=channel)
        heard_early: list[Heard] = []
        listening = threading.Thread(target=lambda: heard_early.append(tab.next()))
        listening.start()
        listening.join(timeout=0.3)
        assert heard_early == []
    listening.join(timeout=5)
    assert heard_early[0].name == "review-created"


def test_messages_are_told_with_what_happens_to_them(tab: Tab, channel: Channel) -> None:
    message = make_message(channel, sender=Sender.USER)
    assert named(tab.next()) == about("message-created", message, channel)
    set_delivery_status(message_ids=[message.pk], status=DeliveryStatus.DELIVERED)
    assert named(tab.next()) == about("delivery-changed", message, channel)
    delete_message(message)
    assert named(tab.next()) == about("message-deleted", message, channel)


def test_streamed_reply_is_told_as_it_grows(tab: Tab, channel: Channel) -> None:
    now = timezone.now()
    draft = make_message(channel, stream_id="s1", stream_state=StreamState.STREAMING)
    assert named(tab.next()) == about("message-created", draft, channel)
    note_step(channel, stream_id="s1", text="reads", tool_hint=False, now=now)
    assert named(tab.next()) == about("message-changed", draft, channel)
    update_stream(channel, stream_id="s1", text="Half", now=now)
    assert named(tab.next()) == about("message-changed", draft, channel)
    note_step(channel, stream_id="without a draft", text="reads", tool_hint=False, now=now)
    later = make_message(channel)
    assert named(tab.next()) == about("message-created", later, channel)


def test_end_of_a_delivery_is_told(tab: Tab, channel: Channel) -> None:
    channel.webhook_url = "http://127.0.0.1:9/hook"
    channel.save()
    message = make_message(channel, sender=Sender.USER)
    assert tab.next().name == "message-created"
    delivery = Delivery.objects.select_related("event").get()
    delivery.state = State.DELIVERED
    with transaction.atomic():
        deliveries_finished.send(sender=Delivery, deliveries=[delivery])
    assert named(tab.next()) == about("delivery-changed", message, channel)


def test_channel_is_told_when_it_changes_and_when_it_goes(tab: Tab, channel: Channel) -> None:
    describe_channel(channel, name="Borealis")
    assert named(tab.next()) == about("channel-changed", channel, channel)
    pk = str(channel.pk)
    delete_channel(channel)
    assert named(tab.next()) == ("channel-changed", {"id": pk, "channel": pk})


def test_reading_is_told_to_the_reader_only(server: Server, channel: Channel, person: User) -> None:
    review = make_review(channel=channel)
    told = about("read-changed", review, channel)
    colleague = make_person(channel.workspace)
    with Tab(server.url, cookie_of(colleague)) as theirs, Tab(server.url, cookie_of(person)) as own:
        mark_read(review=review, user=person, now=timezone.now())
        assert named(own.next()) == told
        mark_unread(review=review, user=person)
        assert named(own.next()) == told
        last = make_message(channel)
        assert named(own.next()) == about("message-created", last, channel)
        assert named(theirs.next()) == about("message-created", last, channel)


def test_stranger_hears_nothing_of_another_workspace(server: Server, channel: Channel) -> None:
    stranger = make_person()
    (home,) = [each.workspace for each in stranger.memberships.all()]
    with Tab(server.url, cookie_of(stranger)) as theirs:
        make_review(channel=channel)
        own = make_channel(home)
        message = make_message(own)
        assert named(theirs.next()) == about("message-created", message, own)


def test_numbers_are_told_at_once_and_then_at_most_once_a_second(
    tab: Tab, channel: Channel
) -> None:
    started = time.monotonic()
    for _ in range(20):
        make_message(channel)
    heard = [tab.next(counts=True)]
    while sum(each.name == "counts" for each in heard) < 2:
        heard.append(tab.next(counts=True))
    assert time.monotonic() - started >= 0.9
    assert heard[0].name == "message-created"
    assert heard[1].name == "counts" or heard[2].name == "counts"
    assert sum(each.name == "message-created" for each in heard) == 20
    assert {(each.id, str(each.data)) for each in heard if each.name == "counts"} == {("", "{}")}


def test_events_carry_no_content(tab: Tab, channel: Channel) -> None:
    make_message(channel, text="a secret")
    heard = tab.next()
    assert set(heard.data) == {"id", "channel"}
    assert heard.id
