"""Agents, as people see them (Placet contract 3.3)."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from api.placet.serializers.agents import AgentOut, AgentStatus
from api.placet.serializers.base import WireStruct


class MessageAgentOut(WireStruct):
    """The agent of a message: without its webhook."""

    id: str
    name: str
    description: str | None
    avatar_url: str | None
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


class ListedAgentOut(AgentOut):
    """`unreadCount`: the agent's messages since you marked it read; all of them if you never did.

    Webhook and management are null for people who may not change them.
    """

    unread_count: Annotated[int, Meta(ge=0)]
    last_message: str | UnsetType = UNSET
    last_message_time: str | UnsetType = UNSET
