"""Reads about channels and messages. Every one starts from a workspace."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Model, QuerySet

from accounts.ids import parse_uuid
from accounts.models import User, Workspace
from inbox.cutting import first_of
from inbox.errors import DomainError
from inbox.models import Channel, ChannelPicture, Message, Mute, StatusEvent, Thread


class ChannelNotFoundError(DomainError):
    """No such channel in this workspace. Foreign and missing look the same."""

    code = "channel_not_found"


class ChannelNotYoursError(DomainError):
    """The same, where Placet's wire says 403."""

    code = "channel_not_yours"


class MessageNotFoundError(DomainError):
    """No such message in this workspace, or not in the channel that was named."""

    code = "message_not_found"


class ThreadNotFoundError(DomainError):
    """No such thread in this workspace, or not in the channel that was named."""

    code = "thread_not_found"


class ReplyTargetError(DomainError):
    """The message to reply to is not where the reply goes."""

    code = "reply_target"


class BadCursorError(DomainError):
    """A cursor is a message id; this is something else."""

    code = "bad_cursor"


def channels_of(workspace: Workspace | uuid.UUID) -> QuerySet[Channel]:
    """All channels, newest first."""
    return Channel.objects.filter(workspace=workspace).order_by("-id")


def find_channel(workspace: Workspace | uuid.UUID, channel_id: str) -> Channel:
    """Raises: ChannelNotFoundError."""
    wanted = parse_uuid(channel_id)
    channel = channels_of(workspace).filter(pk=wanted).first() if wanted else None
    if channel is None:
        raise ChannelNotFoundError("Agent not found")
    return channel


def require_channel(workspace: Workspace, channel_id: str) -> Channel:
    """Raises: ChannelNotYoursError."""
    try:
        return find_channel(workspace, channel_id)
    except ChannelNotFoundError:
        raise ChannelNotYoursError("Not your agent") from None


def picture_of(channel: Channel) -> bytes | None:
    """A WebP; None if there is none."""
    if not channel.picture:
        return None
    found = ChannelPicture.objects.filter(channel=channel).values_list("content", flat=True)
    content = found.first()
    return None if content is None else bytes(content)


def is_muted(channel: Channel, *, user: User) -> bool:
    return Mute.objects.filter(channel=channel, user=user).exists()


def people_who_muted(channel: Channel) -> set[uuid.UUID]:
    """Ids of those who want no notifications from a channel."""
    return set(Mute.objects.filter(channel=channel).values_list("user_id", flat=True))


def mutes_in(workspaces: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Who muted what: pairs of person and channel."""
    mutes = Mute.objects.filter(channel__workspace__in=workspaces)
    return set(mutes.values_list("user_id", "channel_id"))


def rows_in[M: Model](
    rows: QuerySet[M], workspace: Workspace, channel: Channel | None
) -> QuerySet[M]:
    """Rows of one channel, or of all channels of the workspace; none of a foreign channel.

    A channel is not looked for with its workspace: indexes of channels alone know the answer.
    """
    if channel is None:
        return rows.filter(workspace=workspace)
    return rows.filter(channel=channel) if channel.workspace_id == workspace.pk else rows.none()


def messages_in(workspace: Workspace, channel: Channel | None) -> QuerySet[Message]:
    """Messages of one channel, or of all channels of the workspace, newest first."""
    return rows_in(Message.objects.all(), workspace, channel).order_by("-id")


def find_message(workspace: Workspace, message_id: str, channel: Channel | None) -> Message:
    """Raises: MessageNotFoundError."""
    wanted = parse_uuid(message_id)
    found = messages_in(workspace, channel).filter(pk=wanted).first() if wanted else None
    if found is None:
        raise MessageNotFoundError("Message not found")
    return found


def find_thread(workspace: Workspace, thread_id: str, channel: Channel | None = None) -> Thread:
    """A thread with its channel.

    Raises: ThreadNotFoundError.
    """
    wanted = parse_uuid(thread_id)
    threads = Thread.objects.filter(channel__workspace=workspace).select_related("channel")
    if channel is not None:
        threads = threads.filter(channel=channel)
    found = threads.filter(pk=wanted).first() if wanted else None
    if found is None:
        raise ThreadNotFoundError("There is no such thread in this channel")
    return found


def require_reply_target(channel: Channel, message_id: str) -> Message:
    """The message of a channel that a reply names.

    Raises: ReplyTargetError.
    """
    try:
        return find_message(channel.workspace, message_id, channel)
    except MessageNotFoundError:
        raise ReplyTargetError("There is no such message to reply to in this channel") from None


def messages_of_thread(thread: Thread) -> QuerySet[Message]:
    """Newest first."""
    return Message.objects.filter(thread=thread).order_by("-id")


def chain_of(message: Message) -> QuerySet[Message]:
    """A message and its revisions in their order; one without a chain is alone in it."""
    if message.iteration_group is None:
        return Message.objects.filter(pk=message.pk)
    return Message.objects.filter(iteration_group=message.iteration_group).order_by("iteration")


def steps_of(messages: Sequence[Message]) -> dict[tuple[uuid.UUID, str], list[StatusEvent]]:
    """The status events of streamed messages, by channel and stream: one statement for all."""
    streams = {(m.channel_id, m.stream_id) for m in messages if m.stream_id is not None}
    steps: dict[tuple[uuid.UUID, str], list[StatusEvent]] = {}
    if not streams:
        return steps
    candidates = StatusEvent.objects.filter(
        channel_id__in={channel_id for channel_id, _ in streams},
        stream_id__in={stream_id for _, stream_id in streams},
    )
    for event in candidates.order_by("index"):
        steps.setdefault((event.channel_id, event.stream_id), []).append(event)
    return steps


@dataclass(frozen=True)
class Page:
    """One page of messages, newest first, and the cursor of the next one."""

    messages: Sequence[Message]
    next_cursor: str | None


def behind[M: Model](rows: QuerySet[M], cursor: str | None) -> QuerySet[M]:
    """Rows ordered by falling id, from behind a cursor on. Raises: BadCursorError."""
    if cursor is None:
        return rows
    after = parse_uuid(cursor)
    if after is None:
        raise BadCursorError("cursor must be an id from nextCursor", path=("cursor",))
    return rows.filter(pk__lt=after)


def page_of_messages(messages: QuerySet[Message], *, limit: int, cursor: str | None = None) -> Page:
    """Cut one page out of messages ordered by falling id.

    The cursor is the last id of the page before. Ids sort by time, so a page needs no look at the
    cursor's row, and equal times neither skip nor repeat a message.

    Raises: BadCursorError.
    """
    found = list(first_of(behind(messages, cursor), limit))
    full = len(found) == limit and limit > 0
    return Page(found, str(found[-1].pk) if full else None)
