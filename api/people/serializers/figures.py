"""Figures about agents (Placet contract 3.3)."""

from typing import Annotated

from msgspec import Meta

from api.placet.serializers.agents import AgentStatus
from api.placet.serializers.base import WireStruct

Number = Annotated[int, Meta(ge=0)]


class FiguresOut(WireStruct):
    """Requests: the calls of keys, and the calls of webhooks."""

    total_agents: Number
    active_agents: Annotated[int, Meta(ge=0, description="Those whose status is `active`.")]
    total_messages: Number
    success_requests: Number
    error_requests: Number


class StatusChangeOut(WireStruct):
    id: str
    agent_id: str
    status: AgentStatus
    message: str | None
    created_at: str


class AgentFiguresOut(WireStruct):
    """Requests: the calls of keys about the agent, and those of its webhook."""

    total_messages: Number
    total_inbound: Annotated[int, Meta(ge=0, description="From the agent.")]
    total_outbound: Annotated[int, Meta(ge=0, description="From people.")]
    success_requests: Number
    error_requests: Number
    status_history: Annotated[list[StatusChangeOut], Meta(max_length=100)]
