"""What open pages are told (web inbox): names and ids, never content.

Listens to the domain, inside the transaction of each change; the events go out after its commit.
Who hears of something fetches it again, which goes through the usual checks of access. One
journal holds all events of a workspace; those of one person's reading reach that person only.
"""

import uuid
from collections import defaultdict
from typing import Any

from django.dispatch import receiver

from delivery.journal import LiveEvent, record_after_commit
from delivery.models import Delivery
from delivery.signals import deliveries_finished
from inbox.models import Channel, Message, StatusEvent
from inbox.signals import (
    channel_changed,
    channel_deleted,
    message_changed,
    message_deleted,
    message_posted,
    status_noted,
)
from reviews.models import ReviewRequest
from reviews.signals import read_changed, reviews_closed

type Found = defaultdict[uuid.UUID, list[LiveEvent]]


def _record_message(name: str, message: Message) -> None:
    event = LiveEvent(name, str(message.pk), str(message.channel_id))
    record_after_commit(message.workspace_id, [event])


@receiver(message_posted)
def _posted(message: Message, **_: Any) -> None:
    asks = ReviewRequest.message.field.remote_field.is_cached(message)  # costs no statement
    _record_message("review-created" if asks else "message-created", message)


@receiver(message_changed)
def _changed(message: Message, fields: frozenset[str], **_: Any) -> None:
    if "delivery_status" in fields:
        _record_message("delivery-changed", message)
    if fields - {"delivery_status"}:
        _record_message("message-changed", message)


@receiver(message_deleted)
def _deleted(message: Message, **_: Any) -> None:
    _record_message("message-deleted", message)


@receiver(status_noted)
def _step_noted(event: StatusEvent, **_: Any) -> None:
    """A step changes how its draft looks. A step that came before its draft shows nowhere yet."""
    drafts = Message.objects.filter(channel=event.channel_id, stream_id=event.stream_id)
    for draft in drafts.only("workspace_id", "channel_id"):
        _record_message("message-changed", draft)


@receiver(reviews_closed)
def _closed(reviews: list[ReviewRequest], **_: Any) -> None:
    found: Found = defaultdict(list)
    for review in reviews:
        event = LiveEvent("review-changed", str(review.pk), str(review.channel_id))
        found[review.workspace_id].append(event)
    _record_all(found)


@receiver(deliveries_finished)
def _finished(deliveries: list[Delivery], **_: Any) -> None:
    found: Found = defaultdict(list)
    for delivery in deliveries:
        about = delivery.event
        found[about.workspace_id].append(
            LiveEvent("delivery-changed", about.reference, about.scope)
        )
    _record_all(found)


@receiver(channel_changed)
@receiver(channel_deleted)
def _channel_changed(channel: Channel, **_: Any) -> None:
    event = LiveEvent("channel-changed", str(channel.pk), str(channel.pk))
    record_after_commit(channel.workspace_id, [event])


@receiver(read_changed)
def _read(reviews: list[ReviewRequest], user_id: uuid.UUID, **_: Any) -> None:
    found: Found = defaultdict(list)
    for review in reviews:
        found[review.workspace_id].append(
            LiveEvent("read-changed", str(review.pk), str(review.channel_id), str(user_id))
        )
    _record_all(found)


def _record_all(found: Found) -> None:
    for workspace_id, events in found.items():
        record_after_commit(workspace_id, events)
