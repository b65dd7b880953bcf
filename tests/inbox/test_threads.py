"""Threads: rooms of other platforms and conversations, and who learns of what is said in them."""

import json
from typing import Any

import pytest
from django.utils import timezone

from delivery.models import Delivery, Event
from inbox.models import Channel, Message, Sender, StreamState, Thread
from inbox.queries import ChannelNotYoursError, ReplyTargetError, ThreadNotFoundError
from inbox.services.messages import Draft, Origin, Posted
from inbox.services.streams import update_stream
from inbox.services.threads import Room, post_in_new_thread, post_in_room
from tests.factories import make_channel, make_message, make_thread

ROOM = Room("discord", "room-1", "general")

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel() -> Channel:
    return make_channel(webhook_url="https://agent.example.com/hook")


def heard(channel: Channel, source_id: str = "m-1", text: str = "Hi", room: Room = ROOM) -> Posted:
    origin = Origin(room.source, source_id, author="u-1", author_name="Kim")
    return post_in_room(
        channel=channel,
        room=room,
        sender=Sender.USER,
        draft=Draft(text=text, origin=origin),
        now=timezone.now(),
    )


def told(message: Message) -> dict[str, Any]:
    event = Event.objects.get(reference=str(message.pk))
    return dict(json.loads(event.body or ""))


def test_messages_of_a_room_share_a_thread(channel: Channel) -> None:
    first, second = heard(channel, "m-1").message, heard(channel, "m-2").message
    assert first.thread == second.thread
    assert Thread.objects.values_list("source", "foreign_id", "title").get() == (
        "discord",
        "room-1",
        "general",
    )


def test_same_foreign_message_is_stored_once(channel: Channel) -> None:
    first, again = heard(channel, text="Hi"), heard(channel, text="Hi again")
    assert (first.created, again.created) == (True, False)
    assert again.message == first.message
    assert Event.objects.count() == 1


def test_same_id_in_another_room_is_another_message(channel: Channel) -> None:
    """Telegram counts messages in each chat: equal ids of two rooms say nothing."""
    heard(channel)
    assert heard(channel, room=Room("discord", "room-2")).created


def test_foreign_message_is_told_to_the_agent_with_its_origin(channel: Channel) -> None:
    posted = heard(channel).message
    body = told(posted)
    assert body["event"] == "message:created"
    assert body["message"]["senderType"] == "user"
    assert body["message"]["senderId"] == "u-1"
    assert body["message"]["origin"] == {
        "sourceType": "discord",
        "sourceId": "m-1",
        "userId": "u-1",
        "userName": "Kim",
    }
    assert body["message"]["thread"]["roomId"] == "room-1"


def test_reply_stays_in_the_thread_and_names_the_foreign_message(channel: Channel) -> None:
    asked = heard(channel).message
    reply = make_message(channel, reply_to=asked, text="Hello Kim")
    assert reply.thread == asked.thread
    body = told(reply)
    assert body["event"] == "message:replied"
    assert body["message"]["replyTo"] == str(asked.pk)
    assert body["message"]["replyToSourceId"] == "m-1"
    assert body["message"]["thread"]["roomId"] == "room-1"
    assert Delivery.objects.filter(event__reference=str(reply.pk)).count() == 1


def test_reply_in_a_conversation_is_in_the_feed_and_calls_nobody(channel: Channel) -> None:
    thread = make_thread(channel)
    reply = make_message(channel, thread=thread)
    assert told(reply)["event"] == "message:replied"
    assert not Delivery.objects.filter(event__reference=str(reply.pk)).exists()


def test_streamed_reply_is_told_once_and_whole(channel: Channel) -> None:
    asked = heard(channel).message
    draft = make_message(
        channel, reply_to=asked, text="He", stream_id="s", stream_state=StreamState.STREAMING
    )
    assert not Event.objects.filter(reference=str(draft.pk)).exists()
    for ending in (None, StreamState.COMPLETE, StreamState.COMPLETE):
        update_stream(channel, stream_id="s", text="Hello", ending=ending, now=timezone.now())
    assert told(draft)["message"]["text"] == "Hello"


def test_draft_that_was_told_at_once_is_not_told_again(channel: Channel) -> None:
    asked = heard(channel).message
    draft = make_message(channel, reply_to=asked, text="Hello", stream_id="s")
    ending = StreamState.COMPLETE
    update_stream(channel, stream_id="s", text="Hello!", ending=ending, now=timezone.now())
    assert Event.objects.filter(reference=str(draft.pk)).count() == 1


def test_note_of_the_system_is_told_to_nobody(channel: Channel) -> None:
    note = post_in_new_thread(
        channel=channel,
        source="conversation",
        sender=Sender.SYSTEM,
        draft=Draft(text="Kim joined"),
        now=timezone.now(),
    ).message
    assert not Event.objects.filter(reference=str(note.pk)).exists()


def test_reply_to_a_message_of_another_thread_is_refused(channel: Channel) -> None:
    asked = heard(channel).message
    with pytest.raises(ReplyTargetError):
        make_message(channel, thread=make_thread(channel), reply_to=asked)


@pytest.mark.django_db(transaction=True)  # databases look at references when a transaction ends
def test_what_is_deleted_meanwhile_refuses_the_message(channel: Channel) -> None:
    thread, asked = make_thread(channel), make_message(channel)
    reply_to = Message.objects.get(pk=asked.pk)
    asked.delete()
    Thread.objects.all().delete()
    with pytest.raises(ThreadNotFoundError):
        make_message(channel, thread=thread)
    with pytest.raises(ReplyTargetError):
        make_message(channel, reply_to=reply_to)
    Channel.objects.all().delete()
    with pytest.raises(ChannelNotYoursError):
        heard(channel)
    with pytest.raises(ChannelNotYoursError):
        post_in_new_thread(
            channel=channel,
            source="conversation",
            sender=Sender.USER,
            draft=Draft(text="Hi"),
            now=timezone.now(),
        )
    assert not Thread.objects.exists()


def test_refused_first_message_leaves_no_thread(channel: Channel) -> None:
    elsewhere = heard(channel, room=Room("telegram", "chat")).message
    with pytest.raises(ReplyTargetError):
        post_in_new_thread(
            channel=channel,
            source="conversation",
            sender=Sender.USER,
            draft=Draft(text="Hi", reply_to=elsewhere),
            now=timezone.now(),
        )
    assert Thread.objects.count() == 1
