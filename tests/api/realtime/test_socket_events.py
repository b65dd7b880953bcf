"""Socket.IO `/ws`: who is told what."""

from datetime import timedelta

import pytest
import socketio
from django.utils import timezone

from accounts.models import User
from inbox.models import Channel, ChannelStatus, DeliveryStatus, Sender
from inbox.services.channels import Webhook, note_status, set_webhook
from inbox.services.messages import acknowledge, delete_message, set_delivery_status
from inbox.services.streams import note_step, update_stream
from reviews.models import Closer
from reviews.services import Answer, answer_review, expire_due
from tests.api.realtime.running import Running, client, next_event, settle, subscribe
from tests.factories import (
    make_message,
    make_review,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_message_is_told_to_channel_and_people(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel
) -> None:
    message = make_message(channel, text="hello")
    for sio in (agent, page):
        name, body = next_event(sio)
        assert (name, body["id"], body["text"]) == ("message:created", str(message.pk), "hello")
        assert body["agentName"] == "Atlas"


def test_persons_message_carries_no_agent_name(
    agent: socketio.SimpleClient, channel: Channel, person: User
) -> None:
    make_message(channel, sender=Sender.USER, author=person)
    name, body = next_event(agent)
    assert (name, body["senderType"]) == ("message:created", "user")
    assert "agentName" not in body


def test_socket_in_both_rooms_hears_an_event_once(
    page: socketio.SimpleClient, channel: Channel
) -> None:
    subscribe(page, channel.pk)
    make_message(channel)
    make_message(channel, text="second")
    texts = [next_event(page)[1]["text"] for _ in range(2)]
    assert texts == ["Hello", "second"]
    assert settle(page) == []


def test_answer_is_told_without_passwords_and_credentials(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel, person: User
) -> None:
    hook = Webhook("http://127.0.0.1:8999/", {"x-token": "secret-1"}, "u", "secret-2")
    set_webhook(channel, webhook=hook)
    form = {"fields": [{"name": "pw", "type": "password"}]}
    review = make_review("form", form, channel=channel)
    said = Answer(response={"pw": "hunter2"}, by=person, via=Closer.PAGE)
    answer_review(review, answer=said)
    for sio in (agent, page):
        (_, created), (name, body) = next_event(sio), next_event(sio)
        assert created["id"] == body["id"] == str(review.pk)
        assert (name, body["review"]["status"]) == ("review:responded", "completed")
        assert body["review"]["response"] == {"pw": "***REDACTED***"}
        assert body["agent"]["webhookAuth"] == {"username": "u", "password": "***"}
        assert not [s for s in ("secret-1", "secret-2", "hunter2") if s in str(body)]


def test_expiry_delivery_and_deletion_are_told(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel
) -> None:
    late = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    acknowledge(late.message)
    set_delivery_status(message_ids=[late.pk], status=DeliveryStatus.FAILED)
    delete_message(late.message)
    message_id = str(late.pk)
    for sio in (agent, page):
        assert next_event(sio)[0] == "message:created"
        assert next_event(sio) == ("review:expired", {"messageId": message_id})
        received = {"messageId": message_id, "deliveryStatus": "agent_received"}
        assert next_event(sio) == ("message:delivery", received)
        gone = {"messageId": message_id, "channelId": str(channel.pk)}
        assert next_event(sio) == ("message:deleted", gone)


def test_stream_is_told_in_order(agent: socketio.SimpleClient, channel: Channel) -> None:
    now = timezone.now()
    make_message(channel, text="0", stream_id="s", stream_state="streaming")
    note_step(channel, stream_id="s", text="reading", tool_hint=True, now=now)
    for number in range(1, 30):
        update_stream(channel, stream_id="s", text=str(number), now=now)
    assert next_event(agent)[0] == "message:created"
    name, step = next_event(agent)
    assert (name, step["index"], step["toolHint"]) == ("message:status", 0, True)
    texts: list[int] = []
    while not texts or texts[-1] != 29:
        name, body = next_event(agent)
        assert (name, body["streamState"]) == ("message:updated", "streaming")
        texts.append(int(body["text"]))
    assert texts == sorted(texts)


def test_status_is_told_to_people_only(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel
) -> None:
    channel = note_status(channel, status=ChannelStatus.BUSY, message="working", now=timezone.now())
    name, body = next_event(page)
    assert (name, body["agentId"], body["status"]) == ("agent:status", str(channel.pk), "busy")
    assert set(body) == {"agentId", "status", "statusMessage", "statusSince"}
    assert settle(agent) == []


def test_agent_hears_nothing_before_and_after_its_subscription(
    realtime: Running, key: str, channel: Channel
) -> None:
    with client(realtime, apiKey=key) as witness, client(realtime, apiKey=key) as sio:
        subscribe(witness, channel.pk)
        make_message(channel, text="before")
        assert next_event(witness)[0] == "message:created"  # it is told, and on its way no longer
        subscribe(sio, channel.pk)
        sio.emit("unsubscribe:channel", str(channel.pk))
        assert settle(sio) == []
        make_message(channel, text="after")
        assert settle(sio) == []


def test_large_numbers_arrive_as_they_were_sent(
    agent: socketio.SimpleClient, channel: Channel
) -> None:
    metadata = {"big": 12345678901234567890123, "n": 1e21, "f": 1.5}
    make_message(channel, metadata=metadata)
    assert next_event(agent)[1]["metadata"] == metadata
