"""Messages that bridges bring from other platforms, in the published shape and the client's."""

from typing import Any

import pytest

from accounts.models import Workspace
from delivery.models import Event
from inbox.models import Channel, Message, Thread
from tests.api.eliza.calls import (
    AUTHOR,
    INGEST,
    MISSING,
    SERVER,
    assert_refused,
    messages_of,
    told,
)
from tests.conftest import Agent

pytestmark = pytest.mark.django_db

ROOM = "c2a5e4f0-8b17-4d39-a6c1-9e3f7d5b2084"


def one(channel: Channel) -> dict[str, Any]:
    return {
        "agentId": str(channel.pk),
        "roomId": ROOM,
        "userId": AUTHOR,
        "text": "Is the shop down?",
        "sourceId": "m-1",
        "sourceType": "discord",
    }


def several(channel: Channel, *ids: str) -> dict[str, Any]:
    messages = [
        {"id": each, "authorId": "u-7", "content": f"Text {each}", "timestamp": 1775053800000}
        for each in ids
    ]
    return {"platform": "slack", "channelId": str(channel.pk), "messages": messages}


def stored() -> list[str]:
    return [str(message.source_id) for message in Message.objects.order_by("id")]


def test_message_is_stored_in_its_room_as_it_came(agent: Agent, channel: Channel) -> None:
    metadata = {"userName": "ada", "roomName": "#support"}
    answer = agent.post(INGEST, one(channel) | {"roomId": ROOM.upper(), "metadata": metadata})
    assert (answer.status_code, answer.content) == (200, b'{"success":true}')
    message = Message.objects.select_related("thread").get()
    thread = message.thread
    assert thread is not None
    assert (thread.source, thread.foreign_id, thread.title) == ("discord", ROOM.upper(), "#support")
    assert (message.source, message.source_id) == ("discord", "m-1")
    assert (message.source_author, message.source_author_name) == (AUTHOR, "ada")
    assert (message.text, message.sender, message.author) == ("Is the shop down?", "user", None)
    assert message.metadata == metadata


def test_message_reaches_the_agent_with_the_foreign_ids(agent: Agent, channel: Channel) -> None:
    agent.post(INGEST, one(channel))
    (event,) = agent.get("/api/v1/events").json()["events"]
    said = event["data"]["message"]
    assert (event["type"], said["senderType"]) == ("message:created", "user")
    assert said["origin"] == {
        "sourceType": "discord",
        "sourceId": "m-1",
        "userId": AUTHOR,
        "userName": "",
    }
    assert said["thread"]["roomId"] == ROOM


def test_repeat_is_answered_like_the_first_and_stores_nothing(
    agent: Agent, channel: Channel
) -> None:
    answers = [agent.post(INGEST, one(channel)).content for _ in range(3)]
    assert answers == [b'{"success":true}'] * 3
    assert (Message.objects.count(), Event.objects.count()) == (1, 1)


@pytest.mark.parametrize("other", [{"sourceType": "telegram"}, {"roomId": MISSING}])
def test_same_id_elsewhere_is_another_message(
    agent: Agent, channel: Channel, other: dict[str, str]
) -> None:
    agent.post(INGEST, one(channel))
    agent.post(INGEST, one(channel) | other)
    assert (Message.objects.count(), Thread.objects.count()) == (2, 2)


BAD = [
    ("agentId", "x"),
    ("roomId", "general"),
    ("roomId", 7),
    ("userId", ""),
    ("text", " "),
    ("text", 7),
    ("sourceId", ""),
    ("sourceId", "x" * 256),
    ("sourceId", 1162398814270701618),
    ("sourceType", "slack"),
    ("sourceType", "Discord"),
    ("metadata", []),
    ("metadata", {"a": "x" * 70_000}),
]


@pytest.mark.parametrize(("field", "value"), BAD, ids=lambda value: str(value)[:30])
def test_bad_field_is_a_400_that_names_it(
    agent: Agent, channel: Channel, field: str, value: Any
) -> None:
    error = assert_refused(agent.post(INGEST, one(channel) | {field: value}), 400)
    assert error["message"] == f"Invalid fields: {field}"
    assert error["details"].startswith(f"{field}: ")
    assert not Thread.objects.exists()


def test_every_missing_field_is_named(agent: Agent) -> None:
    error = assert_refused(agent.post(INGEST, {}), 400)
    names = ["agentId", "roomId", "userId", "text", "sourceId", "sourceType"]
    assert error["message"] == f"Missing required fields: {', '.join(names)}"
    assert error["details"] == "; ".join(f"{name}: is required" for name in names)


def test_strangers_channel_looks_like_a_missing_one(stranger: Agent, channel: Channel) -> None:
    nobodys = {"agentId": MISSING, "channelId": MISSING}
    for body in (one(channel), several(channel, "a")):
        refused = [
            assert_refused(stranger.post(INGEST, each), 404) for each in (body, body | nobodys)
        ]
        assert refused[0] == refused[1]
    assert not Message.objects.exists()


def test_list_of_a_hundred_is_stored_in_its_order_and_more_is_refused(
    agent: Agent, channel: Channel
) -> None:
    ids = [f"m-{number}" for number in range(101)]
    error = assert_refused(agent.post(INGEST, several(channel, *ids)), 400)
    assert error["details"] == "messages: must be a list of at most 100 messages"
    assert told(agent.post(INGEST, several(channel, *ids[:100]))) == {"processed": 100}
    assert stored() == ids[:100]
    thread = Thread.objects.get()
    assert (thread.source, thread.foreign_id) == ("slack", str(channel.pk))
    assert Message.objects.order_by("id")[0].metadata == {"timestamp": 1775053800000}
    assert Event.objects.count() == 100


def test_list_counts_what_was_here_already(agent: Agent, channel: Channel) -> None:
    agent.post(INGEST, several(channel, "a"))
    assert told(agent.post(INGEST, several(channel, "a", "b", "b"))) == {"processed": 3}
    assert stored() == ["a", "b"]
    assert told(agent.post(INGEST, several(channel))) == {"processed": 0}


def test_list_with_one_bad_message_stores_nothing_and_says_where(
    agent: Agent, channel: Channel
) -> None:
    body = several(channel, *"abcde")
    body["messages"][3] = {"id": "d", "authorId": "", "timestamp": "now"}
    body["messages"][4] = "text"
    error = assert_refused(agent.post(INGEST, body), 400)
    assert error["message"] == "Missing required fields: messages[3].content"
    assert error["details"] == (
        "messages[3].authorId: must be a text of 1 to 255 characters that is not blank; "
        "messages[3].content: is required; "
        "messages[3].timestamp: must be a number; "
        "messages[4]: must be an object"
    )
    assert not Thread.objects.exists()


def test_too_much_metadata_in_a_list_is_refused_with_its_place(
    agent: Agent, channel: Channel
) -> None:
    body = several(channel, "a", "b")
    body["messages"][1]["metadata"] = {"a": "x" * 70_000}
    error = assert_refused(agent.post(INGEST, body), 400)
    assert error["message"] == "Invalid fields: messages[1].metadata"
    assert not Message.objects.exists()


BAD_LISTS: list[tuple[dict[str, Any], str]] = [
    ({"platform": ""}, "platform: must be a text of 1 to 32 characters that is not blank"),
    ({"platform": "x" * 33}, "platform: must be a text of 1 to 32 characters that is not blank"),
    ({"platform": None}, "platform: is required"),
    ({"channelId": "general"}, "channelId: must be a UUID"),
    ({"messages": None}, "messages: is required"),
    ({"messages": {}}, "messages: must be a list of at most 100 messages"),
    ({"messages": "x"}, "messages: must be a list of at most 100 messages"),
]


@pytest.mark.parametrize(("fields", "details"), BAD_LISTS)
def test_bad_list_is_a_400(
    agent: Agent, channel: Channel, fields: dict[str, Any], details: str
) -> None:
    error = assert_refused(agent.post(INGEST, several(channel, "a") | fields), 400)
    assert error["details"] == details


def test_what_is_wrong_with_a_long_list_is_cut_short(agent: Agent, channel: Channel) -> None:
    body = several(channel) | {"messages": [7] * 50_000}
    error = assert_refused(agent.post(INGEST, body), 400)
    assert error["details"].count("must be an object") == 20


def test_current_server_is_the_workspace_of_the_key(agent: Agent, workspace: Workspace) -> None:
    assert told(agent.get(SERVER)) == {"messageServerId": str(workspace.pk)}


def test_agents_reply_carries_the_foreign_ids_back(agent: Agent, channel: Channel) -> None:
    agent.post(INGEST, one(channel))
    asked = str(Message.objects.get().pk)
    reply = {"channelId": str(channel.pk), "text": "No", "replyTo": asked}
    assert agent.post("/api/v1/messages", reply).status_code == 201
    event = agent.get("/api/v1/events").json()["events"][-1]
    said = event["data"]["message"]
    assert (event["type"], said["text"]) == ("message:replied", "No")
    assert (said["thread"]["roomId"], said["replyToSourceId"]) == (ROOM, "m-1")
    (listed, _) = told(agent.get(messages_of(channel)))["messages"]
    assert (listed["roomId"], listed["inReplyToRootMessageId"]) == (ROOM, asked)
