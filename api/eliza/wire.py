"""Our rows as ElizaOS's messages. Pure functions over loaded rows."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import orjson
from django.db.models import QuerySet
from msgspec import UNSET, Raw, UnsetType

from accounts.ids import EPOCH
from inbox.models import Message, Sender

NOBODY = "00000000-0000-0000-0000-000000000000"

type Reply = dict[str, Any] | None


def loaded(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Messages with everything that `message_body` looks at: one statement."""
    return messages.select_related("thread")


def message_body(message: Message, *, reply: Reply | UnsetType = UNSET) -> dict[str, Any]:
    """A message; `reply` is the agent's, as another one of these, or None if it gave none."""
    author, text = _author_of(message), message.text or ""
    return {
        "id": str(message.pk),
        "text": text,
        "userId": author,
        "agentId": str(message.channel_id),
        "roomId": _room_of(message),
        "createdAt": milliseconds(message.created_at),
        "metadata": _metadata_of(message, reply),
        "channelId": str(message.channel_id),
        "authorId": author,
        "content": text,
        "sourceType": message.source or None,
        "sourceId": message.source_id,
        "inReplyToRootMessageId": str(message.reply_to_id) if message.reply_to_id else None,
        "updatedAt": milliseconds(message.updated_at),
    }


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _author_of(message: Message) -> str:
    if message.sender == Sender.AGENT:
        return str(message.channel_id)
    return message.source_author or str(message.author_id or NOBODY)


def _room_of(message: Message) -> str:
    """The foreign room's own id; a conversation has one of ours."""
    thread = message.thread
    if thread is None:
        return str(message.channel_id)
    return thread.foreign_id or str(thread.pk)


def _metadata_of(message: Message, reply: Reply | UnsetType) -> orjson.Fragment | dict[str, Any]:
    """As stored, number by number, with the reply beside it."""
    stored = message.metadata_json or "{}"
    if isinstance(reply, UnsetType):
        return orjson.Fragment(stored)
    values = msgspec.json.decode(stored, type=dict[str, Raw])
    kept = {name: orjson.Fragment(bytes(value)) for name, value in values.items()}
    return kept | {"reply": reply}
