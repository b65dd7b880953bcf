"""Reading, writing and answering over the JSON API."""

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Role, User, Workspace
from delivery.models import Event
from inbox.models import Channel, Message, Sender
from reviews.models import Closer, ReviewRequest
from reviews.services import expire_due
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent, Caller, signed_in
from tests.factories import make_channel, make_file, make_message, make_person, make_review

MESSAGES, REVIEWS = "/api/messages", "/api/messages/reviews"
FORM = {"fields": [{"name": "user", "type": "text"}, {"name": "pw", "type": "password"}]}
SECRET = {"response": {"user": "u", "pw": "hunter2"}}

pytestmark = pytest.mark.django_db


def test_answer_reaches_the_agent_with_who_gave_it(
    caller: Caller, agent: Agent, channel: Channel, person: User
) -> None:
    review = make_review("approval", channel=channel)
    body = {"response": {"selectedOption": "approve"}, "feedback": "good"}
    answer = caller.post(f"{MESSAGES}/{review.pk}/respond", body)
    assert answer.status_code == 201
    assert answer.json()["review"]["status"] == "completed"
    assert answer.json()["agent"]["id"] == str(channel.pk)
    seen = agent.get(f"/api/v1/reviews/{review.pk}").json()["review"]
    assert (seen["response"], seen["feedback"]) == (body["response"], "good")
    review.refresh_from_db()
    assert (review.decided_by, review.decided_via) == (person, Closer.API)


def test_second_answer_and_a_late_one_are_refused(caller: Caller, channel: Channel) -> None:
    done, late = make_review(channel=channel), make_review(channel=channel)
    gone = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    body = {"response": {"selectedOption": "approve"}}
    assert caller.post(f"{MESSAGES}/{done.pk}/respond", body).status_code == 201
    for closed in (done, gone):
        refused = caller.post(f"{MESSAGES}/{closed.pk}/respond", body)
        assert assert_refused(refused, 403)["message"] == "Review already responded"
    late.refresh_from_db()
    assert late.is_pending
    done.refresh_from_db()
    assert done.revision == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"response": None},
        {"response": "yes"},
        {"response": []},
        {"response": {"selectedOption": "neither"}},
        {"response": {"selectedOption": "approve"}, "feedback": 7},
        {"response": {"selectedOption": "approve"}, "modifiedFileIds": {"a": 7}},
    ],
)
def test_answer_has_to_fit_the_question(
    caller: Caller, channel: Channel, body: dict[str, Any]
) -> None:
    review = make_review("approval", channel=channel)
    assert_refused(caller.post(f"{MESSAGES}/{review.pk}/respond", body), 400)
    review.refresh_from_db()
    assert review.is_pending


def test_message_without_a_review_cannot_be_answered(caller: Caller, channel: Channel) -> None:
    message = make_message(channel)
    refused = caller.post(f"{MESSAGES}/{message.pk}/respond", {"response": {}})
    assert assert_refused(refused, 404)["message"] == "No review on this message"


def test_password_is_hidden_wherever_it_is_read_again(caller: Caller, channel: Channel) -> None:
    review = make_review("form", FORM, channel=channel)
    said = caller.post(f"{MESSAGES}/{review.pk}/respond", SECRET).json()
    assert said["review"]["response"] == SECRET["response"], "to who typed it, once"
    for path in (
        MESSAGES,
        f"{MESSAGES}/{review.pk}",
        f"{MESSAGES}/{review.pk}/iterations",
        REVIEWS,
    ):
        shown = caller.get(path).content.decode()
        assert "***REDACTED***" in shown
        assert "hunter2" not in shown


def test_secrets_of_the_agent_are_not_shown(caller: Caller, channel: Channel) -> None:
    channel.webhook_url = "https://agent.example.com/hook/tok-1"
    channel.webhook_headers_json = json.dumps({"x-own": "tok-2"})
    channel.webhook_username, channel.webhook_password = "tok-3", "tok-4"
    channel.management_api_key = "tok-5"
    channel.save()
    review = make_review("approval", channel=channel)
    body = {"response": {"selectedOption": "approve"}}
    answered = caller.post(f"{MESSAGES}/{review.pk}/respond", body)
    for shown in (answered, caller.get(f"{MESSAGES}/{review.pk}")):
        assert "tok-" not in shown.content.decode()


def test_reviews_are_listed_by_status_and_channel(
    caller: Caller, channel: Channel, workspace: Workspace
) -> None:
    overdue = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    waiting = make_review(channel=channel)
    elsewhere = make_review(channel=make_channel(workspace))
    make_message(channel)

    def listed(query: str) -> list[str]:
        return [each["id"] for each in caller.get(REVIEWS + query).json()]

    assert listed("") == listed("?status=all") == [str(r.pk) for r in (elsewhere, waiting, overdue)]
    assert listed("?status=pending") == [str(elsewhere.pk), str(waiting.pk)]
    assert listed(f"?status=pending&channel={channel.pk}") == [str(waiting.pk)]
    assert listed("?status=expired") == [str(overdue.pk)]
    assert listed("?status=completed") == []
    assert listed(f"?cursor={waiting.pk}") == [str(overdue.pk)]
    for wrong in ("?status=open", "?cursor=x", "?status=all&status=all"):
        assert_refused(caller.get(REVIEWS + wrong), 400)


def test_messages_are_paged(caller: Caller, channel: Channel) -> None:
    ids = [str(make_message(channel).pk) for _ in range(3)][::-1]
    first = caller.get(f"{MESSAGES}?limit=2&channel={channel.pk}").json()
    assert [each["id"] for each in first["data"]] == ids[:2]
    second = caller.get(f"{MESSAGES}?limit=2&cursor={first['nextCursor']}").json()
    assert [each["id"] for each in second["data"]] == ids[2:]
    assert second["nextCursor"] is None
    for wrong in ("?limit=x", "?limit=0", "?cursor=x"):
        assert_refused(caller.get(MESSAGES + wrong), 400)


def test_lists_take_as_many_statements_for_many_as_for_few(
    caller: Caller, channel: Channel, django_assert_num_queries: Any
) -> None:
    caller.get(MESSAGES)
    for count in (2, 12):
        for _ in range(count):
            make_review(channel=channel)
        for path in (MESSAGES, REVIEWS):
            with django_assert_num_queries(4):
                caller.get(path)
    assert len(caller.get(REVIEWS).json()) == 14


def test_agent_gets_what_a_person_wrote_with_its_file(
    caller: Caller, agent: Agent, channel: Channel, person: User
) -> None:
    channel.webhook_url = "http://127.0.0.1:8999/"
    channel.save()
    file = make_file(channel)
    body = {"channelId": str(channel.pk), "text": "hi", "attachmentIds": [str(file.pk)]}
    answer = caller.post(MESSAGES, body)
    made = answer.json()
    assert (answer.status_code, made["senderType"], made["senderId"]) == (
        201,
        "user",
        str(person.pk),
    )
    assert [each["id"] for each in made["attachments"]] == [str(file.pk)]
    assert agent.get(f"/api/v1/messages/{made['id']}").json()["text"] == "hi"
    assert Event.objects.get().reference == made["id"], "and is told by its webhook"


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"attachmentIds": []}, {"text": 7}, {"attachmentIds": ["x"]}]
)
def test_message_that_says_nothing_is_refused(
    caller: Caller, channel: Channel, body: dict[str, Any]
) -> None:
    assert_refused(caller.post(MESSAGES, {"channelId": str(channel.pk)} | body), 400)
    assert not Message.objects.exists()


def test_repeated_message_is_stored_once_and_is_its_authors(
    caller: Caller, channel: Channel, workspace: Workspace
) -> None:
    body = {"channelId": str(channel.pk), "text": "hi", "clientId": "page-1"}
    first, again = caller.post(MESSAGES, body), caller.post(MESSAGES, body)
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    colleague = signed_in(make_person(workspace, Role.REVIEWER))
    refused = assert_refused(colleague.post(MESSAGES, body), 409)
    assert "clientId" in refused["message"]
    assert Message.objects.filter(sender=Sender.USER).count() == 1


def test_event_is_sent_again(caller: Caller, channel: Channel) -> None:
    review = make_review("approval", channel=channel)
    path = f"{MESSAGES}/{review.pk}/retry"
    unsaid = assert_refused(caller.call("POST", path), 400)
    assert unsaid["message"] == "Cannot retry delivery for this message"
    caller.post(f"{MESSAGES}/{review.pk}/respond", {"response": {"selectedOption": "approve"}})
    assert_refused(caller.call("POST", path), 400)
    Channel.objects.filter(pk=channel.pk).update(webhook_url="http://127.0.0.1:8999/")
    answer = caller.call("POST", path)
    assert (answer.status_code, answer.json()) == (200, {"retried": True})
    assert ReviewRequest.objects.get().revision == 2
