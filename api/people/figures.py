"""Figures about agents, as Placet's web app shows them. They reach back as far as the logs do."""

from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.models import Workspace
from api.calls import calls_of
from api.models import Call
from api.placet.times import wire_time
from delivery.models import Attempt
from inbox.models import Channel, ChannelStatus, Message, Sender, StatusChange

MOST_CHANGES = 100
FIRST_ERROR = 400
DELIVERED = Q(http_status__gte=200, http_status__lt=300)


def figures_of_all(workspace: Workspace) -> dict[str, Any]:
    """`…Requests`: what agents' keys called, and what agents' webhooks were called with."""
    calls = _outcomes(calls_of(workspace).order_by(), Q(status__lt=FIRST_ERROR))
    told = _outcomes(_attempts().filter(delivery__event__workspace=workspace), DELIVERED)
    agents = Channel.objects.filter(workspace=workspace).aggregate(
        all=Count("pk"), active=Count("pk", filter=Q(status=ChannelStatus.ACTIVE))
    )
    return {
        "totalAgents": agents["all"],
        "activeAgents": agents["active"],
        "totalMessages": Message.objects.filter(workspace=workspace).count(),
        "successRequests": calls["good"] + told["good"],
        "errorRequests": calls["bad"] + told["bad"],
    }


def figures_of(channel: Channel) -> dict[str, Any]:
    """`…Requests`: calls of keys that were about the agent, and calls of its webhook."""
    about = Call.objects.filter(workspace=channel.workspace_id, channel_id=channel.pk)
    calls = _outcomes(about, Q(status__lt=FIRST_ERROR))
    told = _outcomes(_attempts().filter(delivery__signing_scope=str(channel.pk)), DELIVERED)
    said = Message.objects.filter(channel=channel).aggregate(
        all=Count("pk"), inbound=Count("pk", filter=Q(sender=Sender.AGENT))
    )
    changes = channel.status_history.order_by("-pk")[:MOST_CHANGES]
    return {
        "totalMessages": said["all"],
        "totalInbound": said["inbound"],
        "totalOutbound": said["all"] - said["inbound"],
        "successRequests": calls["good"] + told["good"],
        "errorRequests": calls["bad"] + told["bad"],
        "statusHistory": [_change_body(change) for change in changes],
    }


def _attempts() -> QuerySet[Attempt]:
    """Those that have ended."""
    return Attempt.objects.filter(ended_at__isnull=False)


def _outcomes(rows: QuerySet[Call] | QuerySet[Attempt], good: Q) -> dict[str, int]:
    counted = rows.aggregate(all=Count("pk"), good=Count("pk", filter=good))
    return {"good": counted["good"], "bad": counted["all"] - counted["good"]}


def _change_body(change: StatusChange) -> dict[str, Any]:
    return {
        "id": str(change.pk),
        "agentId": str(change.channel_id),
        "status": change.status,
        "message": change.message,
        "createdAt": wire_time(change.changed_at),
    }
