"""What agents' calls ask of the database, and that what is remembered between them stays true."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import key_memory
from accounts.models import ApiKey, Workspace
from accounts.services import revoke_key
from inbox.channel_memory import remembered_channel
from inbox.models import Channel, Message, Sender, Thread
from inbox.queries import ChannelNotYoursError
from inbox.services.messages import Draft, post_message
from tests.conftest import Agent
from tests.factories import make_key, make_message, make_review, make_thread

pytestmark = pytest.mark.django_db(transaction=True)  # BEGIN and COMMIT count, too


def body(channel: Channel, **fields: object) -> dict[str, object]:
    review = {"type": "approval", "payload": {"options": ["approve", "reject"]}}
    return {"channelId": str(channel.pk), "text": "Deploy?", "review": review} | fields


@pytest.fixture
def posted(agent: Agent, channel: Channel) -> str:
    """The id of a first message: key and channel are known from here on."""
    return str(agent.post("/api/v1/messages", body(channel)).json()["id"])


@pytest.fixture
def statements() -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as captured:
        yield captured


def words_of(statements: CaptureQueriesContext) -> list[str]:
    return [query["sql"].split()[0].rstrip(";") for query in statements.captured_queries]


def test_post_with_a_review_takes_four_statements(
    agent: Agent, channel: Channel, posted: str, statements: CaptureQueriesContext
) -> None:
    assert agent.post("/api/v1/messages", body(channel)).status_code == 201
    assert words_of(statements) == ["BEGIN", "INSERT", "INSERT", "COMMIT"]


def test_client_id_takes_no_more(
    agent: Agent, channel: Channel, posted: str, statements: CaptureQueriesContext
) -> None:
    answer = agent.post("/api/v1/messages", body(channel, clientId="1"))
    assert (answer.status_code, len(statements)) == (201, 4)
    again = agent.post("/api/v1/messages", body(channel, clientId="1"))
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == answer.json()


def test_list_of_fifty_takes_three_statements(agent: Agent, channel: Channel, posted: str) -> None:
    for _ in range(50):
        make_review(channel=channel)
    with CaptureQueriesContext(connection) as statements:
        assert len(agent.get("/api/v1/messages").json()["data"]) == 50
    assert len(statements) <= 3, words_of(statements)


def test_list_of_a_channel_takes_three_statements_whatever_is_in_it(
    agent: Agent, channel: Channel, posted: str
) -> None:
    thread = make_thread(channel)
    for number in range(10):
        asked = make_review(channel=channel, thread=thread)
        make_message(channel, thread=thread, reply_to=asked.message)
        make_message(channel, stream_id=f"s-{number}", stream_state="complete")
    with CaptureQueriesContext(connection) as statements:
        shown = agent.get(f"/api/v1/messages?channel={channel.pk}").json()["data"]
    assert len(shown) == 31
    assert len([each for each in shown if "replyTo" in each and "thread" in each]) == 10
    assert len(statements) <= 3, words_of(statements)


def test_list_of_a_channel_that_another_process_deleted_is_a_403(
    agent: Agent, channel: Channel, posted: str
) -> None:
    Message.objects.all().delete()
    path = f"/api/v1/messages?channel={channel.pk}"
    assert agent.get(path).json() == {"data": [], "nextCursor": None}
    Channel.objects.filter(pk=channel.pk)._raw_delete(using="default")  # without its signal
    assert agent.get(path).status_code == 403


def test_one_review_takes_three_statements(
    agent: Agent, posted: str, statements: CaptureQueriesContext
) -> None:
    assert agent.get(f"/api/v1/reviews/{posted}").status_code == 200
    assert len(statements) <= 3, words_of(statements)


def test_answer_to_a_post_is_the_message_as_it_is_stored(agent: Agent, channel: Channel) -> None:
    metadata = {"n": 1e21, "t": "ä"}
    callback = {"url": "https://example.org/x", "headers": {"Authorization": "Bearer x"}}
    review = {"type": "approval", "payload": {"options": ["a"]}, "callback": callback}
    for fields in (
        {},
        {"metadata": metadata, "status": "info", "clientId": "1"},
        {"review": review},
    ):
        answer = agent.post("/api/v1/messages", body(channel, **fields)).json()
        assert agent.get(f"/api/v1/messages/{answer['id']}").json() == answer
    plain = agent.post("/api/v1/messages", {"channelId": str(channel.pk), "text": "x"}).json()
    assert agent.get(f"/api/v1/messages/{plain['id']}").json() == plain


def test_revoked_key_stops_at_once_where_it_was_revoked(
    agent: Agent, channel: Channel, posted: str
) -> None:
    revoke_key(ApiKey.objects.get(), now=timezone.now())
    assert agent.post("/api/v1/messages", body(channel)).status_code == 401


def test_key_that_another_process_revoked_stops_soon(
    agent: Agent, channel: Channel, posted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ApiKey.objects.update(revoked_at=timezone.now())  # as it is seen from here
    later = time.monotonic() + key_memory.TRUSTED_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert agent.post("/api/v1/messages", body(channel)).status_code == 401


def test_key_that_expires_while_it_is_remembered_stops(workspace: Workspace) -> None:
    now = timezone.now()
    key = make_key(workspace)
    ApiKey.objects.filter(pk=key.row.pk).update(expires_at=now + timedelta(seconds=1))
    assert key_memory.key_good_lately(key.clear, now=now) is not None
    assert key_memory.key_good_lately(key.clear, now=now + timedelta(seconds=1)) is None


def test_channel_that_another_process_deleted_is_a_403(
    agent: Agent, channel: Channel, posted: str
) -> None:
    Message.objects.all().delete()
    Channel.objects.filter(pk=channel.pk)._raw_delete(using="default")  # without its signal
    answer = agent.post("/api/v1/messages", body(channel))
    assert (answer.status_code, json.loads(answer.content)["message"]) == (403, "Not your agent")
    assert not Message.objects.exists()


def test_channel_that_goes_while_a_reply_is_stored_is_no_surprise(
    workspace: Workspace, channel: Channel
) -> None:
    thread = Thread.objects.create(channel=channel, source="discord", foreign_id="1")
    remembered_channel(workspace, str(channel.pk))
    known = remembered_channel(workspace, str(channel.pk))
    for rows in (Thread.objects.all(), Channel.objects.all()):
        rows._raw_delete(using="default")  # as another process did, so that nothing is forgotten
    draft = Draft(text="x", thread=thread)
    with pytest.raises(ChannelNotYoursError):
        post_message(channel=known, sender=Sender.AGENT, draft=draft, now=timezone.now())


def test_remembered_channel_is_nobody_elses(
    agent: Agent, stranger: Agent, channel: Channel, posted: str
) -> None:
    assert stranger.post("/api/v1/messages", body(channel)).status_code == 403
    assert stranger.get(f"/api/v1/messages?channel={channel.pk}").status_code == 403
    assert agent.post("/api/v1/messages", body(channel)).status_code == 201
    assert Workspace.objects.count() == 2
