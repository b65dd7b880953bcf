"""Reading a conversation: what its messages look like, and how it is paged."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inbox.models import Channel, Sender, Thread
from inbox.services.messages import Origin
from tests.conftest import Agent
from tests.factories import make_message, make_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(channel: Channel) -> Thread:
    return make_thread(channel)


def read(agent: Agent, thread: Thread, query: str = "") -> Any:
    answer = agent.get(f"/v1/conversations/con_{thread.pk.hex}/messages?{query}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["status"], body["message"]) == ("success", "Messages retrieved successfully.")
    return body["data"]


def test_messages_say_who_spoke_wherever_they_were_written(
    agent: Agent, channel: Channel, thread: Thread, person: Any
) -> None:
    here = Origin("conversation", author="visitor-17")
    there = Origin("discord", "m-1", author="u-1", author_name="Kim")
    bot = Origin("eliza_gui", author=str(channel.pk))
    asked = make_message(channel, thread=thread, sender=Sender.USER, origin=here)
    make_message(channel, thread=thread, sender=Sender.USER, origin=there)
    make_message(channel, thread=thread, sender=Sender.USER, author=person)
    make_message(channel, thread=thread, sender=Sender.AGENT, reply_to=asked, text=None)
    make_message(channel, thread=thread, sender=Sender.AGENT, origin=bot)
    make_message(channel, thread=thread, sender=Sender.SYSTEM, origin=here)
    make_message(channel, text="elsewhere")
    shown = read(agent, thread)["messages"]
    agent_id = f"agt_{channel.pk.hex}"
    assert [(each["sender_type"], each["sender_id"]) for each in reversed(shown)] == [
        ("user", "visitor-17"),
        ("user", "u-1"),
        ("user", f"usr_{person.pk.hex}"),
        ("agent", agent_id),
        ("agent", agent_id),
        ("system", "visitor-17"),
    ]
    reply = shown[2]
    assert reply["reply_to_message_id"] == f"msg_{asked.pk.hex}" == shown[-1]["id"]
    assert (reply["text"], reply["metadata"]) == ("", {})
    assert {each["reply_to_message_id"] for each in shown if each != reply} == {None}


def test_message_of_a_person_who_left_names_nobody(
    agent: Agent, channel: Channel, thread: Thread, person: Any
) -> None:
    make_message(channel, thread=thread, sender=Sender.USER, author=person)
    person.delete()
    (shown,) = read(agent, thread)["messages"]
    assert shown["sender_id"] == "usr_" + "0" * 32


def test_pages_hold_each_message_once_newest_first(
    agent: Agent, channel: Channel, thread: Thread
) -> None:
    written = [make_message(channel, thread=thread) for _ in range(5)]
    make_message(channel, thread=make_thread(channel))
    found: list[str] = []
    cursor, sizes = "", []
    while True:
        page = read(agent, thread, f"limit=2{cursor}")
        found += [each["id"] for each in page["messages"]]
        sizes.append(len(page["messages"]))
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [f"msg_{message.pk.hex}" for message in reversed(written)]
    assert sizes == [2, 2, 1]


def test_limit_is_50_unless_told_and_100_at_most(
    agent: Agent, channel: Channel, thread: Thread
) -> None:
    for _ in range(101):
        make_message(channel, thread=thread)
    assert [len(read(agent, thread, q)["messages"]) for q in ("", "limit=1000")] == [50, 100]


def test_page_costs_two_statements_beside_the_key(
    agent: Agent, channel: Channel, thread: Thread
) -> None:
    first = make_message(channel, thread=thread)
    for _ in range(30):
        make_message(channel, thread=thread, reply_to=first)
    read(agent, thread)
    with CaptureQueriesContext(connection) as captured:
        read(agent, thread)
    assert len(captured) == 3, "the key, the thread, the page"


def test_empty_conversation_is_an_empty_page(agent: Agent, thread: Thread) -> None:
    page = read(agent, thread)
    assert page == {
        "conversation_id": f"con_{thread.pk.hex}",
        "messages": [],
        "next_cursor": None,
    }
