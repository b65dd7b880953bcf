"""What agents are told, and where. Listens to the domain; renders with the wire's own functions.

Receivers run inside the transaction of the change, so the outbox row and the change are one.
"""

import uuid
from typing import Any

import orjson
from django.dispatch import receiver
from django.utils import timezone

from api.placet.times import wire_time
from api.placet.wire import loaded, message_body
from delivery.bus import publish_after_commit
from delivery.models import Delivery
from delivery.models import State as DeliveryState
from delivery.outbox import Happening, Target, enqueue
from delivery.signals import delivery_finished
from inbox.models import Channel, DeliveryStatus, Message, Sender
from inbox.services.messages import set_delivery_status
from inbox.signals import channel_deleted, message_deleted, message_posted
from reviews.models import ReviewRequest, Status
from reviews.signals import review_closed
from reviews.targets import channel_target, review_target

FAILED = frozenset({DeliveryState.EXHAUSTED, DeliveryState.GONE, DeliveryState.BLOCKED})
# Events whose end shows in the message's `deliveryStatus` (Placet contract 5.7).
SHOWN_IN_STATUS = frozenset({"message:created", "review:responded"})


def review_topic(message_id: uuid.UUID | str) -> str:
    """The bus topic of a review: it closed, or its message went away."""
    return f"review:{message_id}"


@receiver(message_posted)
def _tell_about_message(message: Message, **_: Any) -> None:
    """A person's message goes to the channel's webhook; an agent's own message goes nowhere."""
    if message.sender != Sender.USER:
        return
    whole = loaded(Message.objects.filter(pk=message.pk)).get()
    body = {
        "event": "message:created",
        "channelId": str(message.channel_id),
        "message": message_body(whole),
    }
    _store(message, "message:created", "created", body, channel_target(message.channel))


@receiver(review_closed)
def _tell_about_review(review: ReviewRequest, **_: Any) -> None:
    publish_after_commit(review_topic(review.pk))
    event, body = (
        ("review:responded", responded_body(review))
        if review.status == Status.COMPLETED
        else ("review:expired", expired_body(review))
    )
    _store(review.message, event, "closed", body, review_target(review))


@receiver(message_deleted)
def _tell_waiters(message: Message, **_: Any) -> None:
    publish_after_commit(review_topic(message.pk))


@receiver(channel_deleted)
def _tell_waiters_of_channel(channel: Channel, **_: Any) -> None:
    pending = ReviewRequest.objects.filter(channel=channel, status=Status.PENDING)
    for message_id in pending.values_list("pk", flat=True):
        publish_after_commit(review_topic(message_id))


@receiver(delivery_finished)
def _note_outcome(delivery: Delivery, **_: Any) -> None:
    if delivery.event.type not in SHOWN_IN_STATUS:
        return
    message_id = uuid.UUID(delivery.event.reference)
    if delivery.state == DeliveryState.DELIVERED:
        set_delivery_status(message_id=message_id, status=DeliveryStatus.DELIVERED)
    elif delivery.state in FAILED:
        set_delivery_status(message_id=message_id, status=DeliveryStatus.FAILED)


def responded_body(review: ReviewRequest) -> dict[str, Any]:
    """The body of `review:responded` (5.4), mixed naming included. No key may be added."""
    decided_at = review.decided_at or timezone.now()
    body: dict[str, Any] = _closed_body("review:responded", review)
    body["response"] = orjson.Fragment(review.response_json or "{}")
    body["responded_at"] = wire_time(decided_at)
    if review.feedback:
        body["feedback"] = review.feedback
    if review.modified_file_ids:
        body["modifiedFileIds"] = review.modified_file_ids
    if review.message.iteration_group:
        body["iterationGroupId"] = str(review.message.iteration_group)
        body["iteration"] = review.message.iteration
    return body


def expired_body(review: ReviewRequest) -> dict[str, Any]:
    """The body of `review:expired` (5.5)."""
    decided_at = review.decided_at or timezone.now()
    return _closed_body("review:expired", review) | {"expired_at": wire_time(decided_at)}


def _closed_body(event: str, review: ReviewRequest) -> dict[str, Any]:
    return {
        "event": event,
        "channelId": str(review.channel_id),
        "message_id": str(review.pk),
        "review_type": review.kind,
    }


def _store(
    message: Message, event: str, once: str, body: dict[str, Any], target: Target | None
) -> None:
    happening = Happening(
        workspace_id=message.workspace_id,
        type=event,
        reference=str(message.pk),
        scope=str(message.channel_id),
        once_key=f"{message.pk}:{once}",
        body=orjson.dumps(body),
    )
    enqueue(happening, target=target, now=timezone.now())
