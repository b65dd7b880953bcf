"""The log of agents' calls: what it keeps, what it never keeps, and that it holds nobody up."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.ids import uuid7
from accounts.models import Workspace
from api import call_log as module
from api.call_log import CallLog, call_log
from api.calls import calls_of, forget_calls, unnamed_calls
from api.models import Call, UnnamedCalls
from inbox.models import Channel
from tests.conftest import Agent
from tests.factories import make_call, make_workspace
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
    (call,) = written(log)
    row = Call.objects.filter(pk=call.pk).values().get()
    assert "secret-word" not in str(row)
    assert agent.key not in str(row)


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
log.add(module.Noted(None, None, {}, "", "", 200, 0.0, None))
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
