"""Socket.IO `/ws`: who gets in, who hears what, and what is not passed on."""

import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import socketio
from django.core import signing
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_raw

from accounts.models import ApiKey, Membership, User
from accounts.services import revoke_key
from accounts.tickets import SALT, issue_ticket
from api.realtime.callers import BURST
from api.realtime.sockets import LARGEST_EVENT
from inbox.models import Channel, ChannelStatus, DeliveryStatus, Message, Sender
from inbox.services.channels import Webhook, note_status, set_webhook
from inbox.services.messages import acknowledge, delete_message, set_delivery_status
from inbox.services.streams import note_step, update_stream
from reviews.models import Closer
from reviews.services import Answer, answer_review, expire_due
from tests.api.realtime.running import Running, client, next_event, settle, subscribe
from tests.factories import (
    make_channel,
    make_key,
    make_message,
    make_person,
    make_review,
    make_workspace,
)
from tests.polling import happens_within

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def realtime() -> Iterator[Running]:
    with Running() as running:
        yield running


@pytest.fixture
def channel() -> Channel:
    return make_channel(make_workspace())


@pytest.fixture
def key(channel: Channel) -> str:
    return make_key(channel.workspace).clear


@pytest.fixture
def agent(realtime: Running, key: str, channel: Channel) -> Iterator[socketio.SimpleClient]:
    """An agent that listens to its channel."""
    with client(realtime, apiKey=key) as sio:
        subscribe(sio, channel.pk)
        yield sio


@pytest.fixture
def person(channel: Channel) -> User:
    return make_person(channel.workspace)


@pytest.fixture
def page(realtime: Running, person: User) -> Iterator[socketio.SimpleClient]:
    """A person's browser, which subscribes to nothing."""
    with client(realtime, token=issue_ticket(person)) as sio:
        yield sio


# Getting in


def refusal(realtime: Running, auth: Any) -> str:
    """What a client is told that is not let in."""
    told: list[Any] = []
    sio = socketio.Client(reconnection=False)
    sio.on("connect_error", told.append, namespace="/ws")
    with pytest.raises(socketio.exceptions.ConnectionError):
        sio.connect(realtime.url, namespaces=["/ws"], auth=auth, transports=["websocket"])
    sio.disconnect()
    return str(told[0])


@pytest.mark.parametrize(
    "auth",
    [
        None,
        {},
        [],
        "hp_x",
        {"apiKey": "hp_" + "0" * 48},
        {"apiKey": 7},
        {"apiKey": "hp_\0"},
        {"apiKey": "x" * 10_000},
        {"apiKey": ["hp_"]},
        {"token": ""},
        {"token": "a.b.c"},
        {"token": None},
    ],
)
def test_who_shows_nothing_good_is_refused(realtime: Running, auth: Any) -> None:
    assert "unauthorized" in refusal(realtime, auth)


def test_ended_keys_are_refused(realtime: Running, key: str) -> None:
    for field in ("revoked_at", "expires_at"):
        ApiKey.objects.update(revoked_at=None, expires_at=None)
        ApiKey.objects.update(**{field: timezone.now()})
        assert "unauthorized" in refusal(realtime, {"apiKey": key})


def test_only_a_fresh_ticket_of_an_active_person_opens_a_socket(
    realtime: Running, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_purpose = signing.dumps(
        {"user": str(person.pk), "session": person.get_session_auth_hash()}, salt="share"
    )
    assert "unauthorized" in refusal(realtime, {"token": other_purpose})
    long_ago = time.time() - 61
    with monkeypatch.context() as patch:
        patch.setattr("django.core.signing.time.time", lambda: long_ago)
        old = issue_ticket(person)
    assert "unauthorized" in refusal(realtime, {"token": old})
    ticket = issue_ticket(person)
    person.set_password("another one")
    person.save()
    assert "unauthorized" in refusal(realtime, {"token": ticket})
    fresh = issue_ticket(person)
    User.objects.update(is_active=False)
    assert "unauthorized" in refusal(realtime, {"token": fresh})
    assert SALT != "share"


def test_key_is_looked_at_before_the_ticket(realtime: Running, key: str, person: User) -> None:
    bad_key = {"apiKey": "hp_" + "0" * 48, "token": issue_ticket(person)}
    assert "unauthorized" in refusal(realtime, bad_key)


def test_signed_in_person_gets_a_ticket(realtime: Running, person: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    path = "/api/auth/ws-ticket"
    assert browser.post(path).status_code == 401
    browser.force_login(person)
    assert browser.post(path).status_code == 403, "without the token against forgery"
    browser.get("/inbox/")
    token = browser.cookies["csrf"].value
    answer = browser.post(path, headers={"x-csrftoken": token})
    assert (answer.status_code, answer.json()["expiresIn"]) == (200, 60)
    with client(realtime, token=answer.json()["token"]) as sio:
        assert settle(sio) == []


def test_key_does_not_get_a_ticket(key: str) -> None:
    assert Client().post("/api/auth/ws-ticket", headers={"x-api-key": key}).status_code == 401


# Being told


def test_message_is_told_to_channel_and_people(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel
) -> None:
    message = make_message(channel, text="hello")
    for sio in (agent, page):
        name, body = next_event(sio)
        assert (name, body["id"], body["text"]) == ("message:created", str(message.pk), "hello")
        assert body["agentName"] == "Atlas"


def test_persons_message_carries_no_agent_name(
    agent: socketio.SimpleClient, channel: Channel, person: User
) -> None:
    make_message(channel, sender=Sender.USER, author=person)
    name, body = next_event(agent)
    assert (name, body["senderType"]) == ("message:created", "user")
    assert "agentName" not in body


def test_socket_in_both_rooms_hears_an_event_once(
    page: socketio.SimpleClient, channel: Channel
) -> None:
    subscribe(page, channel.pk)
    make_message(channel)
    make_message(channel, text="second")
    texts = [next_event(page)[1]["text"] for _ in range(2)]
    assert texts == ["Hello", "second"]
    assert settle(page) == []


def test_answer_is_told_without_passwords_and_credentials(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel, person: User
) -> None:
    hook = Webhook("http://127.0.0.1:8999/", {"x-token": "secret-1"}, "u", "secret-2")
    set_webhook(channel, webhook=hook)
    form = {"fields": [{"name": "pw", "type": "password"}]}
    review = make_review("form", form, channel=channel)
    said = Answer(response={"pw": "hunter2"}, by=person, via=Closer.PAGE)
    answer_review(review, answer=said)
    for sio in (agent, page):
        (_, created), (name, body) = next_event(sio), next_event(sio)
        assert created["id"] == body["id"] == str(review.pk)
        assert (name, body["review"]["status"]) == ("review:responded", "completed")
        assert body["review"]["response"] == {"pw": "***REDACTED***"}
        assert body["agent"]["webhookAuth"] == {"username": "u", "password": "***"}
        assert not [s for s in ("secret-1", "secret-2", "hunter2") if s in str(body)]


def test_expiry_delivery_and_deletion_are_told(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel
) -> None:
    late = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    acknowledge(late.message)
    set_delivery_status(message_id=late.pk, status=DeliveryStatus.FAILED)
    delete_message(late.message)
    message_id = str(late.pk)
    for sio in (agent, page):
        assert next_event(sio)[0] == "message:created"
        assert next_event(sio) == ("review:expired", {"messageId": message_id})
        received = {"messageId": message_id, "deliveryStatus": "agent_received"}
        assert next_event(sio) == ("message:delivery", received)
        gone = {"messageId": message_id, "channelId": str(channel.pk)}
        assert next_event(sio) == ("message:deleted", gone)


def test_stream_is_told_in_order(agent: socketio.SimpleClient, channel: Channel) -> None:
    now = timezone.now()
    make_message(channel, text="0", stream_id="s", stream_state="streaming")
    note_step(channel, stream_id="s", text="reading", tool_hint=True, now=now)
    for number in range(1, 30):
        update_stream(channel, stream_id="s", text=str(number), now=now)
    assert next_event(agent)[0] == "message:created"
    name, step = next_event(agent)
    assert (name, step["index"], step["toolHint"]) == ("message:status", 0, True)
    texts: list[int] = []
    while not texts or texts[-1] != 29:
        name, body = next_event(agent)
        assert (name, body["streamState"]) == ("message:updated", "streaming")
        texts.append(int(body["text"]))
    assert texts == sorted(texts)


def test_status_is_told_to_people_only(
    agent: socketio.SimpleClient, page: socketio.SimpleClient, channel: Channel
) -> None:
    channel = note_status(channel, status=ChannelStatus.BUSY, message="working", now=timezone.now())
    name, body = next_event(page)
    assert (name, body["agentId"], body["status"]) == ("agent:status", str(channel.pk), "busy")
    assert set(body) == {"agentId", "status", "statusMessage", "statusSince"}
    assert settle(agent) == []


def test_agent_hears_nothing_before_and_after_its_subscription(
    realtime: Running, key: str, channel: Channel
) -> None:
    with client(realtime, apiKey=key) as sio:
        make_message(channel, text="before")
        subscribe(sio, channel.pk)
        sio.emit("unsubscribe:channel", str(channel.pk))
        assert settle(sio) == []
        make_message(channel, text="after")
        assert settle(sio) == []


def test_large_numbers_arrive_as_they_were_sent(
    agent: socketio.SimpleClient, channel: Channel
) -> None:
    metadata = {"big": 12345678901234567890123, "n": 1e21, "f": 1.5}
    make_message(channel, metadata=metadata)
    assert next_event(agent)[1]["metadata"] == metadata


# Strangers


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
    with client(realtime, token=issue_ticket(outsider)) as sio:
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


# Relays


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


# Ending


def assert_ends(sio: socketio.SimpleClient) -> None:
    """The server closes the socket; what it said before is not looked at."""
    assert happens_within(10, lambda: not sio.connected)


def test_ended_key_ends_its_sockets(
    realtime: Running, key: str, agent: socketio.SimpleClient, page: socketio.SimpleClient
) -> None:
    revoke_key(ApiKey.objects.get(), now=timezone.now())
    realtime.do(realtime.app.sockets.sweep())
    assert_ends(agent)
    assert settle(page) == [], "others stay"


@pytest.mark.parametrize("end", ["left", "inactive", "password"])
def test_person_who_left_is_disconnected(
    realtime: Running,
    person: User,
    page: socketio.SimpleClient,
    agent: socketio.SimpleClient,
    end: str,
) -> None:
    if end == "left":
        Membership.objects.all().delete()
    elif end == "inactive":
        User.objects.update(is_active=False)
    else:
        person.set_password("another one")
        person.save()
    realtime.do(realtime.app.sockets.sweep())
    assert_ends(page)
    assert settle(agent) == []


def test_nameless_connection_is_dropped(realtime: Running) -> None:
    address = realtime.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    with connect_raw(address) as raw:
        raw.recv()
        realtime.do(realtime.app.sockets.sweep())
        realtime.do(realtime.app.sockets.sweep())
        assert raw.recv(timeout=10) == "1"


BROKEN = [
    *("", "x", "9", "4", "4x", "42", "42/ws", "42/ws,", '42/ws,"x"', "42/ws,[]", "42/ws,[7]"),
    *("42/ws,{", "43/ws,1[]", "45", "451-", "40/elsewhere,", "41/ws,", "44/ws,x", "6", "1"),
    '451-/ws,["message:delta",{"_placeholder":true,"num":0}]',
    "4" + "9" * 100,
    b"\x00\xff",
]


@pytest.mark.parametrize("frame", BROKEN, ids=lambda frame: str(frame)[:20])
def test_broken_frame_harms_nobody_else(
    realtime: Running,
    key: str,
    agent: socketio.SimpleClient,
    caplog: pytest.LogCaptureFixture,
    frame: str,
) -> None:
    address = realtime.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    with connect_raw(address) as raw:
        raw.recv()
        raw.send(f'40/ws,{{"apiKey": "{key}"}}')
        raw.recv()
        raw.send(frame)
        raw.send(frame)
    make_message(Channel.objects.get())
    assert next_event(agent)[0] == "message:created"
    assert "Traceback" not in caplog.text


def test_oversized_packet_ends_the_connection(realtime: Running, key: str) -> None:
    address = realtime.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    with connect_raw(address) as raw:
        raw.recv()
        raw.send(f'40/ws,{{"apiKey": "{key}"}}')
        raw.recv()
        raw.send('42/ws,["message:delta","' + "x" * 3 * LARGEST_EVENT + '"]')
        list(raw)
        with pytest.raises(ConnectionClosed):
            raw.recv()


def test_message_rows_are_not_loaded_for_nobody(
    realtime: Running, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.realtime import announcer

    loaded: list[str] = []
    monkeypatch.setattr(announcer, "payload_of", lambda *about: loaded.append(about))
    other = make_channel(channel.workspace)
    key = make_key(channel.workspace).clear
    with client(realtime, apiKey=key) as sio:
        subscribe(sio, other.pk)
        make_message(channel)
        make_message(other)
        settle(sio)
        make_message(other)
        settle(sio)
    assert len(loaded) == 2
    assert Message.objects.count() == 3
