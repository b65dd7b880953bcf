"""Files (Placet contract 2.6)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from api.placet.serializers.base import ChannelId, Text, WireStruct

MEDIA_TYPE = r"^[A-Za-z0-9][A-Za-z0-9.+_-]*/[A-Za-z0-9][A-Za-z0-9.+_-]*$"


class TextAttachmentIn(WireStruct):
    """A file given as text."""

    content: Text
    filename: Annotated[str, Meta(min_length=1, max_length=300)] = "content.md"
    mime_type: Annotated[str, Meta(min_length=1, max_length=127, pattern=MEDIA_TYPE)] = (
        "text/markdown"
    )


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


class StoreTextIn(WireStruct):
    """Text to be kept as a file. An empty or missing `content` is refused."""

    channel_id: ChannelId
    content: str | UnsetType = UNSET
    filename: Annotated[str, Meta(min_length=1, max_length=300)] = "content.md"
    mime_type: Annotated[str, Meta(min_length=1, max_length=127, pattern=MEDIA_TYPE)] = (
        "text/markdown"
    )
