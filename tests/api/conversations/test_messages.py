"""Sending: which conversation a message joins, what comes back, and who is told."""

import re
from typing import Any

import pytest

from delivery.models import Delivery, Event
from inbox.models import Channel, Message, Sender, Thread
from tests.conftest import Agent
from tests.factories import make_channel, make_message, make_thread
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db

GOOD = {"sender_id": "visitor-17", "sender_type": "user", "text": "When does it ship?"}
HOOK = "https://agent.example.com/hook"


def send(agent: Agent, path: str = "/v1/messages", **fields: Any) -> Any:
    """What was sent, as the answer has it."""
    answer = agent.post(path, GOOD | fields)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["status"], body["message"]) == ("success", "Message sent successfully.")
    return body["data"]


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize("path", ["/v1/messages", "/messages"])
def test_first_message_begins_a_conversation(agent: Agent, path: str) -> None:
    metadata = {"user_name": "Kim", "cart": [1, 2.50]}
    sent = send(agent, path, metadata=metadata)
    message, thread = Message.objects.get(), Thread.objects.get()
    assert (message.thread, message.source, message.source_author) == (
        thread,
        "conversation",
        "visitor-17",
    )
    assert (message.author, message.source_author_name) == (None, "Kim")
    assert (thread.source, thread.title, thread.foreign_id) == (
        "conversation",
        GOOD["text"],
        None,
    )
    created_at = sent["message"].pop("created_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created_at)
    assert sent == {
        "conversation_id": f"con_{thread.pk.hex}",
        "message": {
            "id": f"msg_{message.pk.hex}",
            "sender_id": "visitor-17",
            "sender_type": "user",
            "text": GOOD["text"],
            "metadata": metadata,
        },
        "auto_reply_enqueued": False,
    }


@pytest.mark.usefixtures("channel")
def test_id_is_read_in_every_form(agent: Agent) -> None:
    shown = send(agent)["conversation_id"]
    thread = Thread.objects.get()
    forms = [shown, shown.upper(), thread.pk.hex, str(thread.pk), f"CON_{thread.pk}"]
    for form in forms:
        assert send(agent, conversation_id=form)["conversation_id"] == shown
    assert thread.messages.count() == 1 + len(forms)


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hi", "Hi"),
        ("  When\n does\tit ship? ", "When does it ship?"),
        ("word " * 40, "word " * 15 + "word…"),
        ("x" * 300, "x" * 80 + "…"),
    ],
)
def test_conversation_is_titled_from_its_first_words(agent: Agent, text: str, title: str) -> None:
    send(agent, text=text)
    assert Thread.objects.get().title == title
    assert Message.objects.get().text == text


def test_new_conversation_goes_to_the_oldest_agent_unless_told(
    agent: Agent, channel: Channel
) -> None:
    other = make_channel(channel.workspace)
    shown = f"agt_{other.pk.hex}"
    for path, fields, expected in (
        ("/v1/messages", {}, channel),
        (f"/v1/messages?channel={shown}", {}, other),
        (f"/messages?channel={other.pk}", {}, other),
        ("/v1/messages", {"sender_id": shown, "sender_type": "agent"}, other),
        ("/v1/messages", {"sender_id": str(other.pk), "sender_type": "agent"}, other),
        (f"/v1/messages?channel={channel.pk}", {"sender_id": shown}, channel),
        ("/v1/messages", {"sender_id": "agt_" + "0" * 32}, channel),
    ):
        send(agent, path, **fields)
        assert Thread.objects.latest("id").channel == expected, (path, fields)


def test_conversation_of_another_channel_than_the_named_one_is_a_404(
    agent: Agent, channel: Channel
) -> None:
    thread, other = make_thread(channel), make_channel(channel.workspace)
    body = GOOD | {"conversation_id": str(thread.pk)}
    assert agent.post(f"/v1/messages?channel={other.pk}", body).status_code == 404
    assert agent.post(f"/v1/messages?channel={channel.pk}", body).status_code == 200


def test_reply_goes_to_the_conversation_of_what_it_answers(agent: Agent, channel: Channel) -> None:
    question = make_message(channel, thread=make_thread(channel), sender=Sender.USER)
    named = f"msg_{question.pk.hex}"
    assert question.thread is not None
    for fields in ({}, {"conversation_id": str(question.thread.pk)}):
        sent = send(agent, reply_to_message_id=named, **fields)
        assert sent["conversation_id"] == f"con_{question.thread.pk.hex}"
    assert [m.reply_to for m in question.thread.messages.order_by("id")][1:] == [question] * 2


def test_speaks_in_a_room_of_another_platform_too(agent: Agent, channel: Channel) -> None:
    room = make_thread(channel, source="discord", foreign_id="room-1")
    sent = send(agent, conversation_id=str(room.pk), sender_type="agent", sender_id="bot")
    assert sent["conversation_id"] == f"con_{room.pk.hex}"
    assert Event.objects.get().type == "message:replied"


@pytest.mark.usefixtures("channel")
def test_nobody_is_impersonated(agent: Agent, person: Any) -> None:
    for claimed in (str(person.pk), f"usr_{person.pk.hex}", person.email):
        assert send(agent, sender_id=claimed)["message"]["sender_id"] == claimed
    assert set(Message.objects.values_list("author", flat=True)) == {None}


@pytest.mark.usefixtures("channel")
def test_numbers_of_metadata_come_back_as_they_were(agent: Agent) -> None:
    number = b"123456789012345678901234567890"
    body = b'{"sender_id": "v", "sender_type": "user", "text": "x", "metadata": {"n": %s}}' % number
    assert b'"n": ' + number in agent.call("POST", "/v1/messages", body).content


class TestWhoIsTold:
    """The webhook is called about a user's message, if there is one and the sender wants it."""

    @pytest.fixture
    def channel(self, workspace: Any) -> Channel:
        return make_channel(workspace, webhook_url=HOOK)

    @pytest.mark.usefixtures("channel")
    def test_auto_reply_enqueues_the_webhook(self, agent: Agent) -> None:
        assert send(agent)["auto_reply_enqueued"] is True
        delivery = Delivery.objects.get()
        assert (delivery.url, delivery.event.type) == (HOOK, "message:created")

    @pytest.mark.usefixtures("channel")
    def test_without_auto_reply_the_feed_has_it_and_nobody_is_called(self, agent: Agent) -> None:
        assert send(agent, auto_reply=False)["auto_reply_enqueued"] is False
        assert Event.objects.get().type == "message:created"
        assert not Delivery.objects.exists()

    def test_agent_without_webhook_has_it_in_the_feed(self, agent: Agent, channel: Channel) -> None:
        other = make_channel(channel.workspace)
        sent = send(agent, f"/v1/messages?channel={other.pk}")
        assert sent["auto_reply_enqueued"] is False
        assert (Event.objects.count(), Delivery.objects.count()) == (1, 0)

    @pytest.mark.usefixtures("channel")
    @pytest.mark.parametrize(("sender", "events"), [("agent", ["message:replied"]), ("system", [])])
    def test_others_call_nobody(self, agent: Agent, sender: str, events: list[str]) -> None:
        assert send(agent, sender_type=sender)["auto_reply_enqueued"] is False
        assert list(Event.objects.values_list("type", flat=True)) == events
        assert not Delivery.objects.exists()


def test_pages_below_messages_are_still_there(channel: Channel, person: Any) -> None:
    page = signed_in(person).get(f"/messages/{make_message(channel).pk}/")
    assert (page.status_code, page["Location"].split("?")[0]) == (303, f"/channels/{channel.pk}/")
