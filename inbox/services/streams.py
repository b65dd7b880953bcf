"""Writes about streamed replies: a draft that grows, and the steps reported beside it."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.ids import uuid7
from inbox.errors import DomainError
from inbox.models import Channel, Message, Sender, StatusEvent, StreamState
from inbox.services.messages import announce_message, hold_channel
from inbox.signals import status_noted

STALE_AFTER = timedelta(minutes=5)
MOST_STEPS = 1000


class NoDraftError(DomainError):
    """Nothing was posted with this stream id in this channel."""

    code = "no_draft"


def update_stream(
    channel: Channel,
    *,
    stream_id: str,
    text: str,
    now: datetime,
    ending: StreamState | None = None,
) -> Message:
    """Replace the whole text of a draft, and end it with `ending`.

    A finished stream is final: it comes back as it stands. A draft that only the clock gave up
    goes on, for its agent never said that it was done.

    Raises: NoDraftError.
    """
    draft = _draft(channel, stream_id)
    with transaction.atomic():
        open_draft = Message.objects.filter(pk=draft.pk).filter(
            Q(stream_state=None) | Q(stream_state=StreamState.STREAMING) | Q(stream_lapsed=True)
        )
        changes = {"text": text, "updated_at": now, "stream_lapsed": False}
        if ending or draft.stream_lapsed:
            changes["stream_state"] = ending or StreamState.STREAMING
        if open_draft.update(**changes):
            draft.refresh_from_db()
            announce_message(draft, "text", "stream_state")
            return draft
    return _draft(channel, stream_id)


def _draft(channel: Channel, stream_id: str) -> Message:
    drafts = Message.objects.filter(channel=channel, sender=Sender.AGENT, stream_id=stream_id)
    draft = drafts.first()
    if draft is None:
        raise NoDraftError("No streaming draft for this (channelId, streamId)")
    return draft


class TooManyStepsError(DomainError):
    """A stream has room for so many steps."""

    code = "too_many_steps"


@transaction.atomic
def note_step(
    channel: Channel, *, stream_id: str, text: str, tool_hint: bool, now: datetime
) -> StatusEvent:
    """Add the next step of a stream, numbered from 0; the draft may come later.

    The channel is locked, so that parallel steps are numbered one after the other. A step is a
    sign of life of its draft.

    Raises: TooManyStepsError, ChannelNotYoursError for a channel deleted meanwhile.
    """
    hold_channel(channel.pk)
    steps = StatusEvent.objects.filter(channel=channel, stream_id=stream_id)
    last = steps.order_by("-index").values_list("index", flat=True).first()
    index = 0 if last is None else last + 1
    if index >= MOST_STEPS:
        raise TooManyStepsError(f"A stream has at most {MOST_STEPS} status events")
    event = StatusEvent.objects.create(
        id=uuid7(now),
        channel=channel,
        stream_id=stream_id,
        index=index,
        text=text,
        tool_hint=tool_hint,
        created_at=now,
    )
    running = Message.objects.filter(stream_state=StreamState.STREAMING)
    running.filter(channel=channel, stream_id=stream_id).update(updated_at=now)
    status_noted.send(sender=StatusEvent, event=event)
    return event


@transaction.atomic
def give_up_stale_streams(*, now: datetime, limit: int) -> int:
    """End drafts that nobody touched for five minutes. Returns how many."""
    stale = Message.objects.filter(
        stream_state=StreamState.STREAMING, updated_at__lt=now - STALE_AFTER
    )
    locked = stale.select_for_update(skip_locked=True).order_by("updated_at")
    drafts = list(locked[:limit])
    for draft in drafts:
        draft.stream_state, draft.stream_lapsed = StreamState.ABORTED, True
        draft.save(update_fields=["stream_state", "stream_lapsed"])
        announce_message(draft, "stream_state")
    return len(drafts)
