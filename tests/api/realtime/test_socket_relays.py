"""Socket.IO `/ws`: what agents may pass on, and what is dropped."""

import contextlib
from typing import Any

import pytest
import socketio
from django.utils import timezone

from api.realtime.callers import BURST
from api.realtime.sockets import LARGEST_EVENT
from inbox.models import Channel, ChannelStatus
from inbox.services.channels import note_status
from tests.api.realtime.running import Running, client, next_event, settle, subscribe
from tests.factories import (
    make_key,
    make_message,
    make_person,
    make_ticket,
    make_workspace,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_stranger_subscribes_in_vain(
    realtime: Running, channel: Channel, agent: socketio.SimpleClient
) -> None:
    stranger = make_key(make_workspace("Elsewhere")).clear
    with client(realtime, apiKey=stranger) as sio:
        for odd in (channel.pk, "", "nope", "\0", "x" * 100_000, str(channel.pk).upper()):
            sio.emit("subscribe:channel", str(odd))
        for nonsense in (None, 7, {}, [str(channel.pk)], {"channelId": str(channel.pk)}):
            sio.emit("subscribe:channel", nonsense)
        assert settle(sio) == []
        make_message(channel)
        assert next_event(agent)[0] == "message:created"
        assert settle(sio) == []


def test_person_of_another_workspace_hears_nothing(
    realtime: Running, channel: Channel, agent: socketio.SimpleClient
) -> None:
    outsider = make_person(make_workspace("Elsewhere"))
    with client(realtime, token=make_ticket(outsider)) as sio:
        subscribe(sio, channel.pk)
        make_message(channel)
        note_status(channel, status=ChannelStatus.BUSY, message=None, now=timezone.now())
        assert next_event(agent)[0] == "message:created"
        assert settle(sio) == []


def delta(channel: Channel, **over: Any) -> dict[str, Any]:
    return {"channelId": str(channel.pk), "delta": "wor", "streamId": "s", "own": [1]} | over


def test_stranger_and_person_cannot_speak_for_an_agent(
    realtime: Running,
    channel: Channel,
    agent: socketio.SimpleClient,
    page: socketio.SimpleClient,
) -> None:
    stranger = make_key(make_workspace("Elsewhere")).clear
    with client(realtime, apiKey=stranger) as sio:
        for sender in (sio, page):
            sender.emit("message:delta", delta(channel))
            sender.emit("message:progress", {"channelId": str(channel.pk), "content": "x"})
            sender.emit("agent:commands", {"channelId": str(channel.pk), "commands": []})
            login = {"channelId": str(channel.pk), "state": "s", "provider": "p"}
            sender.emit("oauth:start", login)
            assert settle(sender) == []
    assert settle(agent) == []
    assert settle(page) == []


def test_relays_reach_every_listener_unchanged(
    realtime: Running, key: str, channel: Channel, agent: socketio.SimpleClient
) -> None:
    progress = {"channelId": str(channel.pk), "content": "reading", "toolHint": True}
    commands = {
        "channelId": str(channel.pk),
        "commands": [{"command": "run", "description": "Run it", "extra": 1}],
    }
    with client(realtime, apiKey=key) as second:
        subscribe(second, channel.pk)
        agent.emit("message:delta", delta(channel))
        agent.emit("message:progress", progress)
        agent.emit("agent:commands", commands)
        for sio in (agent, second):
            assert next_event(sio) == ("message:delta", delta(channel))
            assert next_event(sio) == ("message:progress", progress)
            assert next_event(sio) == ("agent:commands", commands)


def test_relays_reach_the_sockets_of_another_process(
    key: str, channel: Channel, realtime: Running, agent: socketio.SimpleClient
) -> None:
    with Running() as other, client(other, apiKey=key) as elsewhere:
        subscribe(elsewhere, channel.pk)
        agent.emit("message:delta", delta(channel))
        assert next_event(elsewhere) == ("message:delta", delta(channel))
        make_message(channel)
        assert next_event(elsewhere)[0] == "message:created"


@pytest.mark.parametrize(
    "said",
    [
        None,
        7,
        "text",
        [],
        {},
        {"channelId": 7, "delta": "x"},
        {"channelId": "", "delta": "x"},
        {"delta": 7},
        {"delta": None},
        {"delta": "x" * LARGEST_EVENT},
        {"delta": "x", "own": b"binary"},
        {"delta": "x", "streamId": 7},
    ],
    ids=lambda said: str(said)[:30],
)
def test_what_is_no_delta_is_dropped(
    agent: socketio.SimpleClient, channel: Channel, said: Any
) -> None:
    if isinstance(said, dict) and said and "channelId" not in said:
        said = {"channelId": str(channel.pk)} | said
    agent.emit("message:delta", said)
    agent.emit("message:delta", delta(channel))
    assert next_event(agent) == ("message:delta", delta(channel))


def test_login_is_told_to_people(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel
) -> None:
    login = {"channelId": str(channel.pk), "state": "s", "provider": "p"}
    agent.emit("oauth:start", login | {"authUrl": "javascript:alert(1)"})
    agent.emit("oauth:start", login | {"authUrl": "https://login.example/", "extra": 1})
    told = login | {"authUrl": "https://login.example/", "deviceCode": None}
    assert next_event(page) == ("oauth:start", told)


def test_flood_is_cut_to_the_rate(agent: socketio.SimpleClient, channel: Channel) -> None:
    sent = int(BURST) * 3
    for number in range(sent):
        agent.emit("message:delta", delta(channel, delta=str(number)))
    heard: list[int] = []
    with contextlib.suppress(socketio.exceptions.TimeoutError):
        while True:
            heard.append(int(agent.receive(timeout=1)[1]["delta"]))
    assert heard == sorted(set(heard)), "in order, none twice"
    assert BURST <= len(heard) < sent


def test_relay_reaches_this_process_while_redis_is_away(
    realtime: Running,
    agent: socketio.SimpleClient,
    channel: Channel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    async def no_redis(*_: object) -> None:
        asked.append(1)
        raise ConnectionError

    sockets = realtime.app.sockets
    monkeypatch.setattr(sockets, "_bus_away_until", 0.0)
    monkeypatch.setattr(sockets._redis, "publish", no_redis)
    for _ in range(2):
        agent.emit("message:delta", delta(channel))
        assert next_event(agent) == ("message:delta", delta(channel))
    assert len(asked) == 1, "after one failure Redis is left alone for a while"
