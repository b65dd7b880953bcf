"""Bridges that bring the same messages at once: each is stored once, and all are answered alike."""

from collections import Counter
from typing import Any

import pytest

from delivery.models import Delivery, Event
from inbox.models import Channel, Message, Thread
from inbox.services.channels import Webhook, set_webhook
from tests.api.eliza.calls import AUTHOR, INGEST
from tests.concurrency.together import MANY, at_once
from tests.conftest import Agent
from tests.factories import make_channel, make_key, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def channel() -> Channel:
    webhook = Webhook(url="https://agent.example.com/hook")
    return set_webhook(make_channel(make_workspace()), webhook=webhook)


@pytest.fixture
def agent(channel: Channel) -> Agent:
    return Agent(make_key(channel.workspace).clear)


def answers(agent: Agent, bodies: list[dict[str, Any]]) -> Counter[tuple[int, bytes]]:
    def send(body: dict[str, Any]) -> tuple[int, bytes]:
        answer = agent.post(INGEST, body)
        return answer.status_code, answer.content

    return Counter(at_once([lambda body=body: send(body) for body in bodies]))  # type: ignore[misc]


def test_same_message_twenty_times_at_once_is_stored_once(agent: Agent, channel: Channel) -> None:
    body = {
        "agentId": str(channel.pk),
        "roomId": "c2a5e4f0-8b17-4d39-a6c1-9e3f7d5b2084",
        "userId": AUTHOR,
        "text": "Is the shop down?",
        "sourceId": "1162398814270701618",
        "sourceType": "discord",
    }
    assert answers(agent, [body] * MANY) == {(200, b'{"success":true}'): MANY}
    assert (Thread.objects.count(), Message.objects.count()) == (1, 1)
    assert (Event.objects.count(), Delivery.objects.count()) == (1, 1)


def test_lists_with_the_same_messages_in_any_order_are_stored_once(
    agent: Agent, channel: Channel
) -> None:
    """The room is there already: lists meet at their messages, each at another one first."""
    messages = [{"id": str(n), "authorId": "u-7", "content": f"Text {n}"} for n in range(5)]
    room = {"platform": "slack", "channelId": str(channel.pk)}
    agent.post(INGEST, room | {"messages": [messages[0] | {"id": "first"}]})
    bodies = [room | {"messages": messages[:: (-1) ** number]} for number in range(MANY)]
    expected = b'{"success":true,"data":{"processed":5}}'
    assert answers(agent, bodies) == {(200, expected): MANY}
    assert (Thread.objects.count(), Message.objects.count(), Event.objects.count()) == (1, 6, 6)
