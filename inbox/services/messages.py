"""Writes about messages."""

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.ids import uuid7
from accounts.models import User
from inbox.errors import DomainError
from inbox.models import Channel, DeliveryStatus, Message, Sender, StreamState, Thread
from inbox.queries import (
    ChannelNotYoursError,
    MessageNotFoundError,
    ReplyTargetError,
    ThreadNotFoundError,
)
from inbox.signals import message_changed, message_deleted, message_posted


@dataclass(frozen=True)
class Origin:
    """Where a message was written, if not here: the platform, its id there, and its author there.

    A foreign author is a name and an id that somebody claimed, never one of our people.
    """

    source: str
    source_id: str | None = None
    author: str = ""
    author_name: str = ""


@dataclass(frozen=True)
class Draft:
    """What a new message says, before it has an id and a place."""

    text: str | None = None
    status: str | None = None
    metadata: Mapping[str, Any] | None = None
    webhook_url: str | None = None
    client_id: str | None = None
    thread: Thread | None = None
    reply_to: Message | None = None
    origin: Origin = Origin("")
    iteration_of: Message | None = None
    stream_id: str | None = None
    stream_state: str | None = None
    carrying: Sequence[Callable[[Message], object]] = field(default=())
    # Whether the channel's webhook is to be called; its feed and its sockets learn of it anyway.
    by_webhook: bool = True


@dataclass(frozen=True)
class Posted:
    """The stored message, and whether this call stored it (a replayed `client_id` did not)."""

    message: Message
    created: bool


def post_message(
    *,
    channel: Channel,
    sender: Sender,
    draft: Draft,
    now: datetime,
    author: User | None = None,
) -> Posted:
    """Store a message with everything it carries, and announce it; all of it or nothing.

    A `client_id` or `stream_id` that was used before gives the stored message back, and so does
    the `source_id` of a message that came from elsewhere, within its thread: unique constraints
    decide, so simultaneous repeats store one message.

    Raises: ReplyTargetError for a reply to a message of another thread, or to one that is gone.
    """
    earlier = _stored_before(channel, sender, draft)
    if earlier is not None:
        return Posted(_aborted(earlier, draft, now), created=False)
    try:
        return Posted(_store(channel, sender, author, draft, now), created=True)
    except IntegrityError:
        earlier = _stored_before(channel, sender, draft)
        if earlier is not None:
            return Posted(_aborted(earlier, draft, now), created=False)
        refuse_what_is_gone(channel, draft)
        raise


def refuse_what_is_gone(channel: Channel, draft: Draft) -> None:
    """What a message refers to may be deleted meanwhile.

    Raises: ChannelNotYoursError, ThreadNotFoundError, ReplyTargetError.
    """
    if not Channel.objects.filter(pk=channel.pk).exists():
        raise ChannelNotYoursError("Not your agent") from None
    thread = draft.reply_to.thread if draft.reply_to else draft.thread
    if thread is not None and not Thread.objects.filter(pk=thread.pk).exists():
        raise ThreadNotFoundError("There is no such thread in this channel") from None
    if draft.reply_to and not Message.objects.filter(pk=draft.reply_to.pk).exists():
        raise ReplyTargetError(
            "There is no such message to reply to in this channel", path=("replyTo",)
        ) from None


def _stored_before(channel: Channel, sender: Sender, draft: Draft) -> Message | None:
    """The message that this draft repeats: by its foreign id, its client id or its stream."""
    mine = Message.objects.filter(channel=channel, sender=sender)
    if draft.origin.source_id is not None:
        return mine.filter(thread=draft.thread, source_id=draft.origin.source_id).first()
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
        announce_message(message, "text", "stream_state")
    return message


def announce_message(message: Message, *fields: str) -> None:
    message_changed.send(sender=Message, message=message, fields=frozenset(fields))


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
        thread=_thread_of(draft),
        reply_to=draft.reply_to,
        source=draft.origin.source,
        source_id=draft.origin.source_id,
        source_author=draft.origin.author,
        source_author_name=draft.origin.author_name,
        iteration_group=group,
        iteration=iteration,
        stream_id=draft.stream_id,
        stream_state=draft.stream_state,
        created_at=now,
        updated_at=now,
    )
    for attach in draft.carrying:
        attach(message)
    message_posted.send(sender=Message, message=message, by_webhook=draft.by_webhook)
    return message


def _thread_of(draft: Draft) -> Thread | None:
    """A reply stays in the thread of what it answers.

    Raises: ReplyTargetError.
    """
    if draft.reply_to is None:
        return draft.thread
    theirs = draft.reply_to.thread
    if draft.thread is not None and draft.thread != theirs:
        raise ReplyTargetError("The message to reply to is in another thread")
    return theirs


def hold_channel(channel_id: uuid.UUID) -> None:
    """Lock a channel before rows in it: who deletes it locks in the same order.

    Raises: ChannelNotYoursError for a channel that was deleted meanwhile.
    """
    held = Channel.objects.select_for_update(no_key=True).filter(pk=channel_id)
    if not held.values_list("pk", flat=True):
        raise ChannelNotYoursError("Not your agent")


class IterationTargetGoneError(DomainError):
    """The message to revise was deleted meanwhile."""

    code = "iteration_target"


def _next_iteration(target: Message) -> tuple[uuid.UUID, int]:
    """The chain of a message and the next free number in it; a first follow-up makes the chain.

    The chain's first message is locked, so that parallel follow-ups count one after the other.
    """
    hold_channel(target.channel_id)
    root_id = target.iteration_group or target.pk
    root = Message.objects.select_for_update().filter(pk=root_id).first()
    if root is None:
        raise IterationTargetGoneError(
            "iterationOf target does not exist in this channel", path=("iterationOf",)
        )
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

    The row is locked first, so that nothing is put on it meanwhile.

    Raises: IterationChainError when other revisions belong to the same chain, MessageNotFoundError.
    """
    found = Message.objects.select_for_update().filter(pk=message.pk).first()
    if found is None:
        raise MessageNotFoundError("Message not found")
    message = found
    if message.iteration_group is not None:
        chain = Message.objects.filter(iteration_group=message.iteration_group)
        if chain.exclude(pk=message.pk).exists():
            raise IterationChainError(
                "Cannot delete a message that is part of an iteration chain with other messages"
            )
    message_deleted.send(sender=Message, message=message)
    message.delete()


@transaction.atomic
def set_delivery_status(*, message_ids: Collection[uuid.UUID], status: DeliveryStatus) -> None:
    """Note how deliveries ended. An agent's own acknowledgement is never taken back.

    The rows are locked first, so that an acknowledgement between look and write stays.
    """
    others = Message.objects.exclude(delivery_status__in={status, DeliveryStatus.ACKNOWLEDGED})
    changed = list(others.filter(pk__in=message_ids).select_for_update().order_by("pk"))
    ids = [message.pk for message in changed]
    Message.objects.filter(pk__in=ids).update(delivery_status=status)
    for message in changed:
        message.delivery_status = status
        announce_message(message, "delivery_status")


def acknowledge(message: Message) -> None:
    """The agent says that it has this message."""
    set_delivery_status(message_ids=[message.pk], status=DeliveryStatus.ACKNOWLEDGED)
