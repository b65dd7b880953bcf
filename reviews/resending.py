"""Sending what an agent did not get once more, because a person asks for it."""

from datetime import datetime

from delivery.models import Event
from delivery.outbox import Target, send_again
from inbox.errors import DomainError
from inbox.models import Message, Sender
from reviews.models import ReviewRequest
from reviews.targets import channel_target, review_target


class NothingToSendError(DomainError):
    """The message has told its agent nothing: it is the agent's own, or its review is open."""

    code = "nothing_to_send"


class NoReceiverError(DomainError):
    """There is no address to send to."""

    code = "no_receiver"


def resend(message: Message, *, now: datetime) -> None:
    """Send the last event about a message to the address that is set today.

    Unlike Placet (contract 5.6), an expiry can be sent again too, and what is sent is the stored
    event, not a new rendering of the message.

    Raises: NothingToSendError, NoReceiverError.
    """
    event = Event.objects.filter(once_key=_once_key(message)).exclude(body=None).first()
    if event is None:
        raise NothingToSendError("Cannot retry delivery for this message")
    send_again(event, target=_target(message), now=now)


def _once_key(message: Message) -> str:
    """The one event that each message can cause: it was written by a person, or it was decided."""
    happened = "created" if message.sender == Sender.USER else "closed"
    return f"{message.pk}:{happened}"


def _target(message: Message) -> Target:
    review = ReviewRequest.objects.select_related("message", "channel").filter(pk=message.pk)
    asked = review.first()
    target = channel_target(message.channel) if asked is None else review_target(asked)
    if target is None:
        about = "agent" if asked is None else "message"
        raise NoReceiverError(f"No webhook configured for this {about}")
    return target
