"""Our rows as Placet's objects. Pure functions over loaded rows, shared by answers and webhooks."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, QuerySet, prefetch_related_objects
from django.urls import reverse

from api.placet.times import wire_time, wire_time_or_null
from attachments.models import Attachment
from attachments.models import State as FileState
from attachments.queries import has_inline_text, inline_text
from inbox.models import Channel, Message, Sender, StatusEvent, Thread
from inbox.queries import steps_of
from inbox.services.messages import Posted
from reviews.kinds import redact_passwords
from reviews.models import ReviewRequest, Status

MASK = "***"
SECRET_WORDS = ("authorization", "secret", "token", "password", "api-key", "apikey", "cookie")


# Of a message that another one answers, nothing but its ids is shown.
_UNREAD = [
    f"reply_to__{field.name}"
    for field in Message._meta.concrete_fields  # noqa: SLF001  # Django documents `_meta`
    if field.name not in {"id", "source_id"}
]


def loaded(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Messages with everything that `message_body` looks at: two statements for any number."""
    return _with_neighbours(messages).prefetch_related(_files())


def loaded_at_once(messages: QuerySet[Message]) -> list[Message]:
    """The same, in one statement where none of them has files, as most have none."""
    has_files = Exists(Attachment.objects.filter(message=OuterRef("pk")))
    found: list[Any] = list(_with_neighbours(messages).annotate(has_files=has_files))
    prefetch_related_objects([each for each in found if each.has_files], _files())
    return found


def _with_neighbours(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.select_related("review", "thread", "reply_to").defer(*_UNREAD)


def _files() -> "Prefetch[Any]":
    files = Attachment.objects.filter(state=FileState.READY).order_by("position", "id")
    return Prefetch("attachments", queryset=files)


def message_body(
    message: Message,
    *,
    redacted: bool = False,
    enriched: bool = False,
    steps: Sequence[StatusEvent] | None = None,
    files: Iterable[Attachment] | None = None,
) -> dict[str, Any]:
    """A message object (Placet contract 2.1).

    `redacted` hides what was typed into password fields. `steps` are its `statusEvents`, which
    only lists carry. `enriched` adds `textContent` to small text files (7.4). `files` are those of
    the message, where they are known beforehand.
    """
    review = getattr(message, "review", None)
    body: dict[str, Any] = {
        "id": str(message.pk),
        "channelId": str(message.channel_id),
        "senderType": _sender_type(message),
        "senderId": _sender_id(message),
        "text": message.text,
        "status": message.status,
        "review": None if review is None else review_body(review, redacted=redacted),
        "metadata": _as_stored(message.metadata_json),
        "clientId": message.client_id,
        "streamId": message.stream_id,
        "streamState": message.stream_state,
        "deliveryStatus": message.delivery_status,
        "iterationGroupId": str(message.iteration_group) if message.iteration_group else None,
        "iteration": message.iteration,
        "createdAt": wire_time(message.created_at),
        "updatedAt": wire_time(message.updated_at),
        "attachments": [
            attachment_body(file) | (_text_content(file) if enriched else {})
            for file in (message.attachments.all() if files is None else files)
        ],
    }
    if steps is not None:
        body["statusEvents"] = [status_event_body(step) for step in steps]
    return body | place_body(message)


def posted_body(posted: Posted, *, with_files: bool, enriched: bool = False) -> dict[str, Any]:
    """What a post answers. Of a new message without files, nothing is read again."""
    message = posted.message
    if posted.created and not with_files:
        asked = ReviewRequest.message.field.remote_field
        if not asked.is_cached(message):
            asked.set_cached_value(message, None)
        return message_body(message, files=(), enriched=enriched)
    whole = loaded(Message.objects.filter(pk=message.pk)).get()
    return message_body(whole, enriched=enriched)


def place_body(message: Message) -> dict[str, Any]:
    """Where a message stands and came from. Ours, not Placet's: keys without a value are absent."""
    body: dict[str, Any] = {}
    if message.reply_to:
        body["replyTo"] = str(message.reply_to.pk)
        if message.reply_to.source_id:
            body["replyToSourceId"] = message.reply_to.source_id
    if message.thread:
        body["thread"] = thread_body(message.thread)
    if message.source:
        body["origin"] = {
            "sourceType": message.source,
            "sourceId": message.source_id,
            "userId": message.source_author,
            "userName": message.source_author_name,
        }
    return body


def thread_body(thread: Thread) -> dict[str, Any]:
    """`roomId` is the id of the room where it comes from, null for a conversation."""
    return {
        "id": str(thread.pk),
        "sourceType": thread.source,
        "roomId": thread.foreign_id,
        "title": thread.title,
    }


def status_event_body(event: StatusEvent) -> dict[str, Any]:
    """A step of a streamed reply (2.1)."""
    return {
        "id": str(event.pk),
        "channelId": str(event.channel_id),
        "streamId": event.stream_id,
        "index": event.index,
        "text": event.text,
        "toolHint": event.tool_hint,
        "createdAt": wire_time(event.created_at),
    }


def page_body(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as a list shows them: passwords hidden, steps beside streamed replies."""
    steps = steps_of(messages)
    return [
        message_body(
            message,
            redacted=True,
            steps=steps.get((message.channel_id, message.stream_id or ""), ()),
        )
        for message in messages
    ]


def _sender_type(message: Message) -> str:
    """Placet's clients know two: whoever is not the agent is a user."""
    return Sender.AGENT if message.sender == Sender.AGENT else Sender.USER


def _sender_id(message: Message) -> str:
    if message.sender == Sender.AGENT:
        return str(message.channel_id)
    return str(message.author_id) if message.author_id else message.source_author


def review_body(review: ReviewRequest, *, redacted: bool = False) -> dict[str, Any]:
    """A review object (4.1): keys that have no value yet are absent."""
    optional: dict[str, Any] = {
        "payload": _as_stored(review.payload_json),
        "callback": _callback(review),
        "feedback": review.feedback or None,
        "response": _response(review, redacted=redacted),
        "completedAt": wire_time_or_null(
            review.decided_at if review.status == Status.COMPLETED else None
        ),
        "modifiedFileIds": review.modified_file_ids or None,
    }
    required = {
        "type": review.kind,
        "status": review.status,
        "expiresAt": wire_time(review.expires_at),
    }
    return required | {name: value for name, value in optional.items() if value is not None}


def _as_stored(text: str | None) -> orjson.Fragment | None:
    """Stored JSON goes out as it came in: no number is read and written on the way."""
    return None if text is None else orjson.Fragment(text)


def _response(review: ReviewRequest, *, redacted: bool) -> orjson.Fragment | None:
    response = review.response
    if response is None or not redacted:
        return _as_stored(review.response_json)
    hidden = redact_passwords(review.kind, review.payload, response)
    return _as_stored(json.dumps(hidden, ensure_ascii=False))


def _callback(review: ReviewRequest) -> dict[str, Any] | None:
    if not review.callback_url:
        return None
    return {
        "url": review.callback_url,
        "method": review.callback_method,
        "headers": masked(review.callback_headers),
    }


def masked(headers: dict[str, str]) -> dict[str, str]:
    """Headers as they may be shown: whatever looks like a credential is never given back."""
    return {
        name: MASK if any(word in name.lower() for word in SECRET_WORDS) else value
        for name, value in headers.items()
    }


def attachment_body(file: Attachment) -> dict[str, Any]:
    return {
        "id": str(file.pk),
        "messageId": str(file.message_id) if file.message_id else None,
        "channelId": str(file.channel_id),
        "pluginType": "@uax/image" if file.mime_type.startswith("image/") else "@uax/file",
        "filename": file.filename,
        "mimeType": file.mime_type,
        "size": file.size,
        "storageKey": file.storage_key,
        "pluginData": None,
        "createdAt": wire_time(file.created_at),
    }


def _text_content(file: Attachment) -> dict[str, Any]:
    return {"textContent": inline_text(file)} if has_inline_text(file) else {}


def avatar_address(channel: Channel) -> str | None:
    """Where its picture is: here, if one was uploaded; `v` changes with it."""
    if not channel.picture:
        return channel.avatar_url
    path = reverse("people:agent-avatar", args=[channel.pk])
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}?v={channel.picture}"


def agent_body(channel: Channel) -> dict[str, Any]:
    """An agent object (2.4). No secret of it ever leaves."""
    headers = channel.webhook_headers
    has_login = channel.webhook_username is not None
    return {
        "id": str(channel.pk),
        "name": channel.name,
        "description": channel.description,
        "avatarUrl": avatar_address(channel),
        "webhookUrl": channel.webhook_url,
        "webhookHeaders": None if headers is None else masked(headers),
        "webhookAuth": {"username": channel.webhook_username, "password": MASK}
        if has_login
        else None,
        "status": channel.status,
        "statusMessage": channel.status_message,
        "statusSince": wire_time_or_null(channel.status_since),
        "lastActiveAt": wire_time_or_null(channel.last_active_at),
        "commands": channel.commands,
        "tag": channel.tag,
        "managementUrl": channel.management_url,
        "managementApiKey": MASK if channel.management_api_key else None,
        "isSubagent": channel.is_subagent,
        "parentAgentId": str(channel.parent_id) if channel.parent_id else None,
        "createdAt": wire_time(channel.created_at),
    }
