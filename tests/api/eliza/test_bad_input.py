"""Nonsense on every route of this dialect: its own envelope and a 4xx, and no half a row."""

import re
from itertools import product
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from api.eliza.errors import refusal
from inbox.models import Channel, Message
from inbox.queries import ChannelNotYoursError
from tests.api.eliza.calls import INGEST, SERVER, assert_refused, messages_of
from tests.api.eliza.operations import OPERATIONS
from tests.api.eliza.test_channels import whole
from tests.api.eliza.test_ingest import one, several
from tests.api.placet.test_bad_input import BAD_BODIES, BAD_KEYS
from tests.cases import each
from tests.conftest import Agent

pytestmark = pytest.mark.django_db

PATHS = {operation.path: re.sub(r"{\w+}", "x", operation.path) for operation in OPERATIONS}
POSTS = [PATHS[operation.path] for operation in OPERATIONS if operation.takes_json]
WITH_NUL = {"content": "a\0b", "text": "a\0b", "messages": [{"content": "\0"}]}


@each("headers, path", product(BAD_KEYS, PATHS.values()))
def test_call_without_a_good_key_is_a_401(path: str, headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        answer = Agent("").call(method, path, {}, **headers)
        assert_refused(answer, 401)
        assert answer["content-type"].startswith("application/json")


@each("header", ["x-api-key", "X-API-KEY", "X-Api-Key", "authorization"])
def test_key_is_taken_in_any_header_that_carries_one(agent: Agent, header: str) -> None:
    value = f"Bearer {agent.key}" if header == "authorization" else agent.key
    assert Agent("").call("GET", SERVER, **{"x-api-key": ""} | {header: value}).status_code == 200


@each("kind, path", product(BAD_BODIES, POSTS))
def test_bad_body_is_a_400(agent: Agent, path: str, kind: str) -> None:
    assert_refused(agent.call("POST", path, BAD_BODIES[kind]), 400)
    assert not Message.objects.exists()


@each("path", POSTS)
def test_nul_is_refused_wherever_it_stands(agent: Agent, path: str) -> None:
    error = assert_refused(agent.post(path, WITH_NUL), 400)
    assert "NUL" in error["message"]


@each("path", POSTS)
def test_body_over_the_limit_is_a_413(agent: Agent, path: str) -> None:
    body = b'{"content": "' + b"x" * 1024 * 1024 + b'"}'
    error = assert_refused(agent.call("POST", path, body), 413)
    assert error["code"] == "PAYLOAD_TOO_LARGE"


@each("path, kind", product(POSTS, ["text/plain", "multipart/form-data; boundary=x", ""]))
def test_body_that_is_not_json_is_a_415(agent: Agent, path: str, kind: str) -> None:
    answer = agent.call("POST", path, b'{"content": "x"}', **{"content-type": kind})
    assert assert_refused(answer, 415)["code"] == "UNSUPPORTED_MEDIA_TYPE"


VALUES: list[Any] = [None, True, 0, -1, 1e300, 10**30, "", "x", "x" * 5000, [], [[]], {}, {"a": {}}]


SHAPES = {
    "message": ["in_reply_to_message_id", "raw_message", "metadata", "source_type", "mode"],
    "one": ["metadata"],
    "several": [],
}


def shape_of(kind: str, channel: Channel) -> tuple[str, dict[str, Any]]:
    """A path with a good body for it."""
    if kind == "message":
        return messages_of(channel), whole(channel)
    return INGEST, one(channel) if kind == "one" else several(channel, "a")


@each("value, kind", product(VALUES, SHAPES))
def test_any_value_in_any_field_is_stored_or_refused(
    agent: Agent, channel: Channel, kind: str, value: Any
) -> None:
    path, body = shape_of(kind, channel)
    for name in (*body, *SHAPES[kind]):
        answer = agent.post(path, body | {name: value})
        if answer.status_code != 200:
            error = assert_refused(answer, 400)
            assert error["details"].startswith(name)


@each("value", VALUES)
def test_any_value_in_a_listed_message_is_stored_or_refused(
    agent: Agent, channel: Channel, value: Any
) -> None:
    body = several(channel, "a")
    (message,) = body["messages"]
    for name in (*message, "metadata"):
        answer = agent.post(INGEST, body | {"messages": [message | {name: value}]})
        if answer.status_code != 200:
            error = assert_refused(answer, 400)
            assert error["details"].startswith(f"messages[0].{name}: ")


@each("method, path", product(["PUT", "PATCH", "DELETE", "TRACE"], PATHS.values()))
def test_other_method_is_a_405_with_allow(agent: Agent, path: str, method: str) -> None:
    answer = agent.call(method, path, {})
    assert_refused(answer, 405)
    assert "POST" in answer["Allow"] or "GET" in answer["Allow"]


@each(
    "path",
    [
        "",
        "channels",
        "channels/",
        "channels//messages",
        "channels/a/b/messages",
        "ingest-external/",
        "message-server/current/",
        "message-servers",
        "submit",
        "%00",
    ],
)
def test_unknown_route_has_this_envelope_and_needs_no_key(agent: Agent, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        for caller in (agent, Agent("")):
            answer = caller.call(method, f"/api/messaging/{path}", {})
            assert assert_refused(answer, 404)["code"] == "NOT_FOUND"


def test_flood_is_a_429_with_retry_after(agent: Agent, settings: Settings) -> None:
    settings.RATE_LIMITS = True
    answers = [agent.post(INGEST, {}) for _ in range(121)]
    assert {answer.status_code for answer in answers[:120]} == {400}
    assert assert_refused(answers[-1], 429)["code"] == "TOO_MANY_REQUESTS"
    assert int(answers[-1]["Retry-After"]) >= 1
    assert answers[-1]["X-RateLimit-Remaining"] == "0"


def test_failure_that_nobody_foresaw_is_a_500_without_details(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("api.eliza.views.servers.workspace_of", broken)
    answer = agent.get(SERVER)
    assert assert_refused(answer, 500) == {
        "code": "INTERNAL_ERROR",
        "message": "Internal server error",
        "details": "Internal server error",
    }


def test_channel_that_is_deleted_meanwhile_is_like_a_missing_one() -> None:
    status, body = refusal(ChannelNotYoursError("Not your agent"))
    assert (status, body["error"]["message"]) == (404, "Channel not found")
