"""The log of agents' calls: what it keeps, what it never keeps, and that it holds nobody up."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.ids import uuid7
from accounts.models import User, Workspace
from api import call_log as module
from api import call_rows
from api import calls as calls_module
from api.call_log import CallLog, call_log
from api.calls import calls_of, forget_calls, unnamed_calls
from api.models import Call, CallBodies, UnnamedCalls
from inbox.models import Channel
from reviews.models import Closer
from reviews.services import Answer, answer_review
from tests.conftest import Agent
from tests.factories import make_call, make_file, make_message, make_review, make_workspace
from tests.polling import happens_within


@pytest.fixture(autouse=True)
def log(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CallLog:
    """Switched on, and written when a test says so."""
    settings.API_LOG = "on"
    call_log.begin()
    monkeypatch.setattr(call_log, "_start", lambda: None)
    return call_log


def written(log: CallLog) -> list[Call]:
    log.flush()
    return list(Call.objects.order_by("pk"))


def test_call_is_kept_with_route_key_and_size(
    agent: Agent, channel: Channel, workspace: Workspace, log: CallLog
) -> None:
    body = {"channelId": str(channel.pk), "text": "Deploy?"}
    assert agent.post("/api/v1/messages", body).status_code == 201
    (call,) = written(log)
    assert call.workspace == workspace
    assert (call.method, call.route, call.path) == (
        "POST",
        "api/v1/messages",
        "/api/v1/messages",
    )
    assert (call.status, call.error, call.address) == (201, "", "127.0.0.1")
    assert call.key_prefix == agent.key[:11]
    assert call.request_bytes == len(json.dumps(body))


def test_template_of_the_route_is_kept_beside_the_path(agent: Agent, log: CallLog) -> None:
    missing = uuid7(datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    agent.get(f"/api/v1/messages/{missing}")
    (call,) = written(log)
    assert call.route.startswith("api/v1/messages/<")
    assert str(missing) in call.path
    assert (call.status, call.error) == (404, "Message not found")


def test_neither_query_nor_key_is_kept(agent: Agent, log: CallLog) -> None:
    agent.get("/api/v1/messages?search=secret-word")
    agent.get("/api/v1/messages/nothing?search=secret-word")
    calls = written(log)
    rows = [*Call.objects.values(), *CallBodies.objects.values()]
    assert len(rows) == 2 * len(calls) == 4
    assert "secret-word" not in str(rows)
    assert agent.key not in str(rows)


def test_refusal_says_which_field_was_wrong(agent: Agent, channel: Channel, log: CallLog) -> None:
    agent.post("/api/v1/messages", {"channelId": str(channel.pk), "text": 5})
    (call,) = written(log)
    assert call.status == 400
    assert call.error.startswith("Validation failed: text: ")


def test_call_without_a_good_key_is_only_counted(log: CallLog, now: datetime, db: None) -> None:
    nobody = Agent("hp_" + "0" * 64)
    assert nobody.get("/api/v1/agents?token=shown").status_code == 401
    assert nobody.get("/api/v1/agents").status_code == 401
    assert written(log) == []
    assert unnamed_calls(since=now - timedelta(hours=1)) == 2


def test_what_a_database_cannot_store_costs_no_row(agent: Agent, log: CallLog) -> None:
    agent.get("/api/v1/messages/%00%ff")
    agent.get("/api/v1/agents")
    nul, good = written(log)
    assert nul.path == "/api/v1/messages/\ufffd%FF"
    assert good.path == "/api/v1/agents"


def test_long_path_is_cut(agent: Agent, log: CallLog) -> None:
    agent.get("/api/v1/messages/" + "x" * 5000)
    (call,) = written(log)
    assert len(call.path) == 300


def bodies(log: CallLog) -> tuple[Any, Any]:
    """What is kept of the one call that was made."""
    (call,) = written(log)
    kept = CallBodies.objects.get(call=call)
    return tuple(text and json.loads(text) for text in (kept.request, kept.answer))


def test_both_bodies_are_kept(agent: Agent, channel: Channel, log: CallLog) -> None:
    answer = agent.post("/api/v1/messages", {"channelId": str(channel.pk), "text": "Deploy?"})
    request, told = bodies(log)
    assert request == {"channelId": str(channel.pk), "text": "Deploy?"}
    assert told == answer.json()


def test_secrets_in_bodies_are_not_kept(agent: Agent, channel: Channel, log: CallLog) -> None:
    agent.call(
        "PATCH",
        f"/api/v1/agents/{channel.pk}",
        {
            "webhookUrl": "http://127.0.0.1:8000/hook?key=lovelace",
            "webhookHeaders": {"x-own": "lovelace"},
            "webhookAuth": {"username": "ada", "password": "lovelace"},
            "description": f"Calls with {agent.key}",
        },
    )
    request, told = bodies(log)
    assert "lovelace" not in f"{request} {told}"
    assert agent.key not in f"{request} {told}"
    assert request["webhookUrl"] == "http://127.0.0.1:8000/hook?***"


def test_password_that_a_person_typed_is_not_kept(
    agent: Agent, channel: Channel, person: User, log: CallLog
) -> None:
    fields = [{"name": "code", "label": "Code", "type": "password"}]
    review = make_review("form", {"fields": fields}, channel=channel)
    said = Answer(response={"code": "lovelace"}, by=person, via=Closer.PAGE)
    answer_review(review, answer=said)
    assert "lovelace" in agent.get(f"/api/v1/messages/{review.pk}").content.decode()
    _, told = bodies(log)
    assert told["review"]["response"] == {"code": "***"}


def test_database_holds_no_body_in_the_clear(agent: Agent, channel: Channel, log: CallLog) -> None:
    agent.post("/api/v1/messages", {"channelId": str(channel.pk), "text": "Deploy?"})
    written(log)
    table = connection.ops.quote_name(CallBodies._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT request, answer FROM {table}")  # noqa: S608  # our own name
        (row,) = cursor.fetchall()
    assert not any(b"Deploy" in bytes(column) for column in row)


def test_body_that_no_key_opens_any_more_is_gone(
    agent: Agent, channel: Channel, log: CallLog, settings: Settings
) -> None:
    agent.post("/api/v1/messages", {"channelId": str(channel.pk), "text": "Deploy?"})
    written(log)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
    kept = CallBodies.objects.get()
    assert (kept.request, kept.answer) == (None, None)


def test_of_a_form_only_facts_are_kept(agent: Agent, channel: Channel, log: CallLog) -> None:
    agent.send_form("/api/v1/files/upload", {"channelId": str(channel.pk), "file": "lovelace"})
    request, told = bodies(log)
    assert request["notKept"] == "multipart/form-data"
    assert set(request["parts"]) == {"channelId", "file"}
    assert request["bytes"] > 100
    assert told["id"]


def test_of_a_file_only_facts_are_kept(agent: Agent, channel: Channel, log: CallLog) -> None:
    file = make_file(channel, content=b"lovelace")
    agent.get(f"/api/v1/files/{file.pk}/download")
    request, told = bodies(log)
    assert request is None
    assert told["notKept"].startswith("text/plain")
    assert told["bytes"] == 8


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"text": "\\u0000"}',
        b"[" * 5000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b'{"text": "' + b"x" * 1_000_000 + b'"}',
        b'{"text": "' + b"x" * 1_100_000 + b'"}',
        b'{"review": {"type": "form", "payload": 7, "response": {"a": 1}}}',
        b'{"channelId": "\\ud800", "text": "\\ud800"}',
        b'{"channelId": ["no text"]}',
    ],
    ids=range(10),
)
def test_nonsense_does_not_break_the_log(
    agent: Agent, log: CallLog, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert 400 <= agent.call("POST", "/api/v1/messages", body).status_code < 500
    request, told = bodies(log)
    assert len(json.dumps(request)) < 12_000
    assert told["statusCode"] >= 400
    assert not [each for each in caplog.records if each.name.startswith("api")]


def test_body_that_cannot_be_masked_costs_no_call(
    agent: Agent,
    log: CallLog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(body: bytes) -> str:
        raise ValueError("no")

    monkeypatch.setattr(call_rows, "shown_body", refuse)
    agent.get("/api/v1/agents")
    assert len(written(log)) == 1
    assert not CallBodies.objects.exists()
    assert "bodies of a call were not kept" in caplog.text


def test_bodies_can_be_left_out(agent: Agent, log: CallLog, settings: Settings) -> None:
    settings.API_LOG_BODIES = False
    agent.get("/api/v1/agents")
    assert len(written(log)) == 1
    assert not CallBodies.objects.exists()


def test_bodies_are_left_out_while_too_much_waits(
    agent: Agent, log: CallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING_BYTES", 100)
    for path in ("/api/v1/agents", "/api/v1/plugins/nothing"):
        agent.get(path)
    assert len(written(log)) == 2
    assert log._weight == 0
    agent.get("/api/v1/agents")
    assert len(written(log)) == 3
    kept = CallBodies.objects.order_by("pk").values_list("answer", flat=True)
    assert ["notKept" in str(answer) for answer in kept] == [False, True, False]


@pytest.mark.parametrize("where", ["path", "query", "body", "answer"])
def test_call_is_filed_under_its_channel(
    agent: Agent, channel: Channel, log: CallLog, where: str
) -> None:
    message = make_message(channel)
    match where:
        case "path":
            agent.call("PATCH", f"/api/v1/agents/{channel.pk}", {"name": "Atlas"})
        case "query":
            agent.get(f"/api/v1/messages?channel={channel.pk}")
        case "body":
            agent.post("/api/v1/messages", {"channelId": str(channel.pk), "text": "Hi"})
        case _:
            agent.get(f"/api/v1/messages/{message.pk}")
    (call,) = written(log)
    assert call.channel_id == channel.pk


def test_errors_only(agent: Agent, log: CallLog, settings: Settings) -> None:
    settings.API_LOG = "errors"
    agent.get("/api/v1/agents")
    agent.get("/api/v1/messages/nothing")
    assert [call.status for call in written(log)] == [404]


def test_off_keeps_nothing(agent: Agent, log: CallLog, settings: Settings) -> None:
    settings.API_LOG = "off"
    agent.get("/api/v1/agents")
    assert written(log) == []


def test_call_costs_no_statement_of_its_own(
    agent: Agent, channel: Channel, settings: Settings
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            agent.post("/api/v1/messages", {"channelId": str(channel.pk), "text": "Hello"})
        return len(captured)

    statements()  # notes the first use of the key
    logged = statements()
    settings.API_LOG = "off"
    assert statements() == logged


def test_full_list_drops_calls_and_says_how_many(
    agent: Agent,
    log: CallLog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    for _ in range(5):
        assert agent.get("/api/v1/agents").status_code == 200
    assert len(written(log)) == 2
    assert "3 calls were dropped" in caplog.text


def test_batch_that_fails_is_dropped_and_the_next_one_written(
    agent: Agent,
    log: CallLog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as broken:

        def refuse(batch: object) -> None:
            raise ValueError("no")

        broken.setattr(module, "write", refuse)
        agent.get("/api/v1/agents")
        assert written(log) == []
    assert "1 calls were dropped" in caplog.text
    agent.get("/api/v1/agents")
    assert len(written(log)) == 1


def test_calls_of_a_removed_workspace_go_with_it(workspace: Workspace, now: datetime) -> None:
    other = make_workspace()
    make_call(workspace, now)
    kept = make_call(other, now)
    workspace.delete()
    assert list(Call.objects.all()) == [kept]


def test_workspace_sees_only_its_own_calls(
    agent: Agent, stranger: Agent, workspace: Workspace, log: CallLog, now: datetime
) -> None:
    stranger.get("/api/v1/agents")
    agent.get("/api/v1/plugins")
    assert len(written(log)) == 2
    (call,) = calls_of(workspace, since=now - timedelta(hours=1))
    assert call.path == "/api/v1/plugins"


def test_old_calls_are_forgotten(workspace: Workspace, now: datetime) -> None:
    make_call(workspace, now - timedelta(days=8))
    kept = make_call(workspace, now - timedelta(days=6))
    UnnamedCalls.objects.create(hour=now - timedelta(days=31), number=1)
    assert forget_calls(now) == 1
    assert list(Call.objects.all()) == [kept]
    assert not UnnamedCalls.objects.exists()


def test_too_many_calls_of_one_workspace_lose_the_oldest(
    workspace: Workspace, now: datetime, settings: Settings
) -> None:
    settings.API_LOG_MOST = 3
    calls = [make_call(workspace, now - timedelta(minutes=number)) for number in range(5)]
    other = make_call(make_workspace(), now - timedelta(hours=1))
    assert forget_calls(now) == 2
    assert set(Call.objects.all()) == {*calls[:3], other}


def test_oldest_bodies_go_first_and_leave_their_calls(
    workspace: Workspace, now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_module, "BATCH", 2)
    settings.API_LOG_BODIES_MOST = 250
    other = make_workspace()
    for owner in (workspace, other):
        for minutes in range(6 if owner == workspace else 2):
            call = make_call(owner, now - timedelta(minutes=minutes))
            CallBodies.objects.create(call=call, workspace=owner, size=100, request="{}")
    assert forget_calls(now) == 0
    assert Call.objects.count() == 8
    kept = CallBodies.objects.filter(workspace=workspace)
    assert {each.call_id for each in kept} == {each.pk for each in calls_of(workspace)[:2]}
    assert CallBodies.objects.filter(workspace=other).count() == 2


def test_bodies_go_with_their_calls(workspace: Workspace, now: datetime) -> None:
    call = make_call(workspace, now - timedelta(days=8))
    CallBodies.objects.create(call=call, workspace=workspace, size=2, request="{}")
    assert forget_calls(now) == 1
    assert not CallBodies.objects.exists()


@pytest.fixture
def running() -> Iterator[CallLog]:
    """A log with its own thread, which ends with the test."""
    own = CallLog()
    yield own
    own.finish()
    assert own._thread is None or not own._thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_thread_writes_by_itself_and_ends(
    agent: Agent, running: CallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "call_log", running)
    agent.get("/api/v1/agents")
    assert happens_within(5, Call.objects.exists)


@pytest.mark.django_db(transaction=True)
def test_end_of_a_process_writes_the_rest(
    agent: Agent, running: CallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "call_log", running)
    monkeypatch.setattr(module, "GATHER_SECONDS", 3600)
    agent.get("/api/v1/agents")
    assert not Call.objects.exists()
    running.finish()
    assert Call.objects.count() == 1


FORKED = """
import os, warnings
import django
django.setup()
from api import call_log as module
warnings.simplefilter("ignore", DeprecationWarning)  # forking beside a thread is the point
module.GATHER_SECONDS = 3600
log = module.call_log
log.add(module.Noted(None, None, {}, "", "", {}, 200, 0.0))
child = os.fork()
if not child:
    print(len(log._waiting), log._thread, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(len(log._waiting), log._thread is not None, flush=True)
os._exit(0)
"""


def test_forked_process_begins_empty_and_without_a_thread() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines() == ["0 None", "1 True"]
