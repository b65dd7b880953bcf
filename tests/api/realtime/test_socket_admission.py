"""Socket.IO `/ws`: who gets in, and who has to leave."""

import contextlib
import time
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
from accounts.tickets import SALT
from api.realtime.sockets import LARGEST_EVENT
from inbox.models import Channel, Message
from tests.api.realtime.running import Running, client, next_event, refusal, settle, subscribe
from tests.factories import (
    make_channel,
    make_key,
    make_message,
    make_ticket,
)
from tests.polling import happens_within

pytestmark = pytest.mark.django_db(transaction=True)


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
        old = make_ticket(person)
    assert "unauthorized" in refusal(realtime, {"token": old})
    ticket = make_ticket(person)
    person.set_password("another one")
    person.save()
    assert "unauthorized" in refusal(realtime, {"token": ticket})
    fresh = make_ticket(person)
    User.objects.update(is_active=False)
    assert "unauthorized" in refusal(realtime, {"token": fresh})
    assert SALT != "share"


def test_key_is_looked_at_before_the_ticket(realtime: Running, key: str, person: User) -> None:
    bad_key = {"apiKey": "hp_" + "0" * 48, "token": make_ticket(person)}
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


def test_ended_session_ends_its_sockets_at_once(
    realtime: Running, person: User, page: socketio.SimpleClient, agent: socketio.SimpleClient
) -> None:
    """The bus tells; the sweep would come seconds later."""
    elsewhere = Client()
    elsewhere.force_login(person)
    path = "/api/auth/ws-ticket"
    with client(realtime, token=elsewhere.post(path).json()["token"]) as here:
        elsewhere.post("/settings/sessions/end-others/")
        assert_ends(page)
        assert settle(here) == settle(agent) == [], "others stay"


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
        with contextlib.suppress(ConnectionClosed):
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
        assert happens_within(5, lambda: len(loaded) == 2)
    assert Message.objects.count() == 3
