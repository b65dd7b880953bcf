"""Our rows and events as this wire's objects."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from api.conversations.ids import AGENT, CONVERSATION, MESSAGE, NOBODY, PERSON, shown_id
from api.conversations.serializers import ToldBody, ToldMessage
from api.placet.times import wire_time
from delivery.models import Event
from inbox.models import Message, Sender

SOURCE = "conversation"


def success(message: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "message": message, "data": data}


def sent_body(message: Message) -> dict[str, Any]:
    """A message as its sender sees it."""
    return {
        "id": shown_id(MESSAGE, message.pk),
        "sender_id": _sender_id(message),
        "sender_type": message.sender,
        "text": message.text or "",
        "metadata": orjson.Fragment(message.metadata_json or "{}"),
        "created_at": wire_time(message.created_at),
    }


def message_body(message: Message) -> dict[str, Any]:
    """The same in a conversation."""
    answered = message.reply_to_id
    shown = None if answered is None else shown_id(MESSAGE, answered)
    return sent_body(message) | {"reply_to_message_id": shown}


def _sender_id(message: Message) -> str:
    """An agent has one id, wherever it spoke, unless it gave itself another on this wire."""
    if message.sender == Sender.AGENT and message.source != SOURCE:
        return shown_id(AGENT, message.channel_id)
    return message.source_author or shown_id(PERSON, message.author_id or NOBODY)


def told_of(event: Event) -> ToldMessage | None:
    """The message that an event is about. None for other events, and once it was erased."""
    if event.body is None or not event.type.startswith("message:"):
        return None
    return msgspec.json.decode(event.body, type=ToldBody).message


def told_body(told: ToldMessage) -> dict[str, Any]:
    """A message as it was when the event happened."""
    metadata = bytes(told.metadata)
    return {
        "id": _again(MESSAGE, told.id),
        "sender_id": _told_sender(told),
        "sender_type": told.sender_type,
        "text": told.text or "",
        "metadata": orjson.Fragment(b"{}" if metadata == b"null" else metadata),
        "created_at": told.created_at,
        "reply_to_message_id": None if told.reply_to is None else _again(MESSAGE, told.reply_to),
    }


def _told_sender(told: ToldMessage) -> str:
    source = told.origin.source_type if told.origin else ""
    if told.sender_type == "agent" and source != SOURCE:
        return _again(AGENT, told.channel_id)
    return told.origin.user_id if told.origin else _again(PERSON, told.sender_id or str(NOBODY))


def _again(prefix: str, value: str) -> str:
    """An id of the agents' wire as one of this."""
    return shown_id(prefix, uuid.UUID(value))


def event_body(
    event: Event, told: ToldMessage | None, threads: Mapping[str, uuid.UUID | None]
) -> dict[str, Any]:
    """An event; what is not about a message passes through as it was sent.

    `threads` says where the messages are whose events do not say it themselves.
    """
    thread_id = told.thread_id if told else threads.get(event.reference)
    passed = None if event.body is None else orjson.Fragment(event.body)
    return {
        "id": event.pk,
        "type": event.type,
        "conversation_id": None if thread_id is None else _again(CONVERSATION, str(thread_id)),
        "created_at": wire_time(event.created_at),
        "data": passed if told is None else {"message": told_body(told)},
    }
