"""Conversations while others write in them, and while agents and messages are deleted."""

import pytest
from django.utils import timezone

from inbox.models import Channel, Message, Thread
from inbox.services.channels import delete_channel
from inbox.services.messages import delete_message
from tests.api.conversations.test_bad_input import GOOD, assert_refused
from tests.concurrency.together import MANY, at_once
from tests.conftest import Agent
from tests.factories import make_channel, make_key, make_message, make_thread, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

SENDERS = 6


@pytest.fixture
def channel() -> Channel:
    return make_channel(make_workspace(), webhook_url="https://agent.example.com/hook")


@pytest.fixture
def agent(channel: Channel) -> Agent:
    return Agent(make_key(channel.workspace).clear)


def test_replies_at_once_are_all_there(agent: Agent, channel: Channel) -> None:
    question = make_message(channel, thread=make_thread(channel))
    reply = GOOD | {"sender_type": "agent", "reply_to_message_id": str(question.pk)}
    answers = at_once([lambda: agent.post("/v1/messages", reply)] * MANY)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["data"]["message"]["id"] for answer in answers}) == MANY
    assert question.replies.filter(thread=question.thread).count() == MANY


@pytest.mark.parametrize("named", ["conversation_id", "reply_to_message_id", None])
def test_agent_that_is_deleted_meanwhile_leaves_no_half_row(
    agent: Agent, channel: Channel, named: str | None
) -> None:
    for _ in range(3):
        gone = make_channel(channel.workspace, webhook_url=channel.webhook_url)
        thread = make_thread(gone)
        ids = {
            "conversation_id": str(thread.pk),
            "reply_to_message_id": str(make_message(gone, thread=thread).pk),
        }
        body = GOOD | ({named: ids[named]} if named else {"sender_id": str(gone.pk)})
        path = "/v1/messages" if named else f"/v1/messages?channel={gone.pk}"

        def send(path: str = path, body: dict[str, str] = body) -> object:
            return agent.post(path, body)

        def delete(gone: Channel = gone) -> None:
            delete_channel(gone)

        assert_fair(at_once([send, delete, *[send] * SENDERS]))
        assert not Thread.objects.filter(channel=gone.pk).exists()
        assert not Message.objects.filter(channel=gone.pk).exists()


def test_reply_to_a_message_that_is_deleted_meanwhile_is_stored_or_refused(
    agent: Agent, channel: Channel
) -> None:
    thread = make_thread(channel)
    for _ in range(5):
        question = make_message(channel, thread=thread, now=timezone.now())
        body = GOOD | {"reply_to_message_id": str(question.pk)}

        def send(body: dict[str, str] = body) -> object:
            return agent.post("/v1/messages", body)

        def delete(question: Message = question) -> None:
            delete_message(question)

        assert_fair(at_once([send, delete, *[send] * SENDERS]))
        assert not Message.objects.filter(reply_to=question.pk).exists()


def assert_fair(answers: list[object]) -> None:
    """Each was stored, or told what is not there any more."""
    for answer in answers:
        if answer is not None and getattr(answer, "status_code", 0) != 200:
            assert_refused(answer, 404)
