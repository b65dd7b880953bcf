"""Writes about channels and messages."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.ids import uuid7
from accounts.models import User, Workspace
from inbox.errors import DomainError
from inbox.models import Channel, DeliveryStatus, Message, Sender, StreamState
from inbox.signals import channel_changed, message_changed, message_deleted, message_posted


@dataclass(frozen=True)
class Draft:
    """What a new message says, before it has an id and a place."""

    text: str | None = None
    status: str | None = None
    metadata: Mapping[str, Any] | None = None
    webhook_url: str | None = None
    client_id: str | None = None
    reply_to: Message | None = None
    iteration_of: Message | None = None
    stream_id: str | None = None
    stream_state: str | None = None
    carrying: Sequence[Callable[[Message], object]] = field(default=())


@dataclass(frozen=True)
class Posted:
    """The stored message, and whether this call stored it (a replayed `client_id` did not)."""

    message: Message
    created: bool


def create_channel(
    *,
    workspace: Workspace,
    name: str,
    now: datetime,
    description: str | None = None,
    avatar_url: str | None = None,
    webhook_url: str | None = None,
    tag: str | None = None,
) -> Channel:
    return Channel.objects.create(
        id=uuid7(now),
        workspace=workspace,
        name=name,
        description=description,
        avatar_url=avatar_url,
        webhook_url=webhook_url,
        tag=tag,
        created_at=now,
    )


class SubagentParentError(DomainError):
    """A sub-agent needs a parent other than itself, and only a sub-agent has one."""

    code = "subagent_parent"


@dataclass(frozen=True)
class Webhook:
    """Where a channel's events go. Header values and password are secrets."""

    url: str
    headers: Mapping[str, str] | None = None
    username: str | None = None
    password: str | None = None


@transaction.atomic
def set_webhook(channel: Channel, *, webhook: Webhook | None) -> Channel:
    """Replace a channel's webhook as a whole; `None` removes it with its headers and login."""
    headers = webhook.headers if webhook else None
    channel.webhook_url = webhook.url if webhook else None
    channel.webhook_headers_json = None if headers is None else json.dumps(dict(headers))
    channel.webhook_username = webhook.username if webhook else None
    channel.webhook_password = webhook.password if webhook else None
    channel.save(
        update_fields=[
            "webhook_url",
            "webhook_headers_json",
            "webhook_username",
            "webhook_password",
        ]
    )
    channel_changed.send(sender=Channel, channel=channel)
    return channel


@transaction.atomic
def set_management(channel: Channel, *, url: str | None, api_key: str | None) -> Channel:
    channel.management_url, channel.management_api_key = url, api_key
    channel.save(update_fields=["management_url", "management_api_key"])
    channel_changed.send(sender=Channel, channel=channel)
    return channel


MAX_ANCESTORS = 16


@transaction.atomic
def set_subagent(channel: Channel, *, parent: Channel | None) -> Channel:
    """Make a channel a sub-agent of another, or with `None` an agent of its own.

    Raises: SubagentParentError for a chain of parents that comes back to the channel.
    """
    if parent is not None:
        _refuse_cycle(channel, parent)
    channel.parent, channel.is_subagent = parent, parent is not None
    channel.save(update_fields=["parent", "is_subagent"])
    channel_changed.send(sender=Channel, channel=channel)
    return channel


def _refuse_cycle(channel: Channel, parent: Channel) -> None:
    if parent.pk == channel.pk:
        raise SubagentParentError("A channel cannot be its own parent")
    seen: list[uuid.UUID] = []
    ancestor: uuid.UUID | None = parent.pk
    while ancestor is not None and len(seen) < MAX_ANCESTORS:
        if ancestor == channel.pk:
            raise SubagentParentError("Sub-agent parent chain would cycle through this channel")
        if ancestor in seen:
            raise SubagentParentError("Sub-agent parent chain is cyclic")
        seen.append(ancestor)
        ancestor = Channel.objects.values_list("parent_id", flat=True).get(pk=ancestor)


def post_message(
    *,
    channel: Channel,
    sender: Sender,
    draft: Draft,
    now: datetime,
    author: User | None = None,
) -> Posted:
    """Store a message with everything it carries, and announce it; all of it or nothing.

    A `client_id` or `stream_id` that was used before gives the stored message back: unique
    constraints decide, so simultaneous repeats store one message.
    """
    earlier = _stored_before(channel, sender, draft)
    if earlier is not None:
        return Posted(_aborted(earlier, draft, now), created=False)
    try:
        return Posted(_store(channel, sender, author, draft, now), created=True)
    except IntegrityError:
        earlier = _stored_before(channel, sender, draft)
        if earlier is None:
            raise
        return Posted(_aborted(earlier, draft, now), created=False)


def _stored_before(channel: Channel, sender: Sender, draft: Draft) -> Message | None:
    """The message that this draft repeats, by its client id or else by its stream."""
    mine = Message.objects.filter(channel=channel, sender=sender)
    for identity in ("client_id", "stream_id"):
        value = getattr(draft, identity)
        earlier = mine.filter(**{identity: value}).first() if value is not None else None
        if earlier is not None:
            return earlier
    return None


@transaction.atomic
def _aborted(message: Message, draft: Draft, now: datetime) -> Message:
    """A repeat may end a stream that still runs; a finished one is final."""
    if draft.stream_state != StreamState.ABORTED:
        return message
    running = Message.objects.filter(pk=message.pk, stream_state=StreamState.STREAMING)
    text = message.text if draft.text is None else draft.text
    if running.update(stream_state=StreamState.ABORTED, text=text, updated_at=now):
        message.refresh_from_db()
        message_changed.send(sender=Message, message=message)
    return message


@transaction.atomic
def _store(
    channel: Channel, sender: Sender, author: User | None, draft: Draft, now: datetime
) -> Message:
    group, iteration = _next_iteration(draft.iteration_of) if draft.iteration_of else (None, None)
    message = Message.objects.create(
        id=uuid7(now),
        workspace_id=channel.workspace_id,
        channel=channel,
        sender=sender,
        author=author,
        text=draft.text,
        status=draft.status,
        metadata_json=json.dumps(draft.metadata, ensure_ascii=False) if draft.metadata else None,
        webhook_url=draft.webhook_url,
        client_id=draft.client_id,
        reply_to=draft.reply_to,
        iteration_group=group,
        iteration=iteration,
        stream_id=draft.stream_id,
        stream_state=draft.stream_state,
        created_at=now,
        updated_at=now,
    )
    for attach in draft.carrying:
        attach(message)
    message_posted.send(sender=Message, message=message)
    return message


def _next_iteration(target: Message) -> tuple[uuid.UUID, int]:
    """The chain of a message and the next free number in it; a first follow-up makes the chain.

    The chain's first message is locked, so that parallel follow-ups count one after the other.
    """
    root_id = target.iteration_group or target.pk
    root = Message.objects.select_for_update().get(pk=root_id)
    if root.iteration_group is None:
        root.iteration_group, root.iteration = root.pk, 1
        root.save(update_fields=["iteration_group", "iteration"])
    chain = Message.objects.filter(iteration_group=root_id)
    last = chain.aggregate(last=Max("iteration"))["last"]
    return root_id, last + 1


class IterationChainError(DomainError):
    """A revision that others build on cannot be taken out."""

    code = "iteration_chain"


@transaction.atomic
def delete_message(message: Message) -> None:
    """Delete a message with its review and file rows.

    Raises: IterationChainError when other revisions belong to the same chain.
    """
    if message.iteration_group is not None:
        chain = Message.objects.filter(iteration_group=message.iteration_group)
        if chain.exclude(pk=message.pk).exists():
            raise IterationChainError(
                "Cannot delete a message that is part of an iteration chain with other messages"
            )
    message_deleted.send(sender=Message, message=message)
    message.delete()


@transaction.atomic
def set_delivery_status(*, message_id: uuid.UUID, status: DeliveryStatus) -> None:
    """Note how delivery ended. An agent's own acknowledgement is never taken back."""
    message = (
        Message.objects.exclude(delivery_status=DeliveryStatus.ACKNOWLEDGED)
        .filter(pk=message_id)
        .first()
    )
    if message is None or message.delivery_status == status:
        return
    message.delivery_status = status
    message.save(update_fields=["delivery_status"])
    message_changed.send(sender=Message, message=message)
