"""What a person does about a receiver: send again, send everything again, test, switch on."""

import itertools
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.ids import parse_uuid
from delivery.egress import origin_of
from delivery.hints import wake_after_commit
from delivery.lanes import enable
from delivery.models import Event, Lane, State
from delivery.outbox import (
    Happening,
    Target,
    enqueue,
    send_again,
    send_failed_again,
    trust_again,
)
from delivery.queries import failed_events, receivers_of
from inbox.errors import DomainError
from inbox.models import Channel, Message
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
    review = ReviewRequest.objects.select_related("message", "channel").filter(pk=message.pk)
    asked = review.first()
    # What a message told: how its review ended, or else that it was written.
    happened = "created" if asked is None else "closed"
    event = Event.objects.filter(once_key=f"{message.pk}:{happened}").exclude(body=None).first()
    if event is None:
        raise NothingToSendError("Cannot retry delivery for this message")
    send_again(event, target=_target(message, asked), now=now)


def _target(message: Message, asked: ReviewRequest | None) -> Target:
    target = channel_target(message.channel) if asked is None else review_target(asked)
    if target is None:
        about = "agent" if asked is None else "message"
        raise NoReceiverError(f"No webhook configured for this {about}")
    return target


TEST = "webhook:test"
MOST_AT_ONCE = 1000
LOOKED_AT = 20_000
BATCH = 200


def failed_in(channel: Channel, *, since: datetime) -> QuerySet[Event]:
    """What a channel's agent was to learn and did not, the oldest first. Tests do not count."""
    events = failed_events(channel.workspace, str(channel.pk), since=since)
    return events.exclude(type=TEST)


def resend_failed(channel: Channel, *, since: datetime, now: datetime) -> int:
    """Send each event of a channel that failed for good once more, with the same event id.

    It goes to the address that is set today; without one it is left as it is. At most a thousand
    at once, the oldest first, in transactions of two hundred. Returns how many will be sent.
    """
    rows = list(failed_in(channel, since=since).values_list("pk", "reference")[:LOOKED_AT])
    sent = 0
    for batch in itertools.batched(rows, BATCH):
        targets = _targets(channel, batch)
        room = itertools.islice(targets.items(), MOST_AT_ONCE - sent)
        sent += send_failed_again(dict(room), now=now)
        if sent >= MOST_AT_ONCE:
            break
    return sent


def _targets(channel: Channel, rows: Sequence[tuple[str, str]]) -> dict[str, Target]:
    """Where each event goes today, by event id. A message that was deleted has the channel's."""
    asked = ReviewRequest.objects.select_related("message", "channel")
    ids = {reference: parse_uuid(reference) for _event, reference in rows}
    reviews = asked.in_bulk([message_id for message_id in ids.values() if message_id])
    own = channel_target(channel)
    found = {}
    for event_id, reference in rows:
        review = reviews.get(ids[reference])
        target = review_target(review) if review else own
        if target is not None:
            found[event_id] = target
    return found


@transaction.atomic
def send_test(channel: Channel, *, now: datetime) -> None:
    """Send a signed event that means nothing. A test that still waits is tried now instead.

    Raises: NoReceiverError.
    """
    target = channel_target(channel)
    if target is None:
        raise NoReceiverError("No webhook configured for this agent")
    tests = Event.objects.filter(workspace=channel.workspace, type=TEST, reference=str(channel.pk))
    waiting = tests.filter(deliveries__state=State.PENDING).first()
    if waiting is not None:
        send_again(waiting, target=target, now=now)
        return
    trust_again(workspace_id=channel.workspace_id, urls=[target.url])
    enqueue([(_test_of(channel, now), target)], now=now)


def _test_of(channel: Channel, now: datetime) -> Happening:
    sent_at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"event": TEST, "channelId": str(channel.pk), "sent_at": sent_at}
    return Happening(
        workspace_id=channel.workspace_id,
        type=TEST,
        reference=str(channel.pk),
        scope=str(channel.pk),
        once_key=f"{channel.pk}:test:{uuid.uuid4().hex}",
        body=json.dumps(body).encode(),
    )


@transaction.atomic
def switch_on(channel: Channel) -> None:
    """Send to the channel's receivers again, from now on; what waits for them is due."""
    url, scope = channel.webhook_url, str(channel.pk)
    if url:
        trust_again(workspace_id=channel.workspace_id, urls=[url])
    off = receivers_of(channel.workspace, scope, origin=origin_of(url) if url else None)
    origins = set(off.exclude(disabled_at=None).values_list("origin", flat=True))
    enable(Lane.objects.filter(workspace=channel.workspace, origin__in=origins))
    wake_after_commit()
