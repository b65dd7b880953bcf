"""Streams, steps, chains and deletions under simultaneous calls: one clean result each."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from inbox.models import Channel, Message, StatusChange, StatusEvent
from inbox.services.channels import SubagentParentError, set_subagent
from reviews.services import expire_due
from tests.concurrency.together import MANY, at_once
from tests.conftest import Agent
from tests.factories import make_channel, make_key, make_review, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

STREAM = "/api/v1/messages/streams/s-1"


@pytest.fixture
def channel() -> Channel:
    return make_channel(make_workspace())


@pytest.fixture
def agent(channel: Channel) -> Agent:
    return Agent(make_key(channel.workspace).clear)


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_twenty_posts_with_one_stream_id_make_one_draft(agent: Agent, channel: Channel) -> None:
    body = {"channelId": str(channel.pk), "streamId": "s-1", "streamState": "streaming"}
    drafts = [body | {"text": f"draft {number}"} for number in range(MANY)]
    answers = at_once([partial(agent.post, "/api/v1/messages", draft) for draft in drafts])
    assert statuses(answers) == {201: MANY}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Message.objects.count() == 1


def test_twenty_steps_are_numbered_without_gap_or_double(agent: Agent, channel: Channel) -> None:
    step = {"channelId": str(channel.pk), "text": "step"}
    answers = at_once([lambda: agent.post(f"{STREAM}/status", step)] * MANY)
    assert statuses(answers) == {201: MANY}
    assert sorted(answer.json()["index"] for answer in answers) == list(range(MANY))
    assert StatusEvent.objects.count() == MANY


def test_one_of_twenty_endings_is_the_end(agent: Agent, channel: Channel) -> None:
    body = {
        "channelId": str(channel.pk),
        "text": "…",
        "streamId": "s-1",
        "streamState": "streaming",
    }
    agent.post("/api/v1/messages", body)

    def end(number: int) -> Any:
        ending = {"complete": True} if number % 2 else {"streamState": "aborted"}
        mine = {"channelId": str(channel.pk), "text": f"end {number}"} | ending
        return agent.call("PATCH", STREAM, mine)

    answers = at_once([partial(end, number) for number in range(MANY)])
    assert statuses(answers) == {200: MANY}
    (final,) = {(a.json()["text"], a.json()["streamState"]) for a in answers}
    stored = Message.objects.get()
    assert (stored.text, stored.stream_state) == final


def test_twenty_revisions_are_numbered_without_gap_or_double(
    agent: Agent, channel: Channel
) -> None:
    first = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    body = {"channelId": str(channel.pk), "text": "v", "iterationOf": str(first.pk)}
    answers = at_once([lambda: agent.post("/api/v1/messages", body)] * MANY)
    assert statuses(answers) == {201: MANY}
    numbers = sorted(answer.json()["iteration"] for answer in answers)
    assert numbers == list(range(2, MANY + 2))


def test_twenty_pings_make_one_history_row_a_change(agent: Agent, channel: Channel) -> None:
    ping = {"agentId": str(channel.pk), "status": "busy"}
    answers = at_once([lambda: agent.post("/api/v1/status/ping", ping)] * MANY)
    assert statuses(answers) == {201: MANY}
    assert StatusChange.objects.count() == 1


def test_calls_about_an_agent_that_is_being_deleted_end_cleanly(
    agent: Agent, channel: Channel
) -> None:
    path, channel_id = f"/api/v1/agents/{channel.pk}", str(channel.pk)
    calls = [
        lambda: agent.post("/api/v1/messages", {"channelId": channel_id, "text": "x"}),
        lambda: agent.post("/api/v1/messages", {"channelId": channel_id, "review": {"type": "a"}}),
        lambda: agent.post(f"{STREAM}/status", {"channelId": channel_id, "text": "x"}),
        lambda: agent.post("/api/v1/status/ping", {"agentId": channel_id, "status": "busy"}),
        lambda: agent.call("PATCH", path, {"name": "New", "webhookUrl": None}),
        lambda: agent.post("/api/v1/agents/setTag", {"channelId": channel_id, "tag": "t"}),
    ]
    answers = at_once([*calls, *calls, lambda: agent.delete(path), *calls, *calls])
    assert set(statuses(answers)) <= {200, 201, 403, 404}, [a.content for a in answers]
    assert not Channel.objects.exists()
    assert not Message.objects.exists()


def test_parents_set_at_once_never_make_a_cycle(channel: Channel) -> None:
    others = [make_channel(channel.workspace, name=f"c{n}") for n in range(3)]
    ring = [channel, *others]

    def adopt(child: Channel, parent: Channel) -> str:
        try:
            set_subagent(child, parent=parent)
        except SubagentParentError:
            return "refused"
        return "adopted"

    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    outcomes = at_once([partial(adopt, child, parent) for child, parent in pairs])
    assert Counter(outcomes) == {"adopted": 3, "refused": 1}
