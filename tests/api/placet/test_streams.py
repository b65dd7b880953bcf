"""Streamed replies: the draft that grows, the steps beside it, and how both end."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inbox.models import Channel, Message, StatusEvent
from inbox.services.streams import MOST_STEPS, STALE_AFTER, give_up_stale_streams
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent

STREAM = "/api/v1/messages/streams/s-1"


@pytest.fixture
def draft(agent: Agent, channel: Channel) -> str:
    body = {"channelId": str(channel.pk), "text": "He", "streamId": "s-1"}
    answer = agent.post("/api/v1/messages", body | {"streamState": "streaming"})
    return str(answer.json()["id"])


def patch(agent: Agent, channel: Channel, **fields: Any) -> Any:
    return agent.call("PATCH", STREAM, {"channelId": str(channel.pk), "text": "Hello"} | fields)


def test_text_is_replaced_as_a_whole(agent: Agent, channel: Channel, draft: str) -> None:
    grown = patch(agent, channel).json()
    assert (grown["id"], grown["text"], grown["streamState"]) == (draft, "Hello", "streaming")
    assert grown["updatedAt"] > grown["createdAt"]
    empty = patch(agent, channel, text="").json()
    assert empty["text"] == ""
    ended = patch(agent, channel, text="Hello!", complete=True).json()
    assert (ended["text"], ended["streamState"]) == ("Hello!", "complete")


@pytest.mark.parametrize("end", [{"complete": True}, {"streamState": "aborted"}])
def test_finished_stream_is_final(
    agent: Agent, channel: Channel, draft: str, end: dict[str, Any]
) -> None:
    ended = patch(agent, channel, text="the end", **end).json()
    for late in ({"text": "late"}, {"complete": True}, {"streamState": "aborted"}):
        answer = patch(agent, channel, **late)
        assert (answer.status_code, answer.json()) == (200, ended)


def test_other_states_in_a_patch_have_no_effect(agent: Agent, channel: Channel, draft: str) -> None:
    for state in ("streaming", "complete"):
        assert patch(agent, channel, streamState=state).json()["streamState"] == "streaming"
    assert_refused(patch(agent, channel, complete=True, streamState="aborted"), 400)


def test_stream_without_draft_is_a_404(agent: Agent, channel: Channel) -> None:
    refused = assert_refused(patch(agent, channel), 404)
    assert refused["message"] == "No streaming draft for this (channelId, streamId)"


def test_stream_of_another_channel_of_the_key_is_a_404(
    agent: Agent, channel: Channel, draft: str
) -> None:
    other = agent.post("/api/v1/agents", {"name": "Other"}).json()["id"]
    body = {"channelId": other, "text": "x"}
    assert_refused(agent.call("PATCH", STREAM, body), 404)


@pytest.mark.parametrize("stream", ["a%2Fb", "a%20b", "%C3%A4", "status", "x" * 255])
def test_stream_ids_are_taken_as_they_are(agent: Agent, channel: Channel, stream: str) -> None:
    steps = f"/api/v1/messages/streams/{stream}/status"
    answer = agent.post(steps, {"channelId": str(channel.pk), "text": "step"})
    assert answer.status_code == 201
    stream_id = answer.json()["streamId"]
    body = {"channelId": str(channel.pk), "text": "x", "streamId": stream_id}
    agent.post("/api/v1/messages", body)
    patched = agent.call("PATCH", f"/api/v1/messages/streams/{stream}", body)
    assert (patched.status_code, patched.json()["streamId"]) == (200, stream_id)


@pytest.mark.parametrize("stream", ["x" * 256, "a%00b"])
def test_odd_stream_id_is_a_400(agent: Agent, channel: Channel, stream: str) -> None:
    body = {"channelId": str(channel.pk), "text": "x"}
    assert_refused(agent.call("PATCH", f"/api/v1/messages/streams/{stream}", body), 400)
    assert_refused(agent.post(f"/api/v1/messages/streams/{stream}/status", body), 400)
    assert not StatusEvent.objects.exists()


def test_steps_count_from_0_and_stand_in_lists_only(agent: Agent, channel: Channel) -> None:
    step = {"channelId": str(channel.pk), "text": "reading", "toolHint": True}
    first = agent.post(f"{STREAM}/status", step)
    assert first.status_code == 201
    second = agent.post(f"{STREAM}/status", {"channelId": str(channel.pk), "text": "writing"})
    assert [first.json()["index"], second.json()["index"]] == [0, 1]
    assert (first.json()["toolHint"], second.json()["toolHint"]) == (True, False)
    body = {"channelId": str(channel.pk), "text": "x", "streamId": "s-1"}
    posted = agent.post("/api/v1/messages", body).json()
    assert "statusEvents" not in posted
    (listed,) = agent.get("/api/v1/messages").json()["data"]
    assert listed["statusEvents"] == [first.json(), second.json()]


def test_equal_stream_ids_of_two_channels_keep_their_own_steps(
    agent: Agent, channel: Channel
) -> None:
    other = agent.post("/api/v1/agents", {"name": "Other"}).json()["id"]
    for channel_id in (str(channel.pk), other):
        agent.post(f"{STREAM}/status", {"channelId": channel_id, "text": f"of {channel_id}"})
        body = {"channelId": channel_id, "text": "x", "streamId": "s-1"}
        agent.post("/api/v1/messages", body)
    for listed in agent.get("/api/v1/messages").json()["data"]:
        (step,) = listed["statusEvents"]
        assert (step["channelId"], step["index"]) == (listed["channelId"], 0)
        assert step["text"] == f"of {listed['channelId']}"


def test_stream_has_room_for_so_many_steps(agent: Agent, channel: Channel) -> None:
    StatusEvent.objects.create(
        channel=channel, stream_id="s-1", index=MOST_STEPS - 1, text="the last"
    )
    step = {"channelId": str(channel.pk), "text": "one more"}
    assert_refused(agent.post(f"{STREAM}/status", step), 400)
    assert StatusEvent.objects.count() == 1


def test_stale_draft_is_given_up_and_may_come_back(
    agent: Agent, channel: Channel, draft: str
) -> None:
    later = timezone.now() + STALE_AFTER + timedelta(seconds=1)
    assert give_up_stale_streams(now=later, limit=10) == 1
    assert give_up_stale_streams(now=later, limit=10) == 0
    assert agent.get(f"/api/v1/messages/{draft}").json()["streamState"] == "aborted"
    revived = patch(agent, channel, text="slow, but here").json()
    assert (revived["text"], revived["streamState"]) == ("slow, but here", "streaming")
    ended = patch(agent, channel, text="done", complete=True).json()
    assert (ended["text"], ended["streamState"]) == ("done", "complete")


def test_stale_draft_can_be_finished_at_once(agent: Agent, channel: Channel, draft: str) -> None:
    give_up_stale_streams(now=timezone.now() + 2 * STALE_AFTER, limit=10)
    ended = patch(agent, channel, text="the answer", complete=True).json()
    assert (ended["text"], ended["streamState"]) == ("the answer", "complete")
    assert patch(agent, channel, text="late").json() == ended


def test_patches_and_steps_keep_a_draft_alive(agent: Agent, channel: Channel, draft: str) -> None:
    long_ago = timezone.now() - 2 * STALE_AFTER
    step = {"channelId": str(channel.pk), "text": "tool"}
    for method, path in (("PATCH", STREAM), ("POST", f"{STREAM}/status")):
        Message.objects.update(updated_at=long_ago)
        assert agent.call(method, path, step).status_code < 300
        assert give_up_stale_streams(now=timezone.now(), limit=10) == 0


def test_only_so_many_stale_drafts_are_given_up_at_once(agent: Agent, channel: Channel) -> None:
    for number in range(3):
        body = {"channelId": str(channel.pk), "text": "x", "streamId": f"s-{number}"}
        agent.post("/api/v1/messages", body | {"streamState": "streaming"})
    later = timezone.now() + 2 * STALE_AFTER
    assert [give_up_stale_streams(now=later, limit=2) for _ in range(3)] == [2, 1, 0]
