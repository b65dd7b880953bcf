"""Messages (Placet contract 2.1 and 2.2)."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from api.placet.serializers.base import ChannelId, ClientId, Text, Url, WireStruct
from api.placet.serializers.files import AttachmentOut, TextAttachmentIn
from api.placet.serializers.reviews import ReviewIn, ReviewOut

MessageStatus = Literal["info", "success", "warning", "error"]
StreamState = Literal["streaming", "complete", "aborted"]


class MessageIn(WireStruct):
    """A new message. At least one of text, review, status and attachments must be there."""

    channel_id: ChannelId
    text: str | UnsetType = UNSET
    status: MessageStatus | UnsetType = UNSET
    review: ReviewIn | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    webhook_url: Url | UnsetType = UNSET
    attachment_ids: Annotated[list[Text], Meta(max_length=100)] = []
    text_attachments: Annotated[list[TextAttachmentIn], Meta(max_length=100)] = []
    iteration_of: Text | UnsetType = UNSET
    reply_to: Text | UnsetType = UNSET
    thread_id: Text | UnsetType = UNSET
    client_id: ClientId | UnsetType = UNSET
    stream_id: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    stream_started_at: Text | UnsetType = UNSET
    stream_state: StreamState | UnsetType = UNSET


class StatusEventOut(WireStruct):
    """A step of a streamed reply."""

    id: str
    channel_id: str
    stream_id: str
    index: Annotated[int, Meta(ge=0)]
    text: str
    tool_hint: bool
    created_at: str


class ThreadOut(WireStruct):
    """A conversation, or a room of another platform; `roomId` is the room's id there."""

    id: str
    source_type: str
    room_id: str | None
    title: str


class OriginOut(WireStruct):
    """Where a message was written, if not here, and by whom there; nobody proved the name."""

    source_type: str
    source_id: str | None
    user_id: str
    user_name: str


class MessageOut(WireStruct):
    """`replyTo`, `thread` and `origin` are absent where a message has none."""

    id: str
    channel_id: str
    sender_type: Literal["agent", "user"]
    sender_id: str
    text: str | None
    status: MessageStatus | None
    review: ReviewOut | None
    metadata: dict[str, Any] | None
    client_id: str | None
    stream_id: str | None
    stream_state: StreamState | None
    delivery_status: Literal["sent", "webhook_delivered", "webhook_failed", "agent_received"]
    iteration_group_id: str | None
    iteration: int | None
    created_at: str
    updated_at: str
    attachments: list[AttachmentOut]
    status_events: list[StatusEventOut] | UnsetType = UNSET
    reply_to: str | UnsetType = UNSET
    reply_to_source_id: str | UnsetType = UNSET
    thread: ThreadOut | UnsetType = UNSET
    origin: OriginOut | UnsetType = UNSET


class MessagePageOut(WireStruct):
    data: list[MessageOut]
    next_cursor: str | None


class WaitOut(WireStruct):
    """`message` is absent on a timeout: call again."""

    status: Literal["completed", "expired", "timeout"]
    message: MessageOut | UnsetType = UNSET


class AcknowledgedOut(WireStruct):
    acknowledged: bool


class IterationsOut(WireStruct):
    """A message and its revisions, the oldest first."""

    group_id: str
    iterations: list[MessageOut]


class StreamPatchIn(WireStruct):
    """`text` is the whole text so far, not what was added."""

    channel_id: ChannelId
    text: str
    complete: bool | UnsetType = UNSET
    stream_state: StreamState | UnsetType = UNSET


class StatusEventIn(WireStruct):
    channel_id: ChannelId
    text: Annotated[str, Meta(min_length=1, max_length=100_000)]
    tool_hint: bool = False
