"""What Placet's clients send, and what they get: shapes only. Unknown keys are dropped.

The structs are the one definition: requests are decoded into them, and the OpenAPI document is
generated from them.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(min_length=1)]
ChannelId = Annotated[str, Meta(min_length=1, max_length=300, description="Id of an agent.")]
Url = Annotated[
    str,
    Meta(min_length=1, max_length=2048, description="An absolute http or https URL."),
]
Tag = Annotated[str, Meta(max_length=64)]
Header = Annotated[str, Meta(max_length=4096)]
Seconds = Annotated[int, Meta(gt=0, le=2**53 - 1)]
MessageStatus = Literal["info", "success", "warning", "error"]
StreamState = Literal["streaming", "complete", "aborted"]


class WireStruct(Struct, rename="camel", kw_only=True):
    """Camel case on the wire, snake case here."""


class CallbackIn(WireStruct):
    """A receiver for one review, used when neither message nor channel names one."""

    url: Url
    method: Annotated[str, Meta(max_length=10, description="POST (default), PUT or PATCH.")] = (
        "POST"
    )
    headers: dict[str, Header] = {}


class ReviewIn(WireStruct):
    """A question to a person. `payload` comes back exactly as it was sent."""

    type: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="approval, selection, form, text-input, freeform, or a name of your own.",
        ),
    ]
    payload: msgspec.Raw | UnsetType = UNSET
    callback: CallbackIn | None = None
    expires_at: (
        Annotated[str, Meta(description="ISO 8601; null means the default, 24 hours.")] | None
    ) = None
    expires_in_seconds: Seconds | UnsetType = UNSET


class TextAttachmentIn(WireStruct):
    """A file given as text."""

    content: Text
    filename: Annotated[str, Meta(min_length=1, max_length=300)] = "content.md"
    mime_type: Annotated[str, Meta(min_length=1, max_length=127)] = "text/markdown"


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
    client_id: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                description="The same value again returns the stored message.",
            ),
        ]
        | UnsetType
    ) = UNSET
    stream_id: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    stream_started_at: Text | UnsetType = UNSET
    stream_state: StreamState | UnsetType = UNSET


class AgentIn(WireStruct):
    """A new agent, which is a channel."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    description: Annotated[str, Meta(max_length=10_000)] | UnsetType = UNSET
    avatar_url: Url | UnsetType = UNSET
    webhook_url: Url | UnsetType = UNSET
    tag: Tag | UnsetType = UNSET


class BasicAuthIn(WireStruct):
    username: Annotated[str, Meta(max_length=255)]
    password: Annotated[str, Meta(max_length=1024)]


class ManagementIn(WireStruct):
    url: Url
    api_key: Annotated[str, Meta(min_length=1, max_length=1024)]


class SetWebhookIn(WireStruct):
    """The webhook of an agent, as a whole: headers and auth that are left out are cleared."""

    url: Url
    channel_id: ChannelId
    headers: dict[str, Header] | UnsetType = UNSET
    auth: BasicAuthIn | UnsetType = UNSET
    management: ManagementIn | UnsetType = UNSET
    is_subagent: bool | UnsetType = UNSET
    parent_channel_id: ChannelId | UnsetType = UNSET


class DeleteWebhookIn(WireStruct):
    channel_id: ChannelId


# What comes back. These document the answers of `wire.py`; a test holds the two together.


class CallbackOut(WireStruct):
    url: str
    method: str
    headers: dict[str, str]


class ReviewOut(WireStruct):
    """`response`, `completedAt`, `feedback` and `modifiedFileIds` are absent until answered."""

    type: str
    status: Literal["pending", "completed", "expired"]
    expires_at: str
    payload: dict[str, Any] | UnsetType = UNSET
    callback: CallbackOut | UnsetType = UNSET
    response: dict[str, Any] | UnsetType = UNSET
    completed_at: str | UnsetType = UNSET
    feedback: str | UnsetType = UNSET
    modified_file_ids: dict[str, str] | UnsetType = UNSET


class AttachmentOut(WireStruct):
    id: str
    message_id: str | None
    channel_id: str
    plugin_type: Literal["@uax/image", "@uax/file"]
    filename: str
    mime_type: str
    size: int
    storage_key: str
    plugin_data: None
    created_at: str
    text_content: str | UnsetType | None = UNSET


class MessageOut(WireStruct):
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
    status_events: list[dict[str, Any]] | UnsetType = UNSET


class MessagePageOut(WireStruct):
    data: list[MessageOut]
    next_cursor: str | None


class DeletedOut(WireStruct):
    deleted: bool


class WaitOut(WireStruct):
    """`message` is absent on a timeout: call again."""

    status: Literal["completed", "expired", "timeout"]
    message: MessageOut | UnsetType = UNSET


class MaskedAuthOut(WireStruct):
    username: str
    password: Literal["***"]


class AgentOut(WireStruct):
    id: str
    name: str
    description: str | None
    avatar_url: str | None
    webhook_url: str | None
    webhook_headers: dict[str, str] | None
    webhook_auth: MaskedAuthOut | None
    status: Literal["active", "busy", "error", "offline"]
    status_message: str | None
    status_since: str | None
    last_active_at: str | None
    commands: list[dict[str, Any]] | None
    tag: str | None
    management_url: str | None
    management_api_key: Literal["***"] | None
    is_subagent: bool
    parent_agent_id: str | None
    created_at: str


class FaultOut(WireStruct):
    code: str
    message: str
    path: list[str | int]


class ErrorOut(WireStruct):
    """Every error of this API."""

    status_code: int
    message: str
    errors: list[FaultOut]
    timestamp: str
    path: str
