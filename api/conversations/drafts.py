"""A message as this wire sends it, read and put where it belongs."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from rest_framework.request import Request

from accounts.models import Workspace
from api.conversations.errors import RefusedCallError, missing, required
from api.conversations.ids import AGENT, CONVERSATION, MESSAGE, read_id
from api.conversations.serializers import ConversationMessageIn
from api.conversations.wire import SOURCE
from api.origins import author_name
from api.placet.drafts import checked_metadata
from api.placet.errors import explain
from api.placet.views.base import in_query, read_body, workspace_of
from inbox.models import Channel, Message, Sender, Thread
from inbox.queries import (
    ChannelNotFoundError,
    ChannelNotYoursError,
    MessageNotFoundError,
    ReplyTargetError,
    ThreadNotFoundError,
    channels_of,
    find_channel,
    find_message,
    find_thread,
)
from inbox.services.messages import Draft, Origin, post_message
from inbox.services.threads import post_in_new_thread

REQUIRED = ("sender_id", "sender_type", "text")
MUST_BE = {
    "sender_id": "a string of 1 to 255 characters",
    "sender_type": "one of: user, agent, system",
    "text": "a string",
    "conversation_id": "a string or null",
    "reply_to_message_id": "a string or null",
    "metadata": "an object",
    "auto_reply": "true or false",
}
NO_AGENT = (
    "There is no agent to talk to yet. Create one in the inbox or by POST /api/v1/agents, and "
    "send the message again."
)
LONGEST_TITLE = 80


def read_message(request: Request) -> ConversationMessageIn:
    """Raises: RefusedCallError for the first field that is missing, or else not right."""
    fields = read_body(request, dict[str, object])
    for name in REQUIRED:
        value = fields.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise required(name)
    try:
        return msgspec.convert(fields, ConversationMessageIn)
    except msgspec.ValidationError as error:
        name = str(explain(error)["path"][0])
        raise RefusedCallError(f"Field '{name}' must be {MUST_BE[name]}.") from error


@dataclass(frozen=True)
class Place:
    """Where a message goes. Without a thread it begins a conversation."""

    channel: Channel
    thread: Thread | None = None
    reply_to: Message | None = None


def find_place(request: Request, body: ConversationMessageIn) -> Place:
    """The conversation that is named, or that of the message to reply to, or a new one.

    Raises: RefusedCallError.
    """
    workspace = workspace_of(request)
    named = channel_in_query(request)
    if body.conversation_id is not None:
        thread = require_thread(workspace, body.conversation_id, named)
        return Place(thread.channel, thread, _reply_target(workspace, body, thread))
    if body.reply_to_message_id is not None:
        return _place_of_reply(workspace, body.reply_to_message_id, named)
    return Place(named or _channel_of_sender(workspace, body.sender_id) or _oldest(workspace))


def require_thread(workspace: Workspace, shown: str, channel: Channel | None = None) -> Thread:
    """Raises: RefusedCallError."""
    try:
        return find_thread(workspace, read_id(CONVERSATION, shown), channel)
    except ThreadNotFoundError:
        raise missing("Conversation", shown) from None


def _reply_target(
    workspace: Workspace, body: ConversationMessageIn, thread: Thread
) -> Message | None:
    shown = body.reply_to_message_id
    if shown is None:
        return None
    found = _message(workspace, shown, thread.channel)
    if found.thread_id != thread.pk:
        raise missing("Message", shown)
    found.thread = thread  # nobody need look for it again, who might not find it any more
    return found


def _place_of_reply(workspace: Workspace, shown: str, channel: Channel | None) -> Place:
    answered = _message(workspace, shown, channel)
    if answered.thread_id is None:
        raise RefusedCallError("Field 'reply_to_message_id' must name a message of a conversation.")
    try:
        answered.thread = find_thread(workspace, str(answered.thread_id))
    except ThreadNotFoundError:
        raise missing("Message", shown) from None
    return Place(answered.thread.channel, answered.thread, answered)


def _message(workspace: Workspace, shown: str, channel: Channel | None) -> Message:
    try:
        return find_message(workspace, read_id(MESSAGE, shown), channel)
    except MessageNotFoundError:
        raise missing("Message", shown) from None


def channel_in_query(request: Request) -> Channel | None:
    """The agent that `?channel=` names.

    Raises: RefusedCallError.
    """
    shown = in_query(request.GET, "channel")
    if shown is None:
        return None
    try:
        return find_channel(workspace_of(request), read_id(AGENT, shown))
    except ChannelNotFoundError:
        raise missing("Channel", shown) from None


def _channel_of_sender(workspace: Workspace, sender_id: str) -> Channel | None:
    """An agent that speaks under its own id begins conversations of its own."""
    wanted = read_id(AGENT, sender_id)
    return channels_of(workspace).filter(pk=wanted).first() if wanted else None


def _oldest(workspace: Workspace) -> Channel:
    found = channels_of(workspace).last()
    if found is None:
        raise RefusedCallError(NO_AGENT)
    return found


def send_message(body: ConversationMessageIn, *, place: Place, now: datetime) -> Message:
    """Store a message where it belongs.

    Raises: RefusedCallError where the place was deleted meanwhile.
    """
    draft, sender = _draft(body, place), Sender(body.sender_type)
    try:
        if place.thread is not None:
            return post_message(channel=place.channel, sender=sender, draft=draft, now=now).message
        return post_in_new_thread(
            channel=place.channel,
            source=SOURCE,
            sender=sender,
            draft=draft,
            now=now,
            title=_title(body.text),
        ).message
    except ReplyTargetError:
        raise missing("Message", body.reply_to_message_id or "") from None
    except (ChannelNotYoursError, ThreadNotFoundError):
        raise _gone(body) from None


def _gone(body: ConversationMessageIn) -> RefusedCallError:
    if body.conversation_id is not None:
        return missing("Conversation", body.conversation_id)
    if body.reply_to_message_id is not None:
        return missing("Message", body.reply_to_message_id)
    return RefusedCallError("The agent was deleted meanwhile. Send the message again.", status=404)


def _draft(body: ConversationMessageIn, place: Place) -> Draft:
    metadata = checked_metadata(body.metadata or {})
    return Draft(
        text=body.text,
        metadata=metadata,
        thread=place.thread,
        reply_to=place.reply_to,
        origin=Origin(SOURCE, author=body.sender_id, author_name=author_name(metadata)),
        by_webhook=body.auto_reply,
    )


def _title(text: str) -> str:
    """The first words, as many as fit."""
    words = " ".join(text[: LONGEST_TITLE * 2].split())
    if len(words) <= LONGEST_TITLE:
        return words
    return words[:LONGEST_TITLE].rsplit(" ", 1)[0] + "…"
