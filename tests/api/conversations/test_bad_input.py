"""Nonsense on every route: a 4xx that says what is wrong, in this dialect's envelope."""

import json
from itertools import product
from typing import Any

import pytest
from limits import RateLimitItemPerMinute
from pytest_django.fixtures import Settings

from accounts.models import ApiKey
from api import throttling
from inbox.models import Channel, Message, Thread
from tests.api.placet.test_bad_input import BAD_BODIES, BAD_KEYS
from tests.cases import each
from tests.conftest import Agent
from tests.factories import make_key, make_message, make_thread, make_workspace

POSTS = ["/v1/messages", "/messages"]
GOOD = {"sender_id": "visitor-17", "sender_type": "user", "text": "Hello"}


def assert_refused(answer: Any, *statuses: int) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.status_code in statuses, body
    assert body.keys() == {"status", "message", "data"}
    assert (body["status"], body["data"]) == ("error", None)
    assert body["message"].endswith(".")
    return body


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("channel")]


def refusal(agent: Agent, fields: dict[str, Any], status: int = 400) -> str:
    """What a message with other fields is told; nothing is stored."""
    before = Message.objects.count(), Thread.objects.count()
    told = assert_refused(agent.post(POSTS[0], GOOD | fields), status)
    assert (Message.objects.count(), Thread.objects.count()) == before
    return str(told["message"])


@each("headers, path", product(BAD_KEYS, [*POSTS, "/v1/events", "/v1/conversations/x/messages"]))
def test_bad_key_is_a_401_in_the_same_words(headers: dict[str, str], path: str) -> None:
    method = "POST" if path in POSTS else "GET"
    answer = Agent("").call(method, path, GOOD, **headers)
    assert assert_refused(answer, 401)["message"] == "Invalid or expired token."
    assert answer["WWW-Authenticate"].startswith("Bearer")


@each("field", ["revoked_at", "expires_at"])
def test_ended_key_gets_the_answer_of_an_unknown_one(agent: Agent, now: object, field: str) -> None:
    ApiKey.objects.update(**{field: now})
    refused = assert_refused(agent.post(POSTS[0], GOOD), 401)
    assert refused["message"] == "Invalid or expired token."


def test_bearer_and_any_case_of_the_header_work(agent: Agent) -> None:
    for headers in ({"authorization": f"Bearer {agent.key}"}, {"X-API-KEY": agent.key}):
        assert Agent("").call("POST", POSTS[0], GOOD, **headers).status_code == 200


@each("kind, path", product(BAD_BODIES, POSTS))
def test_bad_body_is_a_400(agent: Agent, path: str, kind: str) -> None:
    assert_refused(agent.call("POST", path, BAD_BODIES[kind]), 400)
    assert not Message.objects.exists()


@each("body", ["[]", '"x"', "7", "null"])
def test_body_that_is_no_object_is_told_so(agent: Agent, body: str) -> None:
    refused = assert_refused(agent.call("POST", POSTS[0], body.encode()), 400)
    assert refused["message"] == "The body must be a JSON object."


def test_body_over_the_limit_is_a_413(agent: Agent) -> None:
    body = json.dumps(GOOD | {"text": "x" * 1024 * 1024}).encode()
    assert_refused(agent.call("POST", POSTS[0], body), 413)


@each("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_body_that_is_not_json_is_a_415(agent: Agent, kind: str) -> None:
    assert_refused(agent.call("POST", POSTS[0], b"{}", **{"content-type": kind}), 415)


@each("missing", [None, "", " \n\t", "\u2003"])
def test_first_missing_field_is_named(agent: Agent, missing: str | None) -> None:
    for fields, named in (
        (("sender_id", "sender_type", "text"), "sender_id"),
        (("sender_type", "text"), "sender_type"),
        (("text",), "text"),
    ):
        told = refusal(agent, dict.fromkeys(fields, missing))
        assert told == f"Field '{named}' is required."


def test_left_out_field_is_named(agent: Agent) -> None:
    refused = assert_refused(agent.post(POSTS[0], {}), 400)
    assert refused["message"] == "Field 'sender_id' is required."


def test_missing_field_comes_before_a_wrong_one(agent: Agent) -> None:
    assert refusal(agent, {"sender_type": "robot", "text": ""}) == "Field 'text' is required."


NAMED = "a string of 1 to 255 characters"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"sender_type": "robot"}, "Field 'sender_type' must be one of: user, agent, system."),
    ({"sender_type": 7}, "Field 'sender_type' must be one of: user, agent, system."),
    ({"sender_id": 7}, f"Field 'sender_id' must be {NAMED}."),
    ({"sender_id": "x" * 256}, f"Field 'sender_id' must be {NAMED}."),
    ({"text": 7}, "Field 'text' must be a string."),
    ({"text": ["x"]}, "Field 'text' must be a string."),
    ({"metadata": []}, "Field 'metadata' must be an object."),
    ({"metadata": "x"}, "Field 'metadata' must be an object."),
    ({"auto_reply": "yes"}, "Field 'auto_reply' must be true or false."),
    ({"auto_reply": None}, "Field 'auto_reply' must be true or false."),
    ({"conversation_id": 7}, "Field 'conversation_id' must be a string or null."),
    ({"reply_to_message_id": {}}, "Field 'reply_to_message_id' must be a string or null."),
]


@each("fields, told", WRONG)
def test_wrong_field_is_told_what_it_must_be(
    agent: Agent, fields: dict[str, Any], told: str
) -> None:
    assert refusal(agent, fields) == told


@each("metadata", [{"a": "x" * 70_000}, {str(n): n for n in range(501)}])
def test_too_much_metadata_is_a_400(agent: Agent, metadata: dict[str, Any]) -> None:
    assert "metadata takes up to 500 keys" in refusal(agent, {"metadata": metadata})


def test_conversation_that_is_not_there_is_named_as_it_was_given(agent: Agent) -> None:
    for given in ("con_0", "con_" + "A" * 32, "", "con 7"):
        told = refusal(agent, {"conversation_id": given}, 404)
        assert told == f"Conversation not found: {given}."


def test_name_of_what_is_missing_is_cut_and_hides_nothing(agent: Agent) -> None:
    told = refusal(agent, {"conversation_id": "con_\u202e\u200b\n" + "x" * 500}, 404)
    shown = "con_\\u202e\\u200b\\u000a" + "x" * 93
    assert told == f"Conversation not found: {shown}."


def test_reply_to_a_message_of_another_conversation_is_a_404(
    agent: Agent, channel: Channel
) -> None:
    elsewhere = make_message(channel, thread=make_thread(channel))
    named = f"msg_{elsewhere.pk.hex}"
    fields = {"conversation_id": str(make_thread(channel).pk), "reply_to_message_id": named}
    assert refusal(agent, fields, 404) == f"Message not found: {named}."


def test_reply_to_a_message_of_no_conversation_is_told_why(agent: Agent, channel: Channel) -> None:
    told = refusal(agent, {"reply_to_message_id": str(make_message(channel).pk)})
    assert told == "Field 'reply_to_message_id' must name a message of a conversation."


def test_workspace_without_agents_is_told_what_to_do() -> None:
    told = refusal(Agent(make_key(make_workspace()).clear), {})
    assert told.startswith("There is no agent to talk to yet. Create one")


@each(
    "query, kind",
    product(
        ["limit=-1", "limit=0", "limit=x", "limit=", "limit=1&limit=2"], ["events", "conversation"]
    ),
)
def test_bad_limit_is_a_400(agent: Agent, channel: Channel, kind: str, query: str) -> None:
    conversation = f"/v1/conversations/{make_thread(channel).pk}/messages"
    path = "/v1/events" if kind == "events" else conversation
    assert "limit" in assert_refused(agent.get(f"{path}?{query}"), 400)["message"]


@each("cursor", ["x", "", "%00", "con_" + "0" * 32, "' OR 1=1"])
def test_forged_cursor_of_a_conversation_is_a_400(
    agent: Agent, channel: Channel, cursor: str
) -> None:
    path = f"/v1/conversations/{make_thread(channel).pk}/messages?cursor={cursor}"
    assert "next_cursor" in assert_refused(agent.get(path), 400)["message"]


@each("cursor", ["", "x", "7-0000000000000000", "%00"])
def test_forged_cursor_of_the_feed_is_a_400_that_says_what_to_do(agent: Agent, cursor: str) -> None:
    told = assert_refused(agent.get(f"/v1/events?after={cursor}"), 400)["message"]
    assert "leave it out" in told


@each("method, path", product(["PUT", "PATCH", "DELETE", "TRACE", "GET"], POSTS))
def test_other_method_is_a_405_with_allow(agent: Agent, method: str, path: str) -> None:
    answer = agent.call(method, path, GOOD, **{"accept-language": "de"})
    assert assert_refused(answer, 405)["message"] == "This method is not allowed here."
    assert "POST" in answer["Allow"]


@each("path", ["/v1/", "/v1/nothing", "/v1/messages/", "/v1/conversations/x"])
def test_unknown_route_has_the_envelope_too(agent: Agent, path: str) -> None:
    for answer in (agent.get(path), agent.post(path, GOOD), Agent("").get(path)):
        assert_refused(answer, 404)


def test_answer_in_another_format_is_refused_in_json(agent: Agent) -> None:
    answer = agent.call("GET", "/v1/events", accept="text/html")
    assert assert_refused(answer, 406)["message"] == "Answers are JSON only."


def test_flood_is_a_429_with_retry_after(
    agent: Agent, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    few = RateLimitItemPerMinute(3, namespace="write")
    monkeypatch.setattr(throttling, "WRITES", few)
    answers = [agent.post(POSTS[0], {}) for _ in range(4)]
    assert {answer.status_code for answer in answers[:3]} == {400}
    assert assert_refused(answers[-1], 429)["message"].startswith("Too many requests.")
    assert int(answers[-1]["Retry-After"]) >= 1


def test_broken_database_is_a_503_and_a_surprise_a_500(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    for failure, status, told in (
        (OperationalError("gone"), 503, "The database cannot be reached. Try again."),
        (ZeroDivisionError("secret"), 500, "Internal server error."),
    ):

        def fail(*_: object, error: Exception = failure, **__: object) -> None:
            raise error

        monkeypatch.setattr("api.conversations.views.messages.send_message", fail)
        answer = agent.post(POSTS[0], GOOD)
        assert assert_refused(answer, status)["message"] == told
