"""Agents, which are channels (Placet contract 3.3)."""

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from api.people.documentation import WORKSPACE, operation
from api.people.serializers.agents import ListedAgentOut
from api.people.unread import mark_channel_read, with_unread
from api.people.views.base import PersonView, managing, membership_of, person_of, workspace_of
from api.people.wire import listed_agent
from api.placet.documentation import array_of
from api.placet.serializers.agents import AgentIn, AgentOut, AgentPatchIn
from api.placet.serializers.base import DeletedOut
from api.placet.views.agents import change_agent, create_agent
from api.placet.views.base import read_body
from api.placet.wire import agent_body
from inbox.queries import channels_of, find_channel
from inbox.services.channels import delete_channel


class Agents(PersonView):
    @operation(
        "listAgentsAsPerson",
        tag="Agents of people",
        answers={200: array_of(ListedAgentOut)},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request) -> Response:
        """All agents of the workspace, newest first, with their last message and what is unread."""
        membership = membership_of(request)
        channels = with_unread(channels_of(membership.workspace), person_of(request))
        return Response([listed_agent(channel, membership) for channel in channels])

    @operation(
        "createAgentAsPerson",
        tag="Agents of people",
        body=AgentIn,
        answers={201: AgentOut},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request) -> Response:
        """Create an agent. Names need not be unique."""
        workspace = managing(request).workspace
        channel = create_agent(workspace, read_body(request, AgentIn))
        return Response(agent_body(channel), status=201)


class OneAgent(PersonView):
    @operation(
        "updateAgentAsPerson",
        tag="Agents of people",
        body=AgentPatchIn,
        answers={200: AgentOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    @transaction.atomic
    def patch(self, request: Request, agent_id: str) -> Response:
        """Change an agent: what is left out stays, null clears."""
        workspace = managing(request).workspace
        body = read_body(request, AgentPatchIn)
        return Response(agent_body(change_agent(find_channel(workspace, agent_id), body)))

    @operation(
        "deleteAgentAsPerson",
        tag="Agents of people",
        answers={200: DeletedOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def delete(self, request: Request, agent_id: str) -> Response:
        """Delete an agent with its messages, reviews and files."""
        delete_channel(find_channel(managing(request).workspace, agent_id))
        return Response({"deleted": True})


class Read(PersonView):
    @operation(
        "markAgentRead",
        tag="Agents of people",
        answers={201: OpenApiResponse(description="Marked. The body is empty.")},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request, agent_id: str) -> Response:
        """Mark everything that the agent said so far as read by you."""
        channel = find_channel(workspace_of(request), agent_id)
        mark_channel_read(channel, person_of(request), now=timezone.now())
        return Response(status=201)
