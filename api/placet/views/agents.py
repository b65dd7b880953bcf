"""Agents: list, create, and their webhook (Placet contract 2.4)."""

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.placet.documentation import ERRORS, array_of
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.agents import AgentIn, AgentOut, DeleteWebhookIn, SetWebhookIn
from api.placet.views.base import (
    AgentView,
    checked_headers,
    checked_url,
    given,
    read_body,
    workspace_of,
)
from api.placet.wire import agent_body
from inbox.models import Channel
from inbox.queries import channels_of, find_channel
from inbox.services.channels import (
    Webhook,
    create_channel,
    set_management,
    set_subagent,
    set_webhook,
)


class Agents(AgentView):
    @extend_schema(
        operation_id="listAgents",
        tags=["Agents"],
        responses={200: array_of(AgentOut), **ERRORS[401, 429]},
    )
    def get(self, request: Request) -> Response:
        """All agents of the key, newest first."""
        return Response([agent_body(channel) for channel in channels_of(workspace_of(request))])

    @extend_schema(
        operation_id="createAgent",
        tags=["Agents"],
        request=AgentIn,
        responses={201: AgentOut, **ERRORS[400, 401, 413, 415, 429]},
    )
    def post(self, request: Request) -> Response:
        """Create an agent. Names need not be unique."""
        body = read_body(request, AgentIn)
        webhook_url, avatar_url = given(body.webhook_url), given(body.avatar_url)
        channel = create_channel(
            workspace=workspace_of(request),
            name=body.name,
            description=given(body.description),
            avatar_url=avatar_url and checked_avatar(avatar_url),
            webhook_url=webhook_url and checked_url(webhook_url, "webhookUrl"),
            tag=given(body.tag),
            now=timezone.now(),
        )
        return Response(agent_body(channel), status=201)


def checked_avatar(url: str) -> str:
    """An avatar is only ever linked, never fetched: its form is all that counts.

    Raises: InvalidBodyError.
    """
    if not url.startswith(("http://", "https://")):
        problem = "avatarUrl must begin with http:// or https://"
        raise InvalidBodyError(fault("invalid_url", problem, "avatarUrl"))
    return url


class SetWebhook(AgentView):
    @extend_schema(
        operation_id="setWebhook",
        tags=["Agents"],
        request=SetWebhookIn,
        responses={200: AgentOut, **ERRORS[400, 401, 404, 413, 415, 429]},
    )
    @transaction.atomic
    def post(self, request: Request) -> Response:
        """Replace an agent's webhook as a whole: headers and auth left out are cleared."""
        body = read_body(request, SetWebhookIn)
        channel = find_channel(workspace_of(request), body.channel_id)
        set_webhook(channel, webhook=_webhook(body))
        management = given(body.management)
        if management is not None:
            url = checked_url(management.url, "management", "url")
            set_management(channel, url=url, api_key=management.api_key)
        if given(body.is_subagent) is not None or given(body.parent_channel_id) is not None:
            set_subagent(channel, parent=_parent(request, body))
        return Response(agent_body(channel))


def _webhook(body: SetWebhookIn) -> Webhook:
    headers, auth = given(body.headers), given(body.auth)
    return Webhook(
        url=checked_url(body.url, "url"),
        headers=headers if headers is None else checked_headers(headers, "headers"),
        username=auth.username if auth else None,
        password=auth.password if auth else None,
    )


def _parent(request: Request, body: SetWebhookIn) -> Channel | None:
    """The parent that makes a sub-agent; required for one, forbidden for any other agent."""
    parent_id = given(body.parent_channel_id)
    if bool(given(body.is_subagent)) != bool(parent_id):
        problem = "parentChannelId is required for a sub-agent and forbidden for any other agent"
        raise InvalidBodyError(fault("subagent_parent", problem, "parentChannelId"))
    return find_channel(workspace_of(request), parent_id) if parent_id else None


class DeleteWebhook(AgentView):
    @extend_schema(
        operation_id="deleteWebhook",
        tags=["Agents"],
        request=DeleteWebhookIn,
        responses={200: AgentOut, **ERRORS[400, 401, 404, 413, 415, 429]},
    )
    def post(self, request: Request) -> Response:
        """Remove an agent's webhook with its headers and auth."""
        body = read_body(request, DeleteWebhookIn)
        channel = find_channel(workspace_of(request), body.channel_id)
        return Response(agent_body(set_webhook(channel, webhook=None)))
