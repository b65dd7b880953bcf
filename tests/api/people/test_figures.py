"""Figures about agents: right, of their own workspace, and with few statements."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Workspace
from delivery.models import Attempt, Delivery
from inbox.models import Channel, ChannelStatus, Sender
from inbox.services.channels import Webhook as Hook
from inbox.services.channels import note_status, set_webhook
from tests.conftest import Agent, Caller
from tests.factories import make_call, make_channel, make_message, make_workspace

pytestmark = pytest.mark.django_db


def told(channel: Channel, now: datetime, *statuses: int | None) -> None:
    """A person's message, and attempts to deliver it; the last one is in the air."""
    set_webhook(channel, webhook=Hook(url="http://127.0.0.1:8999/"))
    make_message(channel, sender=Sender.USER, text="hurry")
    delivery = Delivery.objects.latest("created_at")
    about: Any = {"delivery": delivery, "started_at": now, "token": delivery.pk}
    for number, status in enumerate(statuses, 1):
        Attempt.objects.create(number=number, ended_at=now, http_status=status, **about)
    Attempt.objects.create(number=len(statuses) + 1, **about)


def test_figures_of_all_agents(
    caller: Caller, workspace: Workspace, channel: Channel, now: datetime
) -> None:
    busy = make_channel(workspace)
    note_status(channel, status=ChannelStatus.ACTIVE, message=None, now=now)
    note_status(busy, status=ChannelStatus.BUSY, message=None, now=now)
    told(channel, now, 200, 500, None)
    for status in (200, 201, 304, 404, 500):
        make_call(workspace, now, status=status)
    assert caller.get("/api/agents/stats").json() == {
        "totalAgents": 2,
        "activeAgents": 1,
        "totalMessages": 1,
        "successRequests": 4,
        "errorRequests": 4,
    }


def test_figures_of_one_agent(
    caller: Caller, workspace: Workspace, channel: Channel, now: datetime
) -> None:
    other = make_channel(workspace)
    told(channel, now, 204, 404)
    told(other, now, 200)
    for _ in range(3):
        make_message(channel)
    make_call(workspace, now, status=201, channel_id=channel.pk)
    make_call(workspace, now, status=413, channel_id=channel.pk)
    make_call(workspace, now, status=200, channel_id=other.pk)
    make_call(workspace, now, status=200)
    figures = caller.get(f"/api/agents/{channel.pk}/stats").json()
    assert figures == {
        "totalMessages": 4,
        "totalInbound": 3,
        "totalOutbound": 1,
        "successRequests": 2,
        "errorRequests": 2,
        "statusHistory": [],
    }


def test_history_holds_the_last_hundred_changes(
    caller: Caller, agent: Agent, channel: Channel, now: datetime
) -> None:
    body = {"agentId": str(channel.pk), "status": "error", "message": "no disk"}
    for _ in range(2):
        assert agent.post("/api/v1/status/ping", body).status_code == 201
    (change,) = caller.get(f"/api/agents/{channel.pk}/stats").json()["statusHistory"]
    assert (change["status"], change["message"]) == ("error", "no disk")
    assert change["agentId"] == str(channel.pk)
    assert change["createdAt"].endswith("Z")
    for number in range(120):
        status = ChannelStatus.BUSY if number % 2 else ChannelStatus.ACTIVE
        note_status(
            channel, status=status, message=str(number), now=now + timedelta(seconds=number)
        )
    shown = caller.get(f"/api/agents/{channel.pk}/stats").json()["statusHistory"]
    assert [each["message"] for each in shown] == [str(number) for number in range(119, 19, -1)]


def test_strangers_do_not_count(caller: Caller, channel: Channel, now: datetime) -> None:
    elsewhere = make_workspace("Elsewhere")
    told(make_channel(elsewhere), now, 200)
    make_call(elsewhere, now)
    assert set(caller.get("/api/agents/stats").json().values()) == {0, 1}
    assert caller.get("/api/agents/stats").json()["totalAgents"] == 1


def test_figures_take_few_statements(
    caller: Caller, channel: Channel, now: datetime, django_assert_max_num_queries: Any
) -> None:
    told(channel, now, 200)
    caller.get("/api/agents/stats")
    with django_assert_max_num_queries(6):
        caller.get("/api/agents/stats")
    with django_assert_max_num_queries(7):
        caller.get(f"/api/agents/{channel.pk}/stats")
