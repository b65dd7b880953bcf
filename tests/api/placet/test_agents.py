"""Agents: changing, describing and deleting them, and their signs of life."""

from datetime import timedelta
from typing import Any

import pytest

from inbox.models import Channel, Message, StatusChange
from inbox.services.channels import KEPT_STATUS_CHANGES, Webhook, set_subagent, set_webhook
from reviews.models import ReviewRequest
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent
from tests.factories import make_channel, make_message, make_review

HOOK = "http://127.0.0.1:8999/hook"


@pytest.fixture
def path(channel: Channel) -> str:
    set_webhook(
        channel, webhook=Webhook(HOOK, headers={"x-own": "1"}, username="u", password="secret-1")
    )
    return f"/api/v1/agents/{channel.pk}"


def test_patch_changes_what_it_names_and_nothing_else(agent: Agent, path: str) -> None:
    answer = agent.call("PATCH", path, {"name": "New", "description": "d", "tag": "ops"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["name"], body["description"], body["tag"]) == ("New", "d", "ops")
    assert (body["webhookUrl"], body["webhookHeaders"]) == (HOOK, {"x-own": "1"})
    channel = Channel.objects.get(pk=body["id"])
    assert (channel.webhook_username, channel.webhook_password) == ("u", "secret-1")


def test_null_clears_and_absence_keeps(agent: Agent, path: str, channel: Channel) -> None:
    agent.call("PATCH", path, {"description": "d", "avatarUrl": "https://example.org/a.png"})
    kept = agent.call("PATCH", path, {}).json()
    assert (kept["description"], kept["avatarUrl"]) == ("d", "https://example.org/a.png")
    names = ("description", "avatarUrl", "tag", "webhookUrl", "webhookHeaders", "webhookAuth")
    cleared = agent.call("PATCH", path, dict.fromkeys(names)).json()
    assert {cleared[name] for name in names} == {None}
    channel.refresh_from_db()
    assert (channel.webhook_username, channel.webhook_password) == (None, None)


def test_patch_of_the_login_keeps_address_and_headers(agent: Agent, path: str) -> None:
    login = {"webhookAuth": {"username": "v", "password": "secret-2"}}
    answer = agent.call("PATCH", path, login)
    body = answer.json()
    assert (body["webhookUrl"], body["webhookHeaders"]) == (HOOK, {"x-own": "1"})
    assert body["webhookAuth"] == {"username": "v", "password": "***"}
    assert "secret-2" not in answer.content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"name": ""},
        {"tag": "x" * 65},
        {"webhookUrl": "http://10.0.0.1/"},
        {"webhookUrl": ""},
        {"avatarUrl": "javascript:alert(1)"},
        {"webhookHeaders": {"Host": "evil"}},
        {"webhookAuth": {"username": "u"}},
        {"description": "new", "webhookUrl": "file:///etc/passwd"},
    ],
)
def test_bad_change_is_a_400_and_changes_nothing(
    agent: Agent, path: str, channel: Channel, change: dict[str, Any]
) -> None:
    before = Channel.objects.filter(pk=channel.pk).values().get()
    assert_refused(agent.call("PATCH", path, change), 400)
    assert Channel.objects.filter(pk=channel.pk).values().get() == before


def test_commands_are_replaced_as_a_whole(agent: Agent, path: str) -> None:
    first = [{"command": "run", "description": "Run it", "acceptsArgs": True, "argHint": "<x>"}]
    assert agent.call("PUT", f"{path}/commands", {"commands": first}).json()["commands"] == first
    second = [{"command": "stop", "description": ""}]
    assert agent.call("PUT", f"{path}/commands", {"commands": second}).json()["commands"] == second
    assert agent.call("PUT", f"{path}/commands", {"commands": []}).json()["commands"] == []


def test_management_takes_both_values_or_none(agent: Agent, channel: Channel) -> None:
    body = {"channelId": str(channel.pk), "url": HOOK, "apiKey": "secret-3"}
    answer = agent.post("/api/v1/agents/setManagement", body)
    assert (answer.json()["managementUrl"], answer.json()["managementApiKey"]) == (HOOK, "***")
    for missing in ("url", "apiKey"):
        refused = agent.post("/api/v1/agents/setManagement", body | {missing: None})
        assert assert_refused(refused, 400)["errors"][0]["path"] == [missing]
    gone = agent.post("/api/v1/agents/setManagement", body | {"url": None, "apiKey": None})
    assert (gone.json()["managementUrl"], gone.json()["managementApiKey"]) == (None, None)


def test_deleted_agent_takes_its_messages_along_and_frees_its_subagents(
    agent: Agent, channel: Channel
) -> None:
    child = make_channel(channel.workspace, name="Child")
    set_subagent(child, parent=channel)
    make_review(channel=channel)
    kept = make_message(child)
    assert agent.delete(f"/api/v1/agents/{channel.pk}").json() == {"deleted": True}
    assert list(Message.objects.all()) == [kept]
    assert not ReviewRequest.objects.exists()
    child.refresh_from_db()
    assert (child.parent, child.is_subagent) == (None, False)
    assert_refused(agent.delete(f"/api/v1/agents/{channel.pk}"), 404)


def test_only_another_status_goes_into_the_history(agent: Agent, channel: Channel) -> None:
    def ping(status: str, **more: Any) -> dict[str, Any]:
        body = {"agentId": str(channel.pk), "status": status} | more
        answer = agent.post("/api/v1/status/ping", body)
        assert answer.status_code == 201
        return dict(answer.json())

    first = ping("active", message="up")
    assert (first["status"], first["statusMessage"]) == ("active", "up")
    assert first["statusSince"] == first["lastActiveAt"]
    second = ping("active")
    assert (second["statusSince"], second["statusMessage"]) == (first["statusSince"], None)
    assert second["lastActiveAt"] >= first["lastActiveAt"]
    third = ping("offline", message=None)
    assert third["statusSince"] > first["statusSince"]
    history = StatusChange.objects.order_by("id").values_list("status", "message")
    assert list(history) == [("active", "up"), ("offline", None)]


@pytest.mark.parametrize("field", [{"status": "asleep"}, {"message": "x" * 501}, {"message": 7}])
def test_bad_ping_is_a_400(agent: Agent, channel: Channel, field: dict[str, Any]) -> None:
    body = {"agentId": str(channel.pk), "status": "active"} | field
    assert_refused(agent.post("/api/v1/status/ping", body), 400)
    assert not StatusChange.objects.exists()


def test_history_of_a_flapping_agent_is_bounded(agent: Agent, channel: Channel) -> None:
    start = channel.created_at - timedelta(days=1)
    StatusChange.objects.bulk_create(
        StatusChange(channel=channel, status="busy", changed_at=start)
        for _ in range(KEPT_STATUS_CHANGES + 10)
    )
    agent.post("/api/v1/status/ping", {"agentId": str(channel.pk), "status": "active"})
    assert StatusChange.objects.count() == KEPT_STATUS_CHANGES
    assert StatusChange.objects.order_by("-id").values_list("status", flat=True)[0] == "active"
