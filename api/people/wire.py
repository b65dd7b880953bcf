"""Our rows as people's clients see them, beside what agents see. No secret leaves."""

from typing import Any

from accounts.models import Membership
from api.placet.times import wire_time
from api.placet.wire import agent_body, attachment_body, message_body
from attachments.models import Attachment
from inbox.models import Channel, Message

WEBHOOK = ("webhookUrl", "webhookHeaders", "webhookAuth")
MANAGED = (*WEBHOOK, "managementUrl", "managementApiKey")


def message_with_agent(message: Message, *, redacted: bool) -> dict[str, Any]:
    """A message and its channel's own fields; where the agent listens is nobody's business here."""
    agent = agent_body(message.channel)
    shown = {name: value for name, value in agent.items() if name not in WEBHOOK}
    return message_body(message, redacted=redacted) | {"agent": shown}


def listed_file(file: Attachment) -> dict[str, Any]:
    """A file with where it was shown; `message` is loaded."""
    message = file.message
    place = message and {
        "channelId": str(message.channel_id),
        "createdAt": wire_time(message.created_at),
    }
    return attachment_body(file) | {"message": place}


def listed_agent(channel: Channel, membership: Membership) -> dict[str, Any]:
    """An agent with the figures of `api.people.unread`."""
    body = agent_body(channel)
    if not membership.may_manage:
        body |= dict.fromkeys(MANAGED)
    body["unreadCount"] = channel.unread  # type: ignore[attr-defined]  # annotated
    text, said_at = channel.last_text, channel.last_said_at  # type: ignore[attr-defined]  # too
    if said_at is not None:
        body["lastMessageTime"] = wire_time(said_at)
    if text is not None:
        body["lastMessage"] = text
    return body
