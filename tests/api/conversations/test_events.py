"""The feed in this dialect's words."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery.models import Event
from delivery.retention import clean_up
from inbox.models import Channel, Message, Sender, Thread
from inbox.services.messages import Origin, delete_message
from reviews.models import Closer
from reviews.services import Answer, answer_review
from tests.conftest import Agent
from tests.factories import make_channel, make_message, make_review, make_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(channel: Channel) -> Thread:
    return make_thread(channel)


def read(agent: Agent, query: str = "") -> Any:
    answer = agent.get(f"/v1/events?{query}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["status"], body["message"]) == ("success", "Events retrieved successfully.")
    return body["data"]


def test_conversation_goes_back_and_forth(agent: Agent, channel: Channel) -> None:
    """A user asks by this wire, the agent answers by its own, the user reads it here."""
    body = {"sender_id": "visitor-17", "sender_type": "user", "text": "When?", "metadata": {"a": 1}}
    sent = agent.post("/v1/messages", body).json()["data"]
    asked = Message.objects.get()
    reply = {"channelId": str(channel.pk), "text": "Tomorrow", "replyTo": str(asked.pk)}
    replied = agent.post("/api/v1/messages", reply).json()
    page = read(agent)
    assert [event["type"] for event in page["events"]] == ["message:created", "message:replied"]
    assert {event["conversation_id"] for event in page["events"]} == {sent["conversation_id"]}
    first, second = (event["data"]["message"] for event in page["events"])
    assert first == sent["message"] | {"reply_to_message_id": None}
    assert second == {
        "id": "msg_" + replied["id"].replace("-", ""),
        "sender_id": f"agt_{channel.pk.hex}",
        "sender_type": "agent",
        "text": "Tomorrow",
        "metadata": {},
        "created_at": replied["createdAt"],
        "reply_to_message_id": sent["message"]["id"],
    }
    listed = agent.get(f"/v1/conversations/{sent['conversation_id']}/messages").json()["data"]
    assert listed["messages"] == [second, first]


def test_event_says_who_spoke_as_the_conversation_does(
    agent: Agent, channel: Channel, thread: Thread, person: Any
) -> None:
    for sender, origin, author in (
        (Sender.USER, Origin("conversation", author="visitor-17"), None),
        (Sender.USER, Origin("discord", "m-1", author="u-1"), None),
        (Sender.USER, Origin(""), person),
        (Sender.AGENT, Origin("eliza_gui", author=str(channel.pk)), None),
        (Sender.AGENT, Origin("conversation", author="Atlas"), None),
        (Sender.AGENT, Origin(""), None),
    ):
        make_message(channel, thread=thread, sender=sender, origin=origin, author=author)
    listed = agent.get(f"/v1/conversations/{thread.pk}/messages").json()["data"]["messages"]
    told = [event["data"]["message"] for event in read(agent)["events"]]
    assert told == listed[::-1]


def test_feed_is_the_agents_own(agent: Agent, channel: Channel, person: Any) -> None:
    make_message(channel, sender=Sender.USER, author=person)
    make_message(channel, sender=Sender.USER, author=person, thread=make_thread(channel))
    theirs, ours = agent.get("/api/v1/events?limit=1").json(), read(agent, "limit=1")
    assert [event["id"] for event in ours["events"]] == [e["id"] for e in theirs["events"]]
    assert (ours["cursor"], ours["has_more"]) == (theirs["cursor"], theirs["hasMore"])
    (outside,) = ours["events"]
    assert outside["conversation_id"] is None
    (inside,) = read(agent, f"after={theirs['cursor']}")["events"]
    assert inside["conversation_id"] is not None


def test_channel_narrows_the_feed(agent: Agent, channel: Channel, person: Any) -> None:
    other = make_channel(channel.workspace)
    make_message(channel, sender=Sender.USER, author=person)
    make_message(other, sender=Sender.USER, author=person, text="other")
    (event,) = read(agent, f"channel=agt_{other.pk.hex}")["events"]
    assert event["data"]["message"]["text"] == "other"


def test_decision_passes_through_with_its_conversation(
    agent: Agent, channel: Channel, thread: Thread, person: Any
) -> None:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    for place in (thread, None):
        answer_review(make_review(channel=channel, thread=place), answer=answer)
    page = [event for event in read(agent)["events"] if event["type"] == "review:responded"]
    shown = [event["conversation_id"] for event in page]
    assert shown == [f"con_{thread.pk.hex}", None]
    assert page[0]["data"]["response"] == {"selectedOption": "approve"}
    stored = json.loads(Event.objects.get(pk=page[0]["id"]).body or "")
    assert page[0]["data"] == stored


def test_deleted_message_stays_in_the_feed_and_an_erased_one_keeps_its_place(
    agent: Agent, channel: Channel, thread: Thread
) -> None:
    message = make_message(channel, thread=thread, text="gone")
    delete_message(message)
    (event,) = read(agent)["events"]
    assert event["data"]["message"]["text"] == "gone"
    kept = make_message(channel, thread=thread)
    Event.objects.update(created_at=timezone.now() - timedelta(days=31))
    clean_up()
    erased, other = read(agent)["events"]
    assert (erased["data"], erased["conversation_id"]) == (None, None)
    assert (other["data"], other["conversation_id"]) == (None, f"con_{thread.pk.hex}")
    assert kept.thread == thread


def test_numbers_of_metadata_come_back_as_they_were(
    agent: Agent, channel: Channel, thread: Thread
) -> None:
    number = 123456789012345678901234567890
    make_message(channel, thread=thread, metadata={"n": number})
    assert str(number).encode() in agent.get("/v1/events").content


def test_page_costs_one_statement_more_than_the_feed_at_most(
    agent: Agent, channel: Channel, thread: Thread, person: Any
) -> None:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    for _ in range(5):
        make_message(channel, thread=thread)
        answer_review(make_review(channel=channel), answer=answer)
    cursor = read(agent, "limit=1")["cursor"]
    for query, expected in ((f"after={cursor}", 5), ("limit=1", 4)):
        with CaptureQueriesContext(connection) as captured:
            read(agent, query)
        assert len(captured) == expected
