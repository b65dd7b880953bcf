"""What sockets are told (Placet contract 6.2).

The bus carries names and ids, and the few small facts that are an event's whole payload. A message
is loaded and rendered where somebody listens, and only then: a post costs no statement for an
event that nobody hears, and no text passes through Redis. Passwords are hidden in all of them.
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

import orjson
from django.dispatch import receiver

from api.placet.times import wire_time_or_null
from api.placet.wire import agent_body, loaded, message_body, status_event_body
from delivery.bus import publish_after_commit
from inbox.models import Channel, Message, Sender, StatusEvent
from inbox.signals import (
    channel_changed,
    message_changed,
    message_deleted,
    message_posted,
    status_noted,
)
from reviews.models import ReviewRequest, Status
from reviews.signals import reviews_closed

TOPIC = "sockets"


def channel_room(channel_id: uuid.UUID | str) -> str:
    """Whoever subscribed to a channel."""
    return f"channel:{channel_id}"


def workspace_room(workspace_id: uuid.UUID | str) -> str:
    """The people of a workspace; Placet calls it the owner's room."""
    return f"workspace:{workspace_id}"


def _announce(event: str, *rooms: str, **about: Any) -> None:
    """`about` is `id`, for events that are rendered where they are heard, or `data`."""
    publish_after_commit(TOPIC, event=event, rooms=rooms, **about)


def _announce_message(event: str, message: Message, **about: Any) -> None:
    rooms = (channel_room(message.channel_id), workspace_room(message.workspace_id))
    _announce(event, *rooms, **about)


@receiver(message_posted)
def _posted(message: Message, **_: Any) -> None:
    _announce_message("message:created", message, id=str(message.pk))


@receiver(message_changed)
def _changed(message: Message, fields: frozenset[str], **_: Any) -> None:
    if "delivery_status" in fields:
        status = {"messageId": str(message.pk), "deliveryStatus": message.delivery_status}
        _announce_message("message:delivery", message, data=status)
    if fields - {"delivery_status"}:
        _announce_message("message:updated", message, id=str(message.pk))


@receiver(message_deleted)
def _deleted(message: Message, **_: Any) -> None:
    gone = {"messageId": str(message.pk), "channelId": str(message.channel_id)}
    _announce_message("message:deleted", message, data=gone)


@receiver(status_noted)
def _step_noted(event: StatusEvent, **_: Any) -> None:
    rooms = (channel_room(event.channel_id), workspace_room(event.channel.workspace_id))
    _announce("message:status", *rooms, id=str(event.pk))


@receiver(reviews_closed)
def _closed(reviews: list[ReviewRequest], **_: Any) -> None:
    for review in reviews:
        if review.status == Status.COMPLETED:
            _announce_message("review:responded", review.message, id=str(review.pk))
        else:
            _announce_message("review:expired", review.message, data={"messageId": str(review.pk)})


@receiver(channel_changed)
def _agent_changed(channel: Channel, fields: frozenset[str], **_: Any) -> None:
    if "status" not in fields:
        return
    status = {
        "agentId": str(channel.pk),
        "status": channel.status,
        "statusMessage": channel.status_message,
        "statusSince": wire_time_or_null(channel.status_since),
    }
    _announce("agent:status", workspace_room(channel.workspace_id), data=status)


def payload_of(event: str, row_id: str) -> Any:
    """The payload of an event that names a row; None if the row is gone."""
    body = RENDERERS[event](row_id)
    return None if body is None else json.loads(orjson.dumps(body))


def _message(message_id: str) -> dict[str, Any] | None:
    messages = Message.objects.filter(pk=message_id).select_related("channel")
    message = loaded(messages).first()
    if message is None:
        return None
    body = message_body(message, redacted=True)
    if message.sender == Sender.AGENT:
        body["agentName"] = message.channel.name
    return body


def _responded(message_id: str) -> dict[str, Any] | None:
    """The message itself and its agent; unlike in Placet, without the agent's credentials."""
    messages = Message.objects.filter(pk=message_id).select_related("channel")
    message = loaded(messages).first()
    if message is None:
        return None
    return message_body(message, redacted=True) | {"agent": agent_body(message.channel)}


def _step(event_id: str) -> dict[str, Any] | None:
    event = StatusEvent.objects.filter(pk=event_id).first()
    return None if event is None else status_event_body(event)


RENDERERS: dict[str, Callable[[str], dict[str, Any] | None]] = {
    "message:created": _message,
    "message:updated": _message,
    "message:status": _step,
    "review:responded": _responded,
}
