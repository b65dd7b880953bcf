"""Calls in both directions, as owners and admins read them: merged, narrowed, and in whole."""

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Role, User, Workspace
from api import call_log as module
from api.call_log import CallLog, call_log
from api.models import CallBodies
from api.traffic import attempt_id
from delivery.models import Attempt, Delivery, Event, State
from inbox.models import Channel
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.conftest import Agent
from tests.factories import make_attempt, make_call, make_channel, make_person, make_review
from tests.web.conftest import signed_in

URL = "https://ada:lovelace@agent.example/hook?token=thistle"


@pytest.fixture
def called(workspace: Workspace) -> Channel:
    """A channel whose agent is called."""
    return make_channel(workspace, name="Called", webhook_url=URL)


@pytest.fixture
def answered(called: Channel, person: User) -> ReviewRequest:
    """A form that a person answered; its agent is to be told."""
    fields = [
        {"name": "pin code", "label": "Code", "type": "password"},
        {"name": "user", "label": "Name", "type": "text"},
    ]
    review = make_review("form", {"fields": fields}, channel=called)
    said = Answer(response={"pin code": "marigold", "user": "grace"}, by=person, via=Closer.PAGE)
    answer_review(review, answer=said)
    return review


def shown(browser: Client, path: str) -> str:
    page = browser.get(path)
    assert page.status_code == 200
    return str(page.content.decode())


def detail(browser: Client, attempt: Attempt) -> str:
    return shown(browser, f"/activity/calls/{attempt_id(attempt)}/")


def test_attempts_stand_among_calls_by_time(
    browser: Client, workspace: Workspace, answered: ReviewRequest, now: datetime
) -> None:
    for number in range(3):
        at = now - timedelta(minutes=2 * number)
        make_call(workspace, at, path=f"/api/v1/call-{number}")
        make_attempt(answered, at - timedelta(minutes=1))
    rows = browser.get("/activity/?show=calls").context["page"].rows
    ways = [row.entry.direction for row in rows]
    assert ways == ["inbound", "outbound"] * 3
    assert [row.entry.at for row in rows] == sorted((row.entry.at for row in rows), reverse=True)


def test_pages_of_both_follow_the_cursor_without_a_gap(
    browser: Client, workspace: Workspace, answered: ReviewRequest, now: datetime
) -> None:
    """Also where several of both begin within one millisecond."""
    begin = now - timedelta(hours=1)
    for number in range(70):
        at = begin + timedelta(microseconds=number // 3 * 300)
        make_attempt(answered, at)
        make_call(workspace, at)
    seen: list[str] = []
    query = "?show=calls"
    while query:
        page = browser.get(f"/activity/{query}")
        seen += [str(row.entry.id) for row in page.context["page"].rows]
        query = page.context["next_page"]
    assert len(seen) == len(set(seen)) == 140
    assert seen == sorted(seen, reverse=True)


def test_direction_and_outcome_narrow(
    browser: Client, workspace: Workspace, answered: ReviewRequest, now: datetime
) -> None:
    make_call(workspace, now, status=404)
    make_attempt(answered, now, http_status=503)
    make_attempt(answered, now, http_status=None, error="no answer: timed out")

    def found(query: str) -> list[tuple[str, int]]:
        rows = browser.get(f"/activity/?show=calls&{query}").context["page"].rows
        return sorted((str(row.entry.direction), row.entry.status) for row in rows)

    assert found("direction=inbound") == [("inbound", 404)]
    assert found("direction=outbound") == [("outbound", 0), ("outbound", 503)]
    assert found("status=5") == [("outbound", 503)]
    assert found("status=0") == [("outbound", 0)]
    assert found("path=agent.example") == [("outbound", 0), ("outbound", 503)]
    assert found(f"key={workspace.pk}") == [("inbound", 404)]
    assert len(found("direction=sideways")) == 3


def test_attempt_is_shown_without_its_secrets(
    browser: Client, answered: ReviewRequest, now: datetime
) -> None:
    attempt = make_attempt(answered, now, response_head='{"ok": true, "access_token": "thistle"}')
    for page in (shown(browser, "/activity/?show=calls"), detail(browser, attempt)):
        assert "https://agent.example/hook?…" in page
        assert "review:responded" in page
        for secret in ("lovelace", "thistle", "marigold"):
            assert secret not in page
    whole = detail(browser, attempt)
    assert "grace" in whole
    assert "&quot;ok&quot;: true" in whole


def test_answer_whose_question_is_gone_is_hidden_in_whole(
    browser: Client, answered: ReviewRequest, now: datetime
) -> None:
    attempt = make_attempt(answered, now)
    answered.message.delete()
    whole = detail(browser, attempt)
    assert "pin code" in whole
    assert "marigold" not in whole
    assert "grace" not in whole


def test_erased_event_shows_no_body(
    browser: Client, answered: ReviewRequest, now: datetime
) -> None:
    attempt = make_attempt(answered, now)
    Event.objects.update(body=None)
    assert "No body is kept of this call." in detail(browser, attempt)


def test_answer_that_is_no_json_is_shown_as_text(
    browser: Client, answered: ReviewRequest, now: datetime
) -> None:
    head = "<b>bad</b> gateway\u202e\npassword=hidden&x=1"
    attempt = make_attempt(answered, now, http_status=502, response_head=head)
    whole = detail(browser, attempt)
    assert "&lt;b&gt;bad" in whole
    assert "\u202e" not in whole
    assert "password=***" in whole


def test_refused_address_is_explained_to_operators_only(
    browser: Client, person: User, answered: ReviewRequest, now: datetime
) -> None:
    attempt = make_attempt(answered, now, http_status=None, error="10.0.0.7 is private")
    Delivery.objects.update(state=State.BLOCKED, attempts=1, last_error="10.0.0.7 is private")
    assert "10.0.0.7" not in detail(browser, attempt)
    assert "10.0.0.7" not in shown(browser, "/activity/?show=calls")
    User.objects.filter(pk=person.pk).update(is_staff=True)
    assert "10.0.0.7" in detail(browser, attempt)


def test_call_shows_both_bodies(
    browser: Client,
    agent: Agent,
    channel: Channel,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.API_LOG = "on"
    log = CallLog()
    monkeypatch.setattr(log, "_start", lambda: None)
    monkeypatch.setattr(module, "call_log", log)
    text = "<script>alert(1)</script>\u202e" + "x" * 9000
    agent.post("/api/v1/messages", {"channelId": str(channel.pk), "text": text, "token": "thistle"})
    log.flush()
    (row,) = browser.get("/activity/?show=calls").context["page"].rows
    whole = shown(browser, f"/activity/calls/{row.entry.id}/")
    assert "&lt;script&gt;" in whole
    assert "<script>alert" not in whole
    assert "U+202E" in whole
    assert "thistle" not in whole
    assert json.loads(CallBodies.objects.get().answer or "")["channelId"] == str(channel.pk)
    assert "What was answered" in whole
    assert call_log is not log


def test_attempt_of_others_is_not_found(
    outsider: Client, answered: ReviewRequest, now: datetime
) -> None:
    attempt = make_attempt(answered, now)
    assert outsider.get(f"/activity/calls/{attempt_id(attempt)}/").status_code == 404
    assert "agent.example" not in shown(outsider, "/activity/?show=calls")


def test_made_up_id_of_an_attempt_is_not_found(
    browser: Client, answered: ReviewRequest, now: datetime
) -> None:
    attempt = make_attempt(answered, now)
    attempt.started_at = now - timedelta(seconds=1)
    assert browser.get(f"/activity/calls/{attempt_id(attempt)}/").status_code == 404
    assert browser.get("/activity/calls/ffffffff-ffff-8fff-bfff-ffffffffffff/").status_code == 404
    for cursor in ("ffffffff-ffff-8fff-bfff-ffffffffffff", "00000000-0000-8000-8000-000000000000"):
        assert browser.get(f"/activity/?show=calls&cursor={cursor}").status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER])
def test_attempts_are_for_those_who_manage(
    answered: ReviewRequest, workspace: Workspace, now: datetime, role: Role
) -> None:
    attempt = make_attempt(answered, now)
    looking = signed_in(make_person(workspace, role))
    assert looking.get(f"/activity/calls/{attempt_id(attempt)}/").status_code == 403
