"""What sockets send (Placet contract 6.1)."""

from typing import Annotated

from msgspec import Meta

from api.placet.serializers.agents import CommandIn
from api.placet.serializers.base import ChannelId, Url, WireStruct

Short = Annotated[str, Meta(min_length=1, max_length=512)]


class DeltaIn(WireStruct):
    """A piece of a reply that is being written."""

    channel_id: ChannelId
    delta: str
    stream_id: Short | None = None
    stream_end: bool | None = None


class ProgressIn(WireStruct):
    """What the agent is doing."""

    channel_id: ChannelId
    content: str
    tool_hint: bool | None = None


class AgentCommandsIn(WireStruct):
    """The commands that the agent offers now."""

    channel_id: ChannelId
    commands: Annotated[list[CommandIn], Meta(max_length=200)]


class DeviceCodeIn(WireStruct):
    verification_uri: Url
    user_code: Short
    expires_in: float | None = None


class OAuthStartIn(WireStruct):
    """A login that a person has to go through in a browser."""

    channel_id: ChannelId
    state: Short
    provider: Short
    auth_url: Url | None = None
    device_code: DeviceCodeIn | None = None
