"""Messages in threads: rooms of other platforms, and conversations."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction

from accounts.ids import uuid7
from inbox.models import Channel, Sender, Thread
from inbox.services.messages import (
    Draft,
    Posted,
    hold_channel,
    post_message,
    refuse_what_is_gone,
)


@dataclass(frozen=True)
class Room:
    """A room of another platform. `foreign_id` is its id there, kept as given."""

    source: str
    foreign_id: str
    title: str = ""


def post_in_room(
    *, channel: Channel, room: Room, sender: Sender, draft: Draft, now: datetime
) -> Posted:
    """Store a message in the thread of a foreign room; the first one makes the thread.

    The unique room decides, so that simultaneous first messages share one thread. A thread that is
    deleted meanwhile is made again.

    Raises: ChannelNotYoursError for a channel that was deleted meanwhile.
    """
    post = partial(_post_in_room, channel, room, sender, draft, now)
    try:
        return post()
    except IntegrityError:
        refuse_what_is_gone(channel, draft)
        return post()


@transaction.atomic
def _post_in_room(
    channel: Channel, room: Room, sender: Sender, draft: Draft, now: datetime
) -> Posted:
    thread, _ = Thread.objects.get_or_create(
        channel=channel,
        source=room.source,
        foreign_id=room.foreign_id,
        defaults={"id": uuid7(now), "title": room.title, "created_at": now},
    )
    return post_message(
        channel=channel, sender=sender, draft=replace(draft, thread=thread), now=now
    )


@transaction.atomic
def post_in_new_thread(
    *, channel: Channel, source: str, sender: Sender, draft: Draft, now: datetime, title: str = ""
) -> Posted:
    """Begin a conversation with its first message; without it there is none.

    Raises: ChannelNotYoursError for a channel that was deleted meanwhile.
    """
    hold_channel(channel.pk)
    thread = Thread.objects.create(
        id=uuid7(now), channel=channel, source=source, title=title, created_at=now
    )
    return post_message(
        channel=channel, sender=sender, draft=replace(draft, thread=thread), now=now
    )
