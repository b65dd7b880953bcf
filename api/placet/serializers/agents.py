"""Agents, which are channels, and their status (Placet contract 2.4 and 2.5)."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from api.placet.serializers.base import ChannelId, Header, Url, WireStruct

Tag = Annotated[str, Meta(max_length=64)]
AgentStatus = Literal["active", "busy", "error", "offline"]


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
    status: AgentStatus
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


class AgentPatchIn(WireStruct):
    """Changes of an agent: what is left out stays, null clears."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=10_000)] | UnsetType | None = UNSET
    avatar_url: Url | UnsetType | None = UNSET
    webhook_url: Url | UnsetType | None = UNSET
    webhook_headers: dict[str, Header] | UnsetType | None = UNSET
    webhook_auth: BasicAuthIn | UnsetType | None = UNSET
    tag: Tag | UnsetType | None = UNSET


class CommandIn(WireStruct, omit_defaults=True):
    """A command that people are offered in the agent's conversation."""

    command: Annotated[str, Meta(min_length=1, max_length=100)]
    description: Annotated[str, Meta(max_length=1000)]
    accepts_args: bool | UnsetType = UNSET
    arg_hint: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET


class CommandsIn(WireStruct):
    """All commands of an agent; they replace the earlier ones."""

    commands: Annotated[list[CommandIn], Meta(max_length=200)]


class SetTagIn(WireStruct):
    channel_id: ChannelId
    tag: Tag | None


class SetManagementIn(WireStruct):
    """Where the agent's own management API is; both values, or null for both."""

    channel_id: ChannelId
    url: Url | None
    api_key: Annotated[str, Meta(min_length=1, max_length=1024)] | None


class SetSubagentIn(WireStruct):
    """`parentChannelId` is required for a sub-agent and forbidden for any other agent."""

    channel_id: ChannelId
    is_subagent: bool
    parent_channel_id: ChannelId | UnsetType = UNSET


class StatusPingIn(WireStruct):
    """A sign of life. Without `message`, the earlier one is cleared."""

    agent_id: ChannelId
    status: AgentStatus
    message: Annotated[str, Meta(max_length=500)] | UnsetType | None = UNSET
