"""The structs that document the answers, held against answers that were really given."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from accounts.models import User
from api.placet.serializers.agents import AgentOut
from api.placet.serializers.base import DeletedOut, ErrorOut
from api.placet.serializers.messages import MessageOut, MessagePageOut, WaitOut
from inbox.models import Channel
from reviews.models import Closer
from reviews.services import Answer, Callback, answer_review, expire_due
from tests.conftest import Agent
from tests.factories import make_review

pytestmark = pytest.mark.django_db


def assert_documented(answer: Any, struct: type[msgspec.Struct]) -> None:
    """Decodes strictly, and loses nothing on the way: every key that came is a documented one."""
    decoded = msgspec.convert(answer, struct)
    again = msgspec.to_builtins(decoded)
    assert _keys(again) == _keys(answer)


def _keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _keys(inner) for name, inner in value.items()}
    return [_keys(item) for item in value] if isinstance(value, list) else None


@pytest.fixture
def closed(channel: Channel, person: User) -> str:
    callback = Callback(url="http://127.0.0.1:8999/", method="POST", headers={"x": "1"})
    review = make_review("approval", {}, channel=channel, spec={"callback": callback})
    said = Answer(
        response={"selectedOption": "approve"},
        by=person,
        via=Closer.PAGE,
        feedback="why",
        modified_file_ids={"a": "b"},
    )
    return str(answer_review(review, answer=said).pk)


def test_messages_and_reviews_are_as_documented(
    agent: Agent, channel: Channel, closed: str
) -> None:
    make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    body = {
        "channelId": str(channel.pk),
        "text": "x",
        "metadata": {"a": 1},
        "review": {"type": "form", "payload": {"fields": []}},
        "textAttachments": [{"content": "hi"}],
    }
    assert_documented(agent.post("/api/v1/messages", body).json(), MessageOut)
    assert_documented(agent.get("/api/v1/messages").json(), MessagePageOut)
    assert_documented(agent.get(f"/api/v1/messages/{closed}").json(), MessageOut)
    assert_documented(agent.get(f"/api/v1/reviews/{closed}").json(), MessageOut)
    assert_documented(agent.get(f"/api/v1/reviews/{closed}/wait").json(), WaitOut)
    for message in agent.get("/api/v1/reviews/pending").json():
        assert_documented(message, MessageOut)
    assert_documented(agent.delete(f"/api/v1/messages/{closed}").json(), DeletedOut)


def test_agents_are_as_documented(agent: Agent, channel: Channel) -> None:
    hook = {
        "channelId": str(channel.pk),
        "url": "http://127.0.0.1:8999/",
        "headers": {"x-api-key": "secret-1", "x-own": "shown"},
        "auth": {"username": "u", "password": "secret-2"},
        "management": {"url": "http://127.0.0.1:8999/", "apiKey": "secret-3"},
    }
    changed = agent.post("/api/v1/agents/setWebhook", hook)
    assert_documented(changed.json(), AgentOut)
    assert "secret-" not in changed.content.decode()
    assert changed.json()["webhookHeaders"] == {"x-api-key": "***", "x-own": "shown"}
    assert_documented(agent.post("/api/v1/agents", {"name": "New"}).json(), AgentOut)
    removed = agent.post("/api/v1/agents/deleteWebhook", {"channelId": str(channel.pk)})
    assert removed.json()["webhookAuth"] is None


def test_errors_are_as_documented(agent: Agent) -> None:
    assert_documented(agent.post("/api/v1/messages", {"channelId": 7}).json(), ErrorOut)
    assert_documented(agent.get("/api/v1/messages/nope").json(), ErrorOut)


def test_subagent_needs_a_parent_that_is_not_itself(agent: Agent, channel: Channel) -> None:
    hook: dict[str, Any] = {"channelId": str(channel.pk), "url": "http://127.0.0.1:8999/"}
    for bad in (
        {"isSubagent": True},
        {"isSubagent": False, "parentChannelId": str(channel.pk)},
        {"isSubagent": True, "parentChannelId": str(channel.pk)},
    ):
        assert agent.post("/api/v1/agents/setWebhook", hook | bad).status_code == 400
    parent = agent.post("/api/v1/agents", {"name": "Parent"}).json()["id"]
    good = hook | {"isSubagent": True, "parentChannelId": parent}
    assert agent.post("/api/v1/agents/setWebhook", good).json()["parentAgentId"] == parent
    back = {"channelId": parent, "url": "http://127.0.0.1:8999/"}
    cycle = back | {"isSubagent": True, "parentChannelId": str(channel.pk)}
    refused = agent.post("/api/v1/agents/setWebhook", cycle)
    assert "cycle" in refused.json()["message"]
