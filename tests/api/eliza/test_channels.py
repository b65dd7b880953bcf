"""Messages of a channel over ElizaOS's endpoints: posting them, and reading them back."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection

from accounts.models import ApiKey, User, Workspace
from delivery.models import Event
from inbox.models import Channel, Message, Sender
from tests.api.eliza.calls import AUTHOR, MISSING, assert_refused, messages_of, told
from tests.conftest import Agent
from tests.factories import make_channel, make_message, make_thread

pytestmark = pytest.mark.django_db


def whole(channel: Channel) -> dict[str, Any]:
    server = str(channel.workspace_id)
    return {"author_id": AUTHOR, "message_server_id": server, "content": "Hello"}


def post(agent: Agent, channel: Channel, **fields: Any) -> Any:
    """A whole message, with other fields; None leaves one out."""
    body = whole(channel) | fields
    return agent.post(messages_of(channel), {k: v for k, v in body.items() if v is not None})


def test_message_is_answered_as_published(agent: Agent, channel: Channel) -> None:
    said = told(post(agent, channel, metadata={"user_display_name": "Ada", "n": 1}))
    message = Message.objects.get()
    at = int(message.created_at.timestamp()) * 1000 + message.created_at.microsecond // 1000
    assert said == {
        "id": str(message.pk),
        "text": "Hello",
        "userId": AUTHOR,
        "agentId": str(channel.pk),
        "roomId": str(channel.pk),
        "createdAt": at,
        "metadata": {"user_display_name": "Ada", "n": 1},
        "channelId": str(channel.pk),
        "authorId": AUTHOR,
        "content": "Hello",
        "sourceType": "eliza_gui",
        "sourceId": None,
        "inReplyToRootMessageId": None,
        "updatedAt": at,
    }
    assert (message.sender, message.author, message.source_author_name) == ("user", None, "Ada")


def test_message_reaches_the_agent_as_a_persons_does(agent: Agent, channel: Channel) -> None:
    said = told(post(agent, channel))
    (event,) = agent.get("/api/v1/events").json()["events"]
    assert event["type"] == "message:created"
    assert event["data"]["message"]["id"] == said["id"]
    assert event["data"]["message"]["senderType"] == "user"


def test_channels_own_id_speaks_for_the_agent(agent: Agent, channel: Channel) -> None:
    said = told(post(agent, channel, author_id=str(channel.pk).upper()))
    assert said["userId"] == said["agentId"] == str(channel.pk)
    assert Message.objects.get().sender == Sender.AGENT
    assert not Event.objects.exists()


def test_nobody_of_ours_is_impersonated(agent: Agent, channel: Channel, person: User) -> None:
    said = told(post(agent, channel, author_id=str(person.pk)))
    message = Message.objects.get()
    assert (said["userId"], message.author, message.sender) == (str(person.pk), None, "user")


def test_author_and_server_can_be_left_out_together(agent: Agent, channel: Channel) -> None:
    said = told(agent.post(messages_of(channel), {"content": "Hello", "metadata": None}))
    assert said["userId"] == str(ApiKey.objects.get().pk)


@pytest.mark.parametrize("left_out", ["author_id", "message_server_id"])
def test_one_of_author_and_server_alone_is_refused(
    agent: Agent, channel: Channel, left_out: str
) -> None:
    error = assert_refused(post(agent, channel, **{left_out: None}), 400)
    assert error["message"] == f"Missing required fields: {left_out}"
    assert error["details"] == f"{left_out}: is required"


def test_every_missing_and_malformed_field_is_named(agent: Agent, channel: Channel) -> None:
    missing = assert_refused(post(agent, channel, content=None, author_id=None), 400)
    assert missing["message"] == "Missing required fields: content, author_id"
    both = assert_refused(post(agent, channel, content=None, author_id="7"), 400)
    assert both["message"] == "Missing required fields: content"
    assert both["details"] == "content: is required; author_id: must be a UUID"
    wrong = assert_refused(post(agent, channel, mode="later", metadata=[]), 400)
    assert wrong["message"] == "Invalid fields: metadata, mode"
    assert wrong["details"] == (
        "metadata: must be an object; mode: must be one of sync, stream, websocket"
    )
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", ""),
        ("content", " \n\t"),
        ("content", 7),
        ("author_id", "7"),
        ("author_id", AUTHOR + "\n"),
        ("author_id", AUTHOR.replace("-", "")),
        ("author_id", {"$ne": 1}),
        ("message_server_id", "x"),
        ("in_reply_to_message_id", "x"),
        ("in_reply_to_message_id", MISSING),
        ("raw_message", "text"),
        ("raw_message", {"a": "x" * 70_000}),
        ("metadata", "text"),
        ("metadata", {"a": "x" * 70_000}),
        ("metadata", {str(n): n for n in range(501)}),
        ("source_type", None),
        ("source_type", ""),
        ("source_type", "x" * 33),
        ("source_type", 7),
        ("mode", "SYNC"),
        ("mode", []),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_field_is_a_400_that_names_it(
    agent: Agent, channel: Channel, field: str, value: Any
) -> None:
    error = assert_refused(agent.post(messages_of(channel), whole(channel) | {field: value}), 400)
    named = "metadata" if field == "raw_message" and isinstance(value, dict) else field
    assert error["message"] == f"Invalid fields: {named}"
    assert error["details"].startswith(f"{named}: ")
    assert not Message.objects.exists()


def test_other_server_is_a_403(agent: Agent, channel: Channel) -> None:
    error = assert_refused(post(agent, channel, message_server_id=MISSING), 403)
    assert error["message"] == "message_server_id is not the server of this channel"
    assert not Message.objects.exists()


def test_ids_are_taken_in_any_case(agent: Agent, channel: Channel) -> None:
    upper = str(channel.workspace_id).upper()
    path = messages_of(str(channel.pk).upper())
    body = {"content": "x", "author_id": AUTHOR.upper(), "message_server_id": upper}
    assert told(agent.post(path, body))["userId"] == AUTHOR


def test_what_is_wrong_is_said_in_order(agent: Agent, stranger: Agent, channel: Channel) -> None:
    wrong = {"content": 7, "message_server_id": MISSING, "author_id": AUTHOR}
    right = wrong | {"content": "x"}
    path = messages_of(channel)
    assert_refused(Agent("").post("/api/messaging/channels/x/messages", wrong), 401)
    body = assert_refused(agent.post("/api/messaging/channels/x/messages", wrong), 400)
    assert body["message"] == "Invalid fields: content"
    malformed = assert_refused(agent.post("/api/messaging/channels/x/messages", right), 400)
    assert malformed["details"] == "channelId: must be a UUID"
    assert_refused(stranger.post(path, right), 404)
    assert_refused(agent.post(path, right), 403)


def test_reply_stays_in_the_thread_of_what_it_answers(agent: Agent, channel: Channel) -> None:
    thread = make_thread(channel, source="discord", foreign_id="room-7")
    question = make_message(channel, thread=thread)
    said = told(post(agent, channel, in_reply_to_message_id=str(question.pk).upper()))
    assert said["inReplyToRootMessageId"] == str(question.pk)
    assert said["roomId"] == "room-7"


def test_message_of_another_channel_cannot_be_answered(agent: Agent, channel: Channel) -> None:
    other = make_message(make_channel(channel.workspace))
    error = assert_refused(post(agent, channel, in_reply_to_message_id=str(other.pk)), 400)
    assert error["details"] == "in_reply_to_message_id: is no message of this channel"


def test_raw_message_is_kept_in_the_metadata(agent: Agent, channel: Channel) -> None:
    said = told(post(agent, channel, metadata={"a": 1}, raw_message={"text": "x"}))
    assert said["metadata"] == {"a": 1, "raw_message": {"text": "x"}}


def test_metadata_comes_back_number_by_number(agent: Agent, channel: Channel) -> None:
    body = b'{"content": "x", "metadata": {"big": 12345678901234567890123, "one": 1.0}}'
    posted = agent.call("POST", messages_of(channel), body)
    read = agent.get(messages_of(channel))
    for answer in (posted, read):
        assert b'12345678901234567890123, "one": 1.0' in answer.content


def test_unknown_fields_are_ignored(agent: Agent, channel: Channel) -> None:
    assert told(post(agent, channel, transport="sse", id="mine"))["id"] != "mine"


@pytest.mark.parametrize("mode", ["sync", "stream"])
def test_waiting_modes_store_nothing_where_nobody_can_wait(
    agent: Agent, channel: Channel, mode: str
) -> None:
    assert_refused(post(agent, channel, mode=mode), 503)
    assert not Message.objects.exists()


def test_every_kind_of_message_can_be_read(agent: Agent, channel: Channel, person: User) -> None:
    conversation = make_thread(channel)
    make_message(channel, text=None, status="success")
    make_message(channel, sender=Sender.USER, author=person)
    make_message(channel, sender=Sender.USER)
    make_message(channel, sender=Sender.SYSTEM, thread=conversation)
    listed = told(agent.get(messages_of(channel)))["messages"]
    nobody = str(uuid.UUID(int=0))
    assert [each["userId"] for each in listed] == [nobody, nobody, str(person.pk), str(channel.pk)]
    assert [each["roomId"] for each in listed] == [str(conversation.pk), *[str(channel.pk)] * 3]
    assert listed[-1]["text"] == listed[-1]["content"] == ""
    assert listed[-1]["metadata"] == {}


def pages(agent: Agent, channel: Channel, limit: int) -> list[list[str]]:
    found, cursor = [], ""
    while cursor is not None:
        before = f"&before={cursor}" if cursor else ""
        page = told(agent.get(f"{messages_of(channel)}?limit={limit}{before}"))
        found.append([each["id"] for each in page["messages"]])
        cursor = page["nextCursor"]
    return found


def test_pages_show_every_message_once_and_newest_first(agent: Agent, channel: Channel) -> None:
    made = [str(make_message(channel).pk) for _ in range(5)]
    make_message(make_channel(channel.workspace))
    assert pages(agent, channel, 2) == [made[4:2:-1], made[2:0:-1], made[:1]]


def in_javascript(moment: datetime) -> str:
    """`String(new Date())` an hour east of Greenwich, as a URL carries it."""
    there = moment.astimezone(timezone(timedelta(hours=1)))
    return there.strftime("%a %b %d %Y %H:%M:%S GMT%%2B0100 (Central European Standard Time)")


SECOND = datetime(2026, 11, 21, 19, 0, 56, tzinfo=UTC)
FORMS = [
    str(int(SECOND.timestamp() * 1000)),
    "2026-11-21T19:00:56Z",
    "2026-11-21T20:00:56.000%2B01:00",
    in_javascript(SECOND),
    in_javascript(SECOND).replace("%2B", "+"),
    "Sat Nov 21 2026 19:00:56 GMT+0000 (Koordinierte Weltzeit)",
    "Sat Nov 21 2026 14:30:56 GMT-0430",
]


@pytest.mark.parametrize("form", FORMS)
def test_messages_before_and_after_a_moment(agent: Agent, channel: Channel, form: str) -> None:
    early, at, late = (
        str(make_message(channel, now=SECOND + timedelta(milliseconds=ms)).pk) for ms in (-1, 0, 1)
    )
    for name, expected in (("before", early), ("after", late)):
        page = told(agent.get(f"{messages_of(channel)}?{name}={form}"))
        assert [each["id"] for each in page["messages"]] == [expected] != [at]


def test_messages_between_two_ids(agent: Agent, channel: Channel) -> None:
    ids = [str(make_message(channel).pk) for _ in range(4)]
    page = told(agent.get(f"{messages_of(channel)}?after={ids[0]}&before={ids[3].upper()}"))
    assert [each["id"] for each in page["messages"]] == [ids[2], ids[1]]


@pytest.mark.parametrize("far", ["0", "9" * 15, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
def test_far_moments_are_taken(agent: Agent, channel: Channel, far: str) -> None:
    make_message(channel)
    found = [
        len(told(agent.get(f"{messages_of(channel)}?{name}={far}"))["messages"])
        for name in ("before", "after")
    ]
    assert sorted(found) == [0, 1]


BAD_MOMENTS = [
    "",
    "x",
    "-1",
    "1.5",
    "9" * 16,
    "%D9%A1",
    "%00",
    "2026-11-21T19:00:56",
    "2026-13-01T00:00:00Z",
    "Invalid Date",
    "Sat Feb 31 2026 19:00:56 GMT+0000",
    "Sat Foo 21 2026 19:00:56 GMT+0000",
    "Sat Nov 21 2026 19:00:56 GMT%2B9999",
]


@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.parametrize("text", BAD_MOMENTS)
def test_what_is_no_moment_is_a_400(agent: Agent, channel: Channel, name: str, text: str) -> None:
    error = assert_refused(agent.get(f"{messages_of(channel)}?{name}={text}"), 400)
    assert error["message"] == f"Invalid fields: {name}"
    assert "JavaScript" in error["details"]


@pytest.mark.parametrize("name", ["page", "offset"])
def test_counted_pages_are_refused_with_what_to_give(
    agent: Agent, channel: Channel, name: str
) -> None:
    error = assert_refused(agent.get(f"{messages_of(channel)}?{name}=2"), 400)
    assert error["message"] == f"Invalid fields: {name}"
    assert "`before`" in error["details"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "1.5"])
def test_bad_limit_is_a_400(agent: Agent, channel: Channel, limit: str) -> None:
    error = assert_refused(agent.get(f"{messages_of(channel)}?limit={limit}"), 400)
    assert error["details"] == "limit: must be a whole number above 0"


def test_query_that_says_two_things_is_a_400(agent: Agent, channel: Channel) -> None:
    for query in ("limit=1&limit=2", "before=1&before=2"):
        assert_refused(agent.get(f"{messages_of(channel)}?{query}"), 400)


def test_list_takes_three_statements_for_any_number(
    agent: Agent, channel: Channel, workspace: Workspace, django_assert_num_queries: Any
) -> None:
    agent.get("/api/v1/agents")
    thread = make_thread(channel)
    for count in (2, 20):
        for _ in range(count):
            first = make_message(channel, thread=thread)
            make_message(channel, reply_to=first)
        with django_assert_num_queries(3, connection=connection):
            told(agent.get(f"{messages_of(channel)}?limit=100"))


def test_strangers_channel_looks_like_a_missing_one(stranger: Agent, channel: Channel) -> None:
    make_message(channel)
    for path in (messages_of(channel), messages_of(MISSING)):
        assert_refused(stranger.get(path), 404)
        assert_refused(stranger.post(path, {"content": "x"}), 404)
    assert Message.objects.count() == 1
