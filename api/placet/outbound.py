"""What agents are told, and where. Listens to the domain; renders with the wire's own functions.

Receivers run inside the transaction of the change, so the outbox row and the change are one.
"""

import uuid
from collections import defaultdict
from typing import Any

import orjson
from django.dispatch import receiver
from django.utils import timezone

from api.placet.times import wire_time
from api.placet.wire import loaded, message_body
from delivery import faults
from delivery.bus import publish_after_commit
from delivery.models import Delivery, Event, State
from delivery.outbox import Happening, Target, cancel, enqueue
from delivery.signals import deliveries_finished
from inbox.models import Channel, DeliveryStatus, Message, Sender, StreamState
from inbox.services.messages import set_delivery_status
from inbox.signals import channel_deleted, message_changed, message_deleted, message_posted
from reviews.models import ReviewRequest, Status
from reviews.signals import reviews_closed
from reviews.targets import channel_target, review_target

STATUS_OF_STATE = {
    State.DELIVERED: DeliveryStatus.DELIVERED,
    State.EXHAUSTED: DeliveryStatus.FAILED,
    State.GONE: DeliveryStatus.FAILED,
    State.BLOCKED: DeliveryStatus.FAILED,
}
# Events whose end shows in the message's `deliveryStatus` (Placet contract 5.7).
SHOWN_IN_STATUS = frozenset({"message:created", "review:responded"})


def review_topic(message_id: uuid.UUID | str) -> str:
    """The bus topic of a review: it closed, or its message went away."""
    return f"review:{message_id}"


@receiver(message_posted)
def _tell_about_message(message: Message, *, by_webhook: bool, **_: Any) -> None:
    """A person's message goes to the agent; an agent's own only to who waits in a thread."""
    faults.hit("create.before_commit")
    if message.sender == Sender.USER:
        _tell("message:created", message, channel_target(message.channel) if by_webhook else None)
    elif _is_finished_reply(message):
        _tell_about_reply(message)


@receiver(message_changed)
def _tell_about_end_of_stream(message: Message, *, fields: frozenset[str], **_: Any) -> None:
    if "stream_state" not in fields or not _is_finished_reply(message):
        return
    if not Event.objects.filter(once_key=_once_key(message, "created")).exists():
        _tell_about_reply(message)


def _is_finished_reply(message: Message) -> bool:
    """An agent's words in a thread that will not change. A draft that went silent may go on."""
    is_reply = message.sender == Sender.AGENT and message.thread_id is not None
    return is_reply and message.stream_state != StreamState.STREAMING and not message.stream_lapsed


def _tell_about_reply(message: Message) -> None:
    """By an event of its own, so that no agent takes its own words for somebody else's.

    A bridge learns by webhook what it is to carry into its room; conversations are read by feed.
    """
    is_foreign = message.thread is not None and message.thread.foreign_id is not None
    _tell("message:replied", message, channel_target(message.channel) if is_foreign else None)


def _tell(event: str, message: Message, target: Target | None) -> None:
    whole = loaded(Message.objects.filter(pk=message.pk)).get()
    body = {"event": event, "channelId": str(message.channel_id), "message": message_body(whole)}
    happening = _happening(message, event, "created", body)
    enqueue([(happening, target)], now=timezone.now())


@receiver(reviews_closed)
def _tell_about_reviews(reviews: list[ReviewRequest], **_: Any) -> None:
    for review in reviews:
        publish_after_commit(review_topic(review.pk))
    notices = [(_closing(review), review_target(review)) for review in reviews]
    enqueue(notices, now=timezone.now())


def _closing(review: ReviewRequest) -> Happening:
    event, body = (
        ("review:responded", responded_body(review))
        if review.status == Status.COMPLETED
        else ("review:expired", expired_body(review))
    )
    return _happening(review.message, event, "closed", body)


@receiver(message_deleted)
def _tell_waiters(message: Message, **_: Any) -> None:
    publish_after_commit(review_topic(message.pk))


@receiver(channel_deleted)
def _tell_waiters_of_channel(channel: Channel, **_: Any) -> None:
    pending = ReviewRequest.objects.filter(channel=channel, status=Status.PENDING)
    for message_id in pending.values_list("pk", flat=True):
        publish_after_commit(review_topic(message_id))


@receiver(channel_deleted)
def _stop_telling(channel: Channel, **_: Any) -> None:
    """Its receiver is nobody's any more."""
    cancel(Delivery.objects.filter(signing_scope=str(channel.pk)), now=timezone.now())


@receiver(deliveries_finished)
def _note_outcomes(deliveries: list[Delivery], **_: Any) -> None:
    ended: dict[DeliveryStatus, list[uuid.UUID]] = defaultdict(list)
    for delivery in deliveries:
        status = STATUS_OF_STATE.get(State(delivery.state))
        if status and delivery.event.type in SHOWN_IN_STATUS:
            ended[status].append(uuid.UUID(delivery.event.reference))
    for status, message_ids in ended.items():
        set_delivery_status(message_ids=message_ids, status=status)


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


def _happening(message: Message, event: str, once: str, body: dict[str, Any]) -> Happening:
    return Happening(
        workspace_id=message.workspace_id,
        type=event,
        reference=str(message.pk),
        scope=str(message.channel_id),
        once_key=_once_key(message, once),
        body=orjson.dumps(body),
    )


def _once_key(message: Message, once: str) -> str:
    return f"{message.pk}:{once}"
