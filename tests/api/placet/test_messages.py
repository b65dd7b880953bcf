"""Acknowledging a message, and following its revisions."""

import pytest

from accounts.models import User
from inbox.models import Channel, DeliveryStatus, Message
from inbox.services.messages import set_delivery_status
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.conftest import Agent
from tests.factories import make_message, make_review


@pytest.mark.parametrize("body", [None, {}, b"nonsense", {"anything": 1}])
def test_acknowledgement_ignores_its_body(agent: Agent, channel: Channel, body: object) -> None:
    message = make_message(channel)
    answer = agent.call("POST", f"/api/v1/messages/{message.pk}/ack", body)
    assert (answer.status_code, answer.json()) == (200, {"acknowledged": True})
    message.refresh_from_db()
    assert message.delivery_status == DeliveryStatus.ACKNOWLEDGED


def test_late_failure_does_not_take_an_acknowledgement_back(agent: Agent, channel: Channel) -> None:
    message = make_message(channel)
    for _ in range(2):
        agent.post(f"/api/v1/messages/{message.pk}/ack", {})
        set_delivery_status(message_ids=[message.pk], status=DeliveryStatus.FAILED)
    message.refresh_from_db()
    assert message.delivery_status == DeliveryStatus.ACKNOWLEDGED


def test_acknowledgement_needs_no_channel_and_refuses_another(
    agent: Agent, channel: Channel
) -> None:
    message = make_message(channel)
    other = agent.post("/api/v1/agents", {"name": "Other"}).json()["id"]
    path = f"/api/v1/messages/{message.pk}/ack"
    assert agent.post(f"{path}?channel={other}", {}).status_code == 404
    assert agent.post(path, {}).status_code == 200


@pytest.fixture
def first(channel: Channel, person: User) -> ReviewRequest:
    review = make_review(
        "form", {"fields": [{"name": "pw", "type": "password"}]}, channel=channel, text="v1"
    )
    said = Answer(response={"pw": "hunter2"}, by=person, via=Closer.PAGE)
    return answer_review(review, answer=said)


def test_message_without_revisions_is_its_own_chain(agent: Agent, first: ReviewRequest) -> None:
    chain = agent.get(f"/api/v1/messages/iterations/{first.pk}").json()
    assert chain["groupId"] == str(first.pk)
    assert [each["id"] for each in chain["iterations"]] == [str(first.pk)]


def test_any_revision_names_the_whole_chain(agent: Agent, first: ReviewRequest) -> None:
    body = {"channelId": str(first.channel_id), "iterationOf": str(first.pk), "text": "v2"}
    second = agent.post("/api/v1/messages", body).json()
    third = agent.post("/api/v1/messages", body | {"text": "v3"}).json()
    chains = [
        agent.get(f"/api/v1/messages/iterations/{member}").json()
        for member in (first.pk, second["id"], third["id"])
    ]
    assert chains[0] == chains[1] == chains[2]
    assert [each["text"] for each in chains[0]["iterations"]] == ["v1", "v2", "v3"]
    assert [each["iteration"] for each in chains[0]["iterations"]] == [1, 2, 3]


def test_password_is_clear_to_the_asker_and_hidden_in_lists(
    agent: Agent, first: ReviewRequest
) -> None:
    lists = ("/api/v1/messages", f"/api/v1/messages/iterations/{first.pk}")
    for hidden in lists:
        assert "hunter2" not in agent.get(hidden).content.decode()
        assert "***REDACTED***" in agent.get(hidden).content.decode()
    for clear in ("messages/{}", "reviews/{}", "reviews/{}/wait"):
        assert "hunter2" in agent.get(f"/api/v1/{clear.format(first.pk)}").content.decode()


def test_password_is_nowhere_in_the_log(
    agent: Agent, first: ReviewRequest, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        agent.get(f"/api/v1/reviews/{first.pk}")
        agent.get(f"/api/v1/reviews/{first.pk}/wait")
        Message.objects.get(pk=first.pk)
    assert "hunter2" not in caplog.text
