"""Calls of this dialect in the log: which agent they were about, and why they were refused."""

import pytest
from pytest_django.fixtures import Settings

from api.call_log import CallLog, call_log
from api.models import Call
from inbox.models import Channel
from tests.api.eliza.calls import INGEST, MISSING, messages_of
from tests.conftest import Agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CallLog:
    """Switched on, and written when a test says so."""
    settings.API_LOG = "on"
    call_log.begin()
    monkeypatch.setattr(call_log, "_start", lambda: None)
    return call_log


def written(log: CallLog) -> Call:
    log.flush()
    return Call.objects.get()


def test_refusal_says_which_fields_were_wrong(agent: Agent, channel: Channel, log: CallLog) -> None:
    agent.post(messages_of(channel), {"mode": "later"})
    call = written(log)
    assert (call.status, call.channel_id) == (400, channel.pk)
    assert call.error == (
        "Missing required fields: content: "
        "content: is required; mode: must be one of sync, stream, websocket"
    )


def test_reason_without_details_is_said_once(agent: Agent, channel: Channel, log: CallLog) -> None:
    agent.get(messages_of(MISSING))
    assert written(log).error == "Channel not found"


def test_ingested_message_is_logged_with_its_agent(
    agent: Agent, channel: Channel, log: CallLog
) -> None:
    agent.post(INGEST, {"agentId": str(channel.pk), "text": ""})
    call = written(log)
    assert (call.route, call.channel_id) == ("api/messaging/ingest-external", channel.pk)
