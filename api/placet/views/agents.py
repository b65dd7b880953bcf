"""Agents: everything about a channel itself (Placet contract 2.4 and 2.5)."""

from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Workspace
from api.placet.documentation import array_of, operation
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.agents import (
    AgentIn,
    AgentOut,
    AgentPatchIn,
    CommandsIn,
    DeleteWebhookIn,
    SetManagementIn,
    SetSubagentIn,
    SetTagIn,
    SetWebhookIn,
    StatusPingIn,
)
from api.placet.serializers.base import DeletedOut
from api.placet.views.base import (
    AgentView,
    checked_headers,
    checked_url,
    given,
    read_body,
    workspace_of,
)
from api.placet.wire import agent_body
from inbox.models import Channel, ChannelStatus
from inbox.queries import channels_of, find_channel
from inbox.services.channels import (
    Webhook,
    change_webhook,
    create_channel,
    delete_channel,
    describe_channel,
    note_status,
    set_commands,
    set_management,
    set_subagent,
    set_webhook,
)
from inbox.services.pictures import remove_picture


class Agents(AgentView):
    @operation("listAgents", tag="Agents", answers={200: array_of(AgentOut)})
    def get(self, request: Request) -> Response:
        """All agents of the key, newest first."""
        return Response([agent_body(channel) for channel in channels_of(workspace_of(request))])

    @operation("createAgent", tag="Agents", body=AgentIn, answers={201: AgentOut})
    def post(self, request: Request) -> Response:
        """Create an agent. Names need not be unique."""
        channel = create_agent(workspace_of(request), read_body(request, AgentIn))
        return Response(agent_body(channel), status=201)


def create_agent(workspace: Workspace, body: AgentIn) -> Channel:
    """Raises: InvalidBodyError."""
    webhook_url, avatar_url = given(body.webhook_url), given(body.avatar_url)
    return create_channel(
        workspace=workspace,
        name=body.name,
        description=given(body.description),
        avatar_url=avatar_url and checked_avatar(avatar_url),
        webhook_url=webhook_url and checked_url(webhook_url, "webhookUrl"),
        tag=given(body.tag),
        now=timezone.now(),
    )


def checked_avatar(url: str) -> str:
    """An avatar is only ever linked, never fetched: its form is all that counts.

    Raises: InvalidBodyError.
    """
    if not url.startswith(("http://", "https://")):
        problem = "avatarUrl must begin with http:// or https://"
        raise InvalidBodyError(fault("invalid_url", problem, "avatarUrl"))
    return url


class OneAgent(AgentView):
    @operation(
        "updateAgent", tag="Agents", body=AgentPatchIn, answers={200: AgentOut}, errors=[404]
    )
    @transaction.atomic
    def patch(self, request: Request, agent_id: str) -> Response:
        """Change an agent: what is left out stays, null clears."""
        body = read_body(request, AgentPatchIn)
        return Response(
            agent_body(change_agent(find_channel(workspace_of(request), agent_id), body))
        )

    @operation("deleteAgent", tag="Agents", answers={200: DeletedOut}, errors=[404])
    def delete(self, request: Request, agent_id: str) -> Response:
        """Delete an agent with its messages, reviews and files."""
        delete_channel(find_channel(workspace_of(request), agent_id))
        return Response({"deleted": True})


def change_agent(channel: Channel, body: AgentPatchIn) -> Channel:
    """Raises: InvalidBodyError."""
    description, webhook = _description(body), _webhook_parts(body)
    if body.avatar_url is None and channel.picture:
        channel = remove_picture(channel)
    if description:
        channel = describe_channel(channel, **description)
    return change_webhook(channel, **webhook) if webhook else channel


def _description(body: AgentPatchIn) -> dict[str, str | None]:
    """What the body says about the agent itself; null where it clears a value."""
    changes = {name: getattr(body, name) for name in ("name", "description", "avatar_url", "tag")}
    if given(body.avatar_url):
        checked_avatar(str(body.avatar_url))
    return {name: value for name, value in changes.items() if value is not UNSET}


def _webhook_parts(body: AgentPatchIn) -> dict[str, Any]:
    """What the body says about the webhook, in the words of `inbox`."""
    parts: dict[str, Any] = {}
    if body.webhook_url is not UNSET:
        url = given(body.webhook_url)
        parts["url"] = checked_url(url, "webhookUrl") if url else ""
    if body.webhook_headers is not UNSET:
        headers = given(body.webhook_headers)
        parts["headers"] = checked_headers(headers, "webhookHeaders") if headers else headers
    if body.webhook_auth is not UNSET:
        auth = given(body.webhook_auth)
        parts["username"] = auth.username if auth else None
        parts["password"] = auth.password if auth else None
    return parts


class Commands(AgentView):
    @operation("setCommands", tag="Agents", body=CommandsIn, answers={200: AgentOut}, errors=[404])
    def put(self, request: Request, agent_id: str) -> Response:
        """Replace the commands that people are offered."""
        body = read_body(request, CommandsIn)
        channel = find_channel(workspace_of(request), agent_id)
        commands = [msgspec.to_builtins(command) for command in body.commands]
        return Response(agent_body(set_commands(channel, commands=commands)))


class SetWebhook(AgentView):
    @operation("setWebhook", tag="Agents", body=SetWebhookIn, answers={200: AgentOut}, errors=[404])
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
            set_subagent(channel, parent=parent_in(request, body))
        return Response(agent_body(channel))


def _webhook(body: SetWebhookIn) -> Webhook:
    headers, auth = given(body.headers), given(body.auth)
    return Webhook(
        url=checked_url(body.url, "url"),
        headers=headers if headers is None else checked_headers(headers, "headers"),
        username=auth.username if auth else None,
        password=auth.password if auth else None,
    )


def parent_in(request: Request, body: SetWebhookIn | SetSubagentIn) -> Channel | None:
    """The parent that makes a sub-agent; required for one, forbidden for any other agent."""
    parent_id = given(body.parent_channel_id)
    if bool(given(body.is_subagent)) != bool(parent_id):
        problem = "parentChannelId is required for a sub-agent and forbidden for any other agent"
        raise InvalidBodyError(fault("subagent_parent", problem, "parentChannelId"))
    return find_channel(workspace_of(request), parent_id) if parent_id else None


class DeleteWebhook(AgentView):
    @operation(
        "deleteWebhook", tag="Agents", body=DeleteWebhookIn, answers={200: AgentOut}, errors=[404]
    )
    def post(self, request: Request) -> Response:
        """Remove an agent's webhook with its headers and auth."""
        body = read_body(request, DeleteWebhookIn)
        channel = find_channel(workspace_of(request), body.channel_id)
        return Response(agent_body(set_webhook(channel, webhook=None)))


class SetTag(AgentView):
    @operation("setTag", tag="Agents", body=SetTagIn, answers={200: AgentOut}, errors=[404])
    def post(self, request: Request) -> Response:
        """Set the tag by which people group agents; null removes it."""
        body = read_body(request, SetTagIn)
        channel = find_channel(workspace_of(request), body.channel_id)
        return Response(agent_body(describe_channel(channel, tag=body.tag)))


class SetManagement(AgentView):
    @operation(
        "setManagement", tag="Agents", body=SetManagementIn, answers={200: AgentOut}, errors=[404]
    )
    def post(self, request: Request) -> Response:
        """Say where the agent's own management API is, and its key; null for both removes them."""
        body = read_body(request, SetManagementIn)
        channel = find_channel(workspace_of(request), body.channel_id)
        if (body.url is None) != (body.api_key is None):
            problem = "give url and apiKey, or null for both"
            missing = "url" if body.url is None else "apiKey"
            raise InvalidBodyError(fault("incomplete_management", problem, missing))
        url = checked_url(body.url, "url") if body.url else None
        return Response(agent_body(set_management(channel, url=url, api_key=body.api_key)))


class SetSubagent(AgentView):
    @operation(
        "setSubagent", tag="Agents", body=SetSubagentIn, answers={200: AgentOut}, errors=[404]
    )
    def post(self, request: Request) -> Response:
        """Make an agent the sub-agent of another, or an agent of its own again."""
        body = read_body(request, SetSubagentIn)
        channel = find_channel(workspace_of(request), body.channel_id)
        return Response(agent_body(set_subagent(channel, parent=parent_in(request, body))))


class StatusPing(AgentView):
    @operation("pingStatus", tag="Status", body=StatusPingIn, answers={201: AgentOut}, errors=[404])
    def post(self, request: Request) -> Response:
        """Give a sign of life. Only another status than before goes into the history."""
        body = read_body(request, StatusPingIn)
        channel = note_status(
            find_channel(workspace_of(request), body.agent_id),
            status=ChannelStatus(body.status),
            message=given(body.message),
            now=timezone.now(),
        )
        return Response(agent_body(channel), status=201)
