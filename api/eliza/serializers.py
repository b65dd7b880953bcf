"""What ElizaOS's messaging endpoints take and give. Its names are of both cases, as published."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from api.eliza.fields import MUST

UUID_TEXT = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
NOT_BLANK = r"\S"
MOST_MESSAGES = 100

Uuid = Annotated[
    str,
    Meta(
        pattern=UUID_TEXT,
        max_length=36,
        extra_json_schema={"format": "uuid"},
        extra={MUST: "be a UUID"},
    ),
]
Text = Annotated[str, Meta(pattern=NOT_BLANK, extra={MUST: "be a text that is not blank"})]
ForeignId = Annotated[
    str,
    Meta(
        pattern=NOT_BLANK,
        max_length=255,
        extra={MUST: "be a text of 1 to 255 characters that is not blank"},
    ),
]
Platform = Annotated[
    str,
    Meta(
        pattern=NOT_BLANK,
        max_length=32,
        extra={MUST: "be a text of 1 to 32 characters that is not blank"},
    ),
]
Object = Annotated[dict[str, Any], Meta(extra={MUST: "be an object"})]
Mode = Annotated[
    Literal["sync", "stream", "websocket"],
    Meta(
        description="What the answer is: `websocket`, at once; `sync`, when the agent has "
        "replied; `stream`, the reply as it grows.",
        extra={MUST: "be one of sync, stream, websocket"},
    ),
]


class ChannelMessageIn(Struct, kw_only=True):
    """A message for an agent; or from it, if `author_id` is the channel's own id.

    `author_id` and `message_server_id` can be left out together, as the official client does: then
    the API key and its workspace are meant.
    """

    content: Text
    author_id: Uuid | None = None
    message_server_id: Uuid | None = None
    in_reply_to_message_id: Uuid | None = None
    raw_message: Object | None = None
    metadata: Object | None = None
    source_type: Platform = "eliza_gui"
    mode: Mode = "websocket"


class ChannelMessage(Struct, kw_only=True):
    """A message under its published names and under those that the official client's types use.

    `createdAt` and `updatedAt` are milliseconds since 1970.
    """

    id: str
    text: str
    userId: str  # noqa: N815  # the wire's names
    agentId: str  # noqa: N815
    roomId: str  # noqa: N815
    createdAt: int  # noqa: N815
    metadata: dict[str, Any]
    channelId: str  # noqa: N815
    authorId: str  # noqa: N815
    content: str
    sourceType: str | None  # noqa: N815
    sourceId: str | None  # noqa: N815
    inReplyToRootMessageId: str | None  # noqa: N815
    updatedAt: int  # noqa: N815


class ChannelMessageOut(Struct):
    success: Literal[True]
    data: ChannelMessage


class ReplyEvent(Struct):
    """One event of a `stream`; `data` is a message as JSON, or null after `done`."""

    event: Literal["user_message", "chunk", "done"]
    data: Annotated[str, Meta(extra_json_schema={"contentMediaType": "application/json"})]


class ChannelMessagePage(Struct, kw_only=True):
    """Newest first; `nextCursor` goes into `before`."""

    messages: list[ChannelMessage]
    nextCursor: str | None  # noqa: N815


class ChannelMessagePageOut(Struct):
    success: Literal[True]
    data: ChannelMessagePage


class ExternalMessageIn(Struct, kw_only=True):
    """One message of another platform. `agentId` is a channel here; the other ids are theirs."""

    agentId: Uuid  # noqa: N815
    roomId: Uuid  # noqa: N815
    userId: Uuid  # noqa: N815
    text: Text
    sourceId: ForeignId  # noqa: N815
    sourceType: Annotated[  # noqa: N815
        Literal["discord", "telegram", "twitter"],
        Meta(extra={MUST: "be one of discord, telegram, twitter"}),
    ]
    metadata: Object | None = None


class PlatformMessage(Struct, kw_only=True):
    """`timestamp` is kept in the metadata."""

    id: ForeignId
    authorId: ForeignId  # noqa: N815
    content: Text
    timestamp: Annotated[int | float, Meta(extra={MUST: "be a number"})] | None = None
    metadata: Object | None = None


class PlatformMessagesIn(Struct, kw_only=True):
    """Messages of another platform as the official client sends them: all are stored, or none."""

    platform: Platform
    channelId: Uuid  # noqa: N815
    messages: Annotated[
        list[PlatformMessage],
        Meta(
            max_length=MOST_MESSAGES,
            extra={MUST: f"be a list of at most {MOST_MESSAGES} messages"},
        ),
    ]


class Processed(Struct):
    processed: int


class IngestedOut(Struct):
    """`data` is there for a list of messages, and counts those that were here already."""

    success: Literal[True]
    data: Processed | UnsetType = UNSET


class MessageServer(Struct):
    messageServerId: str  # noqa: N815


class MessageServerOut(Struct):
    success: Literal[True]
    data: MessageServer


class ElizaFault(Struct):
    """`details` names every field that is wrong."""

    code: str
    message: str
    details: str


class ElizaErrorOut(Struct):
    success: Literal[False]
    error: ElizaFault
