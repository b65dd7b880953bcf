"""What goes over this wire."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

SenderType = Literal["user", "agent", "system"]
Said = Annotated[str, Meta(min_length=1, pattern="\\S")]
SenderId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern="\\S",
        description="Who speaks: any name of yours, kept as given. No person here is meant by it.",
    ),
]
ConversationId = Annotated[
    str,
    Meta(description="Left out or null: a new conversation, or that of the message replied to."),
]
AutoReply = Annotated[bool, Meta(description="Whether to call the agent's webhook.")]


class ConversationMessageIn(Struct, kw_only=True):
    """A message to be sent."""

    sender_id: SenderId
    sender_type: SenderType
    text: Said
    conversation_id: ConversationId | None = None
    reply_to_message_id: str | None = None
    metadata: dict[str, Any] | None = None
    auto_reply: AutoReply = True


class SentMessageOut(Struct):
    """`sender_id` is what was given, or `usr_…` and `agt_…` for what was written elsewhere."""

    id: str
    sender_id: str
    sender_type: SenderType
    text: str
    metadata: dict[str, Any]
    created_at: str


class ConversationMessageOut(SentMessageOut):
    """A message and what it replies to."""

    reply_to_message_id: str | None


class SentOut(Struct):
    conversation_id: str
    message: SentMessageOut
    auto_reply_enqueued: bool


class ConversationPageOut(Struct):
    """Newest first. `next_cursor` is null on the last page."""

    conversation_id: str
    messages: list[ConversationMessageOut]
    next_cursor: str | None


class ConversationEventOut(Struct):
    """`id` is the `webhook-id`; `data` is null once it was erased (30 days).

    Of a message it holds `message`, of a review what its webhook said.
    """

    id: str
    type: str
    conversation_id: str | None
    created_at: str
    data: dict[str, Any] | None


class ConversationEventPageOut(Struct):
    """`cursor` is there also on the last page: keep it, and pass it as `after` next time."""

    events: list[ConversationEventOut]
    cursor: str
    has_more: bool


class Envelope(Struct):
    """Every answer that is not an error."""

    status: Literal["success"]
    message: str


class SentEnvelope(Envelope):
    data: SentOut


class ConversationPageEnvelope(Envelope):
    data: ConversationPageOut


class ConversationEventsEnvelope(Envelope):
    data: ConversationEventPageOut


class ConversationErrorOut(Struct):
    """Every error of this API."""

    status: Literal["error"]
    message: str
    data: None


# What the feed keeps, as far as this dialect shows it


class ToldThread(Struct):
    id: str


class ToldOrigin(Struct, rename="camel"):
    source_type: str
    user_id: str


class ToldMessage(Struct, rename="camel", kw_only=True):
    """A message in a stored event. Its metadata stays as it was written."""

    id: str
    channel_id: str
    sender_type: SenderType
    sender_id: str
    text: str | None
    metadata: Raw
    created_at: str
    reply_to: str | None = None
    thread: ToldThread | None = None
    origin: ToldOrigin | None = None

    @property
    def thread_id(self) -> str | None:
        return self.thread.id if self.thread else None


class ToldBody(Struct):
    message: ToldMessage
