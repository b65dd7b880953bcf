"""Nonsense on every route: the documented 4xx in the full envelope, never a 500, no half a row."""

import json
import re
from itertools import product
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.pause import Pause
from api import throttling
from inbox.models import Channel, Message
from tests.api.placet.operations import OPERATIONS
from tests.cases import each
from tests.conftest import Agent
from tests.factories import make_message, make_review

POSTS = [
    "/api/v1/messages",
    "/api/v1/agents",
    "/api/v1/agents/setWebhook",
    "/api/v1/agents/deleteWebhook",
]
JSON_CALLS = [
    (operation.method, re.sub(r"{\w+}", "x", operation.path))
    for operation in OPERATIONS
    if operation.takes_json
]
WITHOUT_BODY = [
    (operation.method, re.sub(r"{\w+}", "x", operation.path))
    for operation in OPERATIONS
    if operation.takes_json and not operation.about["requestBody"]["required"]
]


def assert_refused(answer: Any, *statuses: int) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.status_code in statuses, body
    assert body.keys() == {"statusCode", "message", "errors", "timestamp", "path"}
    assert body["statusCode"] == answer.status_code
    return body


BAD_KEYS = [
    {},
    {"x-api-key": ""},
    {"x-api-key": "hp_"},
    {"x-api-key": "hp_" + "0" * 48},
    {"x-api-key": "hp_" + "a" * 36},
    {"x-api-key": "nonsense"},
    {"x-api-key": "hp_" + "a" * 5000},
    {"x-api-key": "hp_\u00e9"},
    {"authorization": "Bearer hp_" + "1" * 48},
    {"authorization": "Basic aGk6aG8="},
]


@pytest.mark.django_db
@each("headers", BAD_KEYS)
def test_bad_key_is_a_401(headers: dict[str, str]) -> None:
    assert_refused(Agent("").call("GET", "/api/v1/messages/x", **headers), 401)


def test_two_different_keys_are_refused(agent: Agent) -> None:
    other = {"authorization": "Bearer hp_" + "1" * 48}
    assert_refused(agent.call("GET", "/api/v1/agents", **other), 401)


def test_bearer_and_any_case_of_the_header_work(agent: Agent) -> None:
    bearer = Agent("").call("GET", "/api/v1/agents", authorization=f"bearer {agent.key}")
    shouted = Agent("").call("GET", "/api/v1/agents", **{"X-API-KEY": agent.key})
    assert (bearer.status_code, shouted.status_code) == (200, 200)


def test_key_in_the_query_is_no_key(agent: Agent) -> None:
    assert_refused(Agent("").get(f"/api/v1/agents?x-api-key={agent.key}"), 401)


BAD_BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b"  ",
    "cut off": b"{",
    "an array": b"[]",
    "a string": b'"x"',
    "a number": b"7",
    "null": b"null",
    "deep": b'{"metadata":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    "deep arrays": b"[" * 10_000,
    "NaN": b'{"name": NaN}',
    "infinity": b'{"name": Infinity, "channelId": Infinity}',
    "not UTF-8": b'{"name": "\xff", "channelId": "\xff"}',
    "lone surrogate": b'{"name": "\\ud800", "channelId": "\\ud800", "url": "\\ud800"}',
    "NUL": b'{"name": "a\\u0000b", "channelId": "a\\u0000b"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
}


@each("method, path, kind", [(*call, kind) for call, kind in product(JSON_CALLS, BAD_BODIES)])
def test_bad_body_is_a_400(agent: Agent, method: str, path: str, kind: str) -> None:
    if kind == "empty" and (method, path) in WITHOUT_BODY:
        return  # no body is a good one here: test_signing_secrets.py
    assert_refused(agent.call(method, path, BAD_BODIES[kind]), 400)
    assert not Message.objects.exists()


TOO_LARGE = [1024 * 1024 + 1, 10_000_000]


@each("method, path, size", [(*call, size) for call, size in product(JSON_CALLS, TOO_LARGE)])
def test_body_over_the_limit_is_a_413(agent: Agent, method: str, path: str, size: int) -> None:
    body = b'{"channelId": "' + b"x" * size + b'"}'
    assert_refused(agent.call(method, path, body), 413)


NOT_JSON = ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]


@each("method, path, kind", [(*call, kind) for call, kind in product(JSON_CALLS, NOT_JSON)])
def test_body_that_is_not_json_is_a_415(agent: Agent, method: str, path: str, kind: str) -> None:
    answer = agent.call(method, path, b'{"name": "x"}', **{"content-type": kind})
    assert_refused(answer, 415)


def test_charset_other_than_utf8_is_a_400(agent: Agent) -> None:
    wrong = {"content-type": "application/json; charset=utf-16"}
    assert_refused(agent.call("POST", POSTS[0], b"{}", **wrong), 400)


ODD_IDS = ["", "x" * 300, "..", "%2e%2e%2f", "' OR 1=1--", "{$ne:1}", "0", "\0", "c" + "1" * 24]


@each("odd", ODD_IDS)
def test_odd_channel_id_is_refused(agent: Agent, odd: str) -> None:
    assert_refused(agent.post(POSTS[0], {"channelId": odd, "text": "x"}), 400, 403)
    assert_refused(agent.post(POSTS[2], {"channelId": odd, "url": "http://8.8.8.8"}), 400, 404)
    assert_refused(agent.post(POSTS[3], {"channelId": odd}), 400, 404)


ODD_PATHS = ["x" * 300, "%2e%2e%2f", "'%20OR%201=1--", "{$ne:1}", "%00"]


@each("path, odd", product(["/api/v1/messages/{}", "/api/v1/reviews/{}"], ODD_PATHS))
def test_odd_id_in_the_path_is_a_404(agent: Agent, path: str, odd: str) -> None:
    assert_refused(agent.get(path.format(odd)), 404)


@each("query", ["limit=-1", "limit=0", "limit=abc", "limit=1.5", "limit="])
def test_bad_limit_is_a_400(agent: Agent, query: str) -> None:
    assert_refused(agent.get(f"/api/v1/messages?{query}"), 400)


def test_query_that_says_two_things_is_a_400(agent: Agent) -> None:
    for query in ("limit=1&limit=2", "channel=a&channel=b", "cursor=x&cursor=x"):
        refused = assert_refused(agent.get(f"/api/v1/messages?{query}"), 400)
        assert refused["errors"][0]["code"] == "repeated"


@each("limit", ["101", "1000000000", "9" * 400])
def test_large_limit_is_cut(agent: Agent, limit: str) -> None:
    assert agent.get(f"/api/v1/messages?limit={limit}").status_code == 200


@each("cursor", ["x", "", "%00", "' OR 1=1"])
def test_forged_cursor_is_a_400(agent: Agent, cursor: str) -> None:
    assert_refused(agent.get(f"/api/v1/messages?cursor={cursor}"), 400)


@each("search", ["%25", "_", "\\", "(a+)+$"])
def test_search_takes_every_character_literally(
    agent: Agent, channel: Channel, search: str
) -> None:
    make_message(channel, text="plain")
    assert agent.get(f"/api/v1/messages?search={search}").json()["data"] == []


@each("search", ["x" * 201, "%00"])
def test_bad_search_is_a_400(agent: Agent, search: str) -> None:
    assert_refused(agent.get(f"/api/v1/messages?search={search}"), 400)


BAD_FIELDS: list[tuple[dict[str, Any], list[str | int]]] = [
    ({"text": 7}, ["text"]),
    ({"text": None}, ["text"]),
    ({"status": "fatal"}, ["status"]),
    ({"metadata": []}, ["metadata"]),
    ({"metadata": {"a": "x" * 70_000}}, ["metadata"]),
    ({"metadata": {str(n): n for n in range(501)}}, ["metadata"]),
    ({"attachmentIds": "x"}, ["attachmentIds"]),
    ({"attachmentIds": ["nope"]}, ["attachmentIds", 0]),
    ({"attachmentIds": ["x"] * 1000}, ["attachmentIds"]),
    ({"textAttachments": [{"content": ""}]}, ["textAttachments", 0, "content"]),
    ({"clientId": ""}, ["clientId"]),
    ({"clientId": "x" * 256}, ["clientId"]),
    ({"streamState": "gone"}, ["streamState"]),
    ({"iterationOf": "nope"}, ["iterationOf"]),
    ({"review": {}}, ["review"]),
    ({"review": {"type": ""}}, ["review", "type"]),
    ({"review": {"type": "x" * 201}}, ["review", "type"]),
    ({"review": {"type": "form", "payload": [1]}}, ["review", "payload"]),
    ({"review": {"type": "form", "payload": None}}, ["review", "payload"]),
    ({"review": {"type": "a", "expiresInSeconds": -1}}, ["review", "expiresInSeconds"]),
    ({"review": {"type": "a", "expiresInSeconds": 0}}, ["review", "expiresInSeconds"]),
    ({"review": {"type": "a", "expiresInSeconds": 1.5}}, ["review", "expiresInSeconds"]),
    ({"review": {"type": "a", "expiresInSeconds": 10**20}}, ["review", "expiresInSeconds"]),
    ({"review": {"type": "a", "expiresAt": "2020-01-01T00:00:00Z"}}, ["review"]),
    ({"review": {"type": "a", "expiresAt": "2030-01-01T00:00:00"}}, ["review", "expiresAt"]),
    ({"review": {"type": "a", "expiresAt": "2026-02-30T00:00:00Z"}}, ["review", "expiresAt"]),
    ({"review": {"type": "a", "expiresAt": 1900000000}}, ["review", "expiresAt"]),
    ({"webhookUrl": "file:///etc/passwd"}, ["webhookUrl"]),
    ({"webhookUrl": "http://10.0.0.1/"}, ["webhookUrl"]),
    ({"webhookUrl": "http://" + "a" * 5000}, ["webhookUrl"]),
]
BAD_CALLBACKS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"url": "javascript:alert(1)"}, ["url"]),
    ({"url": "http://user:pw@8.8.8.8/"}, ["url"]),
    ({"url": "http://8.8.8.8/", "method": "TRACE"}, ["method"]),
    ({"url": "http://8.8.8.8/", "method": "get /x"}, ["method"]),
    ({"url": "http://8.8.8.8/", "method": ""}, ["method"]),
    ({"url": "http://8.8.8.8/", "headers": {"x": "a\r\nb: c"}}, ["headers"]),
    ({"url": "http://8.8.8.8/", "headers": {"Host": "evil"}}, ["headers"]),
    ({"url": "http://8.8.8.8/", "headers": {"webhook-signature": "v1,x"}}, ["headers"]),
    ({"url": "http://8.8.8.8/", "headers": {f"x-{n}": "v" for n in range(21)}}, ["headers"]),
    ({"url": "http://8.8.8.8/", "headers": {"x": 7}}, ["headers"]),
]
for _callback, _path in BAD_CALLBACKS:
    BAD_FIELDS.append(
        ({"review": {"type": "a", "callback": _callback}}, ["review", "callback", *_path])
    )


@each("fields, path", BAD_FIELDS)
def test_bad_field_is_a_400_that_says_where(
    agent: Agent, channel: Channel, fields: dict[str, Any], path: list[Any]
) -> None:
    body = {"channelId": str(channel.pk), "text": "x"} | fields
    refused = assert_refused(agent.post(POSTS[0], body), 400)
    assert refused["errors"][0]["path"][: len(path)] == path
    assert not Message.objects.exists()


def test_far_deadline_is_cut_to_the_limit(agent: Agent, channel: Channel) -> None:
    review = {"type": "a", "expiresAt": "9999-12-31T00:00:00Z"}
    answer = agent.post(POSTS[0], {"channelId": str(channel.pk), "review": review})
    assert answer.status_code == 201
    assert answer.json()["review"]["expiresAt"] < "2100"


def test_seconds_win_over_a_contradicting_date(agent: Agent, channel: Channel) -> None:
    review = {"type": "a", "expiresAt": "2020-01-01T00:00:00Z", "expiresInSeconds": 60}
    answer = agent.post(POSTS[0], {"channelId": str(channel.pk), "review": review})
    assert answer.status_code == 201


def test_unknown_fields_are_dropped(agent: Agent, channel: Channel) -> None:
    body = {"channelId": str(channel.pk), "text": "x", "__proto__": {"a": 1}, "id": "mine"}
    answer = agent.post(POSTS[0], body)
    assert answer.status_code == 201
    assert answer.json()["id"] != "mine"


def test_odd_metadata_keys_are_stored_literally(agent: Agent, channel: Channel) -> None:
    odd = {"__proto__": 1, "constructor": 2, "": 3, "\\u0000": 4}
    answer = agent.post(POSTS[0], {"channelId": str(channel.pk), "text": "x", "metadata": odd})
    assert answer.json()["metadata"] == odd


def test_payload_comes_back_as_the_agent_wrote_it(agent: Agent, channel: Channel) -> None:
    payload = '{ "n": 1.0, "big": 12345678901234567890123, "b":1, "a": "\\u00e9" }'
    body = (
        f'{{"channelId": "{channel.pk}", "review": {{"type": "freeform", "payload": {payload}}}}}'
    )
    posted = agent.call("POST", POSTS[0], body.encode())
    assert posted.status_code == 201
    read = agent.get(f"/api/v1/reviews/{posted.json()['id']}")
    assert f'"payload":{payload}' in read.content.decode()


@each("method", ["PUT", "PATCH", "TRACE"])
def test_other_method_is_a_405_with_allow(agent: Agent, method: str) -> None:
    answer = agent.call(method, "/api/v1/agents", {})
    assert_refused(answer, 405)
    assert "POST" in answer["Allow"]


def test_method_override_is_ignored(agent: Agent, channel: Channel) -> None:
    message = make_message(channel)
    override = {"x-http-method-override": "DELETE"}
    assert agent.call("GET", f"/api/v1/messages/{message.pk}", **override).status_code == 200
    assert Message.objects.filter(pk=message.pk).exists()


def test_unknown_route_has_the_envelope_too(agent: Agent) -> None:
    assert_refused(agent.get("/api/v1/nothing/here"), 404)
    assert_refused(agent.post("/api/nothing", {}), 404)


def test_wrong_host_is_a_400(agent: Agent) -> None:
    assert agent.call("GET", "/api/v1/agents", host="evil.example").status_code == 400


def test_foreign_and_missing_ids_look_the_same(agent: Agent, stranger: Agent) -> None:
    foreign_channel = stranger.get("/api/v1/agents").json()[0]["id"]
    theirs = Message.objects.none()
    foreign = make_review(channel=Channel.objects.get(pk=foreign_channel)).pk
    missing = "01a1fbfb-face-7572-91e0-670124d68395"
    for path in ("/api/v1/messages/{}", "/api/v1/reviews/{}"):
        answers = [agent.get(path.format(found)) for found in (foreign, missing)]
        bodies = [assert_refused(answer, 404)["message"] for answer in answers]
        assert bodies[0] == bodies[1]
    for path in ("/api/v1/messages?channel={}", "/api/v1/reviews/pending?channel={}"):
        assert_refused(agent.get(path.format(foreign_channel)), 403)
    assert_refused(agent.post(POSTS[0], {"channelId": foreign_channel, "text": "x"}), 403)
    url = {"channelId": foreign_channel, "url": "http://8.8.8.8/"}
    assert_refused(agent.post(POSTS[2], url), 404)
    assert_refused(agent.post(POSTS[3], {"channelId": foreign_channel}), 404)
    assert_refused(agent.delete(f"/api/v1/messages/{foreign}"), 404)
    assert agent.get("/api/v1/messages").json()["data"] == list(theirs)
    assert agent.get("/api/v1/reviews/pending").json() == []
    assert Message.objects.filter(pk=foreign).exists()


def test_session_cookie_is_no_key(agent: Agent) -> None:
    assert_refused(Agent("").call("GET", "/api/v1/agents", cookie="session=anything"), 401)


@pytest.mark.django_db
def test_revoked_and_expired_keys_get_the_answer_of_unknown_ones(agent: Agent) -> None:
    from django.utils import timezone

    from accounts.models import ApiKey

    unknown = assert_refused(Agent("hp_" + "0" * 48).get("/api/v1/agents"), 401)
    for field in ("revoked_at", "expires_at"):
        ApiKey.objects.update(revoked_at=None, expires_at=None)
        ApiKey.objects.update(**{field: timezone.now()})
        refused = assert_refused(agent.get("/api/v1/agents"), 401)
        assert refused["message"] == unknown["message"]


def test_flood_is_a_429_with_retry_after(agent: Agent, settings: Settings) -> None:
    settings.RATE_LIMITS = True
    answers = [agent.post("/api/v1/agents", {}) for _ in range(121)]
    assert {answer.status_code for answer in answers[:120]} == {400}
    assert_refused(answers[-1], 429)
    assert int(answers[-1]["Retry-After"]) >= 1
    assert answers[-1]["X-RateLimit-Remaining"] == "0"


def test_calls_pass_while_nobody_can_count_them(
    agent: Agent, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def no_redis() -> None:
        asked.append(1)
        raise ConnectionError

    settings.RATE_LIMITS = True
    monkeypatch.setattr(throttling, "_limiter", no_redis)
    monkeypatch.setattr(throttling, "_pause", Pause("test"))
    for _ in range(3):
        assert agent.get("/api/v1/agents").status_code == 200
    assert len(asked) == 1, "after one failure Redis is left alone for a while"


def test_only_so_many_statements_for_a_post(
    agent: Agent, channel: Channel, django_assert_max_num_queries: Any
) -> None:
    agent.get("/api/v1/agents")
    body = {"channelId": str(channel.pk), "text": "x", "review": {"type": "approval"}}
    with django_assert_max_num_queries(5, connection=connection):
        assert agent.post(POSTS[0], body).status_code == 201


def test_list_takes_as_many_statements_for_many_messages_as_for_few(
    agent: Agent, channel: Channel, django_assert_num_queries: Any
) -> None:
    agent.get("/api/v1/agents")
    for count in (2, 20):
        for _ in range(count):
            make_review(channel=channel)
        with django_assert_num_queries(2):
            data = json.loads(agent.get("/api/v1/messages?limit=100").content)["data"]
    assert len(data) == 22
