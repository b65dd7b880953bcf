"""The log of calls by its route: both directions, narrowed, in pages, and nobody else's."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey, Role, User, Workspace
from api.models import Call, CallBodies
from api.traffic import attempt_id
from delivery.models import Attempt
from inbox.models import Channel
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Caller, signed_in
from tests.factories import (
    make_attempt,
    make_call,
    make_channel,
    make_key,
    make_person,
    make_review,
    make_workspace,
)


@pytest.fixture
def called(workspace: Workspace) -> Channel:
    return make_channel(
        workspace, webhook_url="https://ada:lovelace@agent.example/hook?key=thistle"
    )


def answered(channel: Channel, person: User) -> ReviewRequest:
    fields = [{"name": "code", "label": "Code", "type": "password"}]
    review = make_review("form", {"fields": fields}, channel=channel)
    said = Answer(response={"code": "marigold"}, by=person, via=Closer.API)
    answer_review(review, answer=said)
    return review


@pytest.fixture
def attempt(called: Channel, person: User, now: datetime) -> Attempt:
    """That reached the agent, which said something."""
    return make_attempt(
        answered(called, person),
        now - timedelta(minutes=1),
        http_status=503,
        response_head='{"busy": true, "token": "thistle"}',
    )


def log(caller: Caller, query: str = "") -> list[Any]:
    answer = caller.get(f"/api/logs{query}")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["data"])


def test_call_is_a_row_with_its_bodies(
    caller: Caller, person: User, workspace: Workspace, now: datetime
) -> None:
    key = make_key(workspace).row
    ApiKey.objects.filter(pk=key.pk).update(created_by=person)
    call = make_call(workspace, now, key_id=key.pk, method="POST", status=201, path="/api/v1/x")
    CallBodies.objects.create(
        call=call, workspace=workspace, size=9, request='{"text":"Hi"}', answer='{"id":"m1"}'
    )
    (row,) = log(caller)
    assert row == {
        "id": str(call.pk),
        "apiKeyId": str(key.pk),
        "userId": str(person.pk),
        "method": "POST",
        "path": "/api/v1/x",
        "requestBody": {"text": "Hi"},
        "responseBody": {"id": "m1"},
        "statusCode": 201,
        "durationMs": 3,
        "direction": "inbound",
        "createdAt": row["createdAt"],
    }
    assert row["createdAt"].endswith("Z")
    assert caller.get(f"/api/logs/{call.pk}").json() == row


def test_attempt_is_a_row_without_secrets(caller: Caller, attempt: Attempt) -> None:
    (row,) = log(caller)
    assert row["id"] == str(attempt_id(attempt))
    assert (row["direction"], row["apiKeyId"], row["userId"]) == ("outbound", None, None)
    assert (row["method"], row["path"]) == ("POST", "https://agent.example/hook?…")
    assert (row["statusCode"], row["durationMs"]) == (503, 12)
    assert row["requestBody"]["event"] == "review:responded"
    assert row["requestBody"]["response"] == {"code": "***"}
    assert row["responseBody"] == {"busy": True, "token": "***"}
    one = caller.get(f"/api/logs/{row['id']}")
    assert one.json() == row
    for secret in ("lovelace", "thistle", "marigold"):
        assert secret not in one.content.decode()


def test_attempt_without_an_answer_has_status_0(caller: Caller, attempt: Attempt) -> None:
    Attempt.objects.update(http_status=None, duration_ms=None, response_head="", ended_at=None)
    (row,) = log(caller, "?status=0")
    assert (row["statusCode"], row["durationMs"], row["responseBody"]) == (0, None, None)


def test_what_is_not_kept_is_null(caller: Caller, workspace: Workspace, now: datetime) -> None:
    make_call(workspace, now)
    (row,) = log(caller)
    assert (row["requestBody"], row["responseBody"], row["userId"]) == (None, None, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["404", "503", "200"]),
        ("?direction=inbound", ["404", "200"]),
        ("?direction=outbound", ["503"]),
        ("?status=404", ["404"]),
        ("?status=4xx", ["404"]),
        ("?status=5xx&direction=inbound", []),
        ("?status=0", []),
        ("?agent={called}", ["503", "200"]),
        ("?agent={called}&direction=inbound", ["200"]),
        ("?limit=1", ["404"]),
    ],
)
def test_filters_narrow(
    caller: Caller, attempt: Attempt, now: datetime, query: str, found: list[str]
) -> None:
    called = Channel.objects.get(pk=attempt.delivery.signing_scope)
    make_call(called.workspace, now, status=404)
    make_call(called.workspace, now - timedelta(hours=1), channel_id=called.pk)
    rows = log(caller, query.format(called=called.pk))
    assert [str(row["statusCode"]) for row in rows] == found


@pytest.mark.parametrize(
    "query",
    [
        "direction=sideways",
        "direction=",
        "status=x",
        "status=6xx",
        "status=-1",
        "status=1000",
        "status=٢٠٠",
        "status=200&status=404",
        "cursor=nonsense",
        "limit=0",
    ],
)
def test_what_cannot_be_read_is_refused(caller: Caller, query: str) -> None:
    assert_refused(caller.get(f"/api/logs?{query}"), 400)


def test_pages_follow_the_cursor_without_a_gap(
    caller: Caller, workspace: Workspace, called: Channel, person: User, now: datetime
) -> None:
    review = answered(called, person)
    for number in range(7):
        make_call(workspace, now - timedelta(minutes=number))
        make_attempt(review, now - timedelta(minutes=number))
    seen: list[str] = []
    cursor = ""
    while True:
        page = caller.get(f"/api/logs?limit=3{cursor}").json()
        seen += [row["id"] for row in page["data"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert len(seen) == 14
    assert seen == sorted(seen, reverse=True)


def test_costs_the_same_for_any_number_of_rows(
    caller: Caller, workspace: Workspace, called: Channel, person: User, now: datetime
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            log(caller, "?limit=100")
        return len(captured)

    def fill(number: int) -> None:
        for _ in range(number):
            make_call(workspace, now, key_id=make_key(workspace).row.pk)
            make_attempt(answered(called, person), now)

    fill(2)
    caller.get("/api/logs")  # notes the first use of the token
    few = statements()
    fill(10)
    assert statements() == few <= 6


def test_log_of_another_workspace_is_not_found(
    caller: Caller, attempt: Attempt, workspace: Workspace, now: datetime
) -> None:
    call = make_call(workspace, now)
    stranger = signed_in(make_person(make_workspace("Elsewhere")))
    assert log(stranger) == []
    for theirs in (call.pk, attempt_id(attempt)):
        assert_refused(stranger.get(f"/api/logs/{theirs}"), 404)
        assert caller.get(f"/api/logs/{theirs}").status_code == 200
    assert_refused(stranger.get(f"/api/logs?agent={attempt.delivery.signing_scope}"), 403)
    assert Call.objects.count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER])
def test_log_is_for_those_who_manage(
    workspace: Workspace, attempt: Attempt, now: datetime, role: Role
) -> None:
    looking = signed_in(make_person(workspace, role))
    call = make_call(workspace, now)
    for path in ("", f"/{call.pk}", f"/{attempt_id(attempt)}"):
        assert_refused(looking.get(f"/api/logs{path}"), 403)
