"""Who may listen, for how long, and how many at once."""

import http.client
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Session, User
from accounts.sessions import data_of
from delivery.models import PushSubscription
from inbox.models import Channel
from tests.factories import make_message, make_person, make_workspace
from tests.polling import happens_within
from tests.push import make_device
from tests.web.stream.conftest import STILL, Server
from tests.web.stream.listening import ENDED, Heard, Tab, cookie_of
from web.stream import app
from web.stream.app import MOST_STREAMS_OF_A_PERSON, PATH, Pace

pytestmark = pytest.mark.django_db(transaction=True)


def ask(
    server: Server, headers: dict[str, str], method: str = "GET", path: str = PATH
) -> tuple[int, dict[str, str]]:
    """Status and headers of a call; an answer that streams is left."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}
    answer.close()
    connection.close()
    return found


def test_stream_is_neither_cached_nor_buffered_nor_compressed(server: Server, person: User) -> None:
    status, headers = ask(server, {"Cookie": cookie_of(person), "Accept-Encoding": "gzip"})
    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "content-encoding" not in headers


@pytest.mark.parametrize(
    "cookie", ["", "session=", "session=nobody", "session=a; session", "=;=;;"]
)
def test_who_is_signed_out_is_told_to_sign_in(server: Server, db: None, cookie: str) -> None:
    assert ask(server, {"Cookie": cookie})[0] == 401


def test_person_without_a_workspace_is_refused(server: Server, person: User) -> None:
    Membership.objects.all().delete()
    assert ask(server, {"Cookie": cookie_of(person)})[0] == 403


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://[", "Sec-Fetch-Site": "same-origin"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_page_of_another_site_is_refused(
    server: Server, person: User, headers: dict[str, str]
) -> None:
    assert ask(server, {"Cookie": cookie_of(person)} | headers)[0] == 403


def test_own_page_is_let_in(server: Server, person: User) -> None:
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert ask(server, {"Cookie": cookie_of(person)} | own)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "", "[", "a b"])
def test_host_that_is_not_ours_is_a_bad_request(server: Server, person: User, host: str) -> None:
    assert ask(server, {"Cookie": cookie_of(person), "Host": host})[0] == 400


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE", "OPTIONS"])
def test_only_get_is_allowed(server: Server, person: User, method: str) -> None:
    status, headers = ask(server, {"Cookie": cookie_of(person)}, method)
    assert (status, headers["allow"]) == (405, "GET")


def test_nothing_lies_below_the_stream(server: Server, person: User) -> None:
    assert ask(server, {"Cookie": cookie_of(person)}, path=f"{PATH}x")[0] == 404


def test_database_that_is_away_is_a_503(
    server: Server, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("gone")

    cookie = cookie_of(person)
    monkeypatch.setattr(app, "visitor_of", fail)
    status, headers = ask(server, {"Cookie": cookie})
    assert (status, headers["retry-after"]) == (503, "2")


def sign_out(person: User) -> None:
    for session in Session.objects.all():
        if data_of(session).get(SESSION_KEY) == str(person.pk):
            session.delete()


def lock_out(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def change_password(person: User) -> None:
    person.set_password("another one")
    person.save()


def remove_from_workspace(person: User) -> None:
    Membership.objects.filter(user=person).delete()


def move_to_another_workspace(person: User) -> None:
    Membership.objects.filter(user=person).update(workspace=make_workspace("Elsewhere"))


@pytest.mark.parametrize(
    "happens",
    [sign_out, lock_out, change_password, remove_from_workspace, move_to_another_workspace],
)
def test_stream_ends_when_its_person_may_no_longer_listen(
    server: Server, tab: Tab, channel: Channel, person: User, happens: Any
) -> None:
    with Tab(server.url, cookie_of(make_person(channel.workspace))) as colleague:
        server.do(server.streams.check())
        happens(person)
        server.do(server.streams.check())
        bye = tab.next()
        assert (bye.name, bye.data) == ("bye", {"reason": "signed-out"})
        assert tab.next() == Heard(ENDED)
        make_message(channel)
        assert colleague.next().name == "message-created"


def test_check_comes_by_itself(person: User) -> None:
    with Server(Pace(check=0.1)) as quick, Tab(quick.url, cookie_of(person)) as tab:
        sign_out(person)
        assert tab.next(seconds=5).data == {"reason": "signed-out"}


def test_check_that_fails_ends_nobody(
    server: Server, tab: Tab, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(app, "turned_away", fail)
        with pytest.raises(OperationalError):
            server.do(server.streams.check())
    make_message(channel)
    assert tab.next().name == "message-created"


def test_listening_does_not_touch_the_session(server: Server, tab: Tab) -> None:
    before = Session.objects.values().get()
    server.do(server.streams.check())
    assert Session.objects.values().get() == before


def test_oldest_of_a_persons_streams_makes_room(
    server: Server, tab: Tab, channel: Channel, person: User
) -> None:
    cookie = cookie_of(person)
    with Tab(server.url, cookie_of(make_person(channel.workspace))) as colleague:
        others = [Tab(server.url, cookie).__enter__() for _ in range(MOST_STREAMS_OF_A_PERSON)]
        try:
            bye = tab.next()
            assert (bye.data, bye.retry) == ({"reason": "too-many"}, 60_000)
            assert tab.next() == Heard(ENDED)
            make_message(channel)
            told = [each.next().name for each in [*others, colleague]]
            assert told == ["message-created"] * (MOST_STREAMS_OF_A_PERSON + 1)
        finally:
            for each in others:
                each.__exit__()


def test_stream_ends_by_itself_and_goes_on_where_it_ended(person: User, channel: Channel) -> None:
    cookie = cookie_of(person)
    with Server(Pace(youngest=0.3, oldest=0.5)) as short:
        with Tab(short.url, cookie) as tab:
            bye = tab.next(seconds=5)
            assert (bye.data, bye.id) == ({"reason": "age"}, "")
            assert bye.retry is not None
            assert 100 <= bye.retry <= 2000
            assert tab.next() == Heard(ENDED)
        make_message(channel)
        with Tab(short.url, cookie, last=tab.last) as again:
            assert (again.first.name, again.next().name) == ("hello", "message-created")


def test_sign_of_life_comes_when_nothing_happens(person: User) -> None:
    pace = Pace(heartbeat=0.05, youngest=STILL.youngest, oldest=STILL.oldest)
    with Server(pace) as lively, Tab(lively.url, cookie_of(person)) as tab:
        assert happens_within(5, lambda: tab.beats >= 3)


def test_stream_is_forgotten_when_its_client_leaves(server: Server, person: User) -> None:
    with Tab(server.url, cookie_of(person)):
        assert server.open_streams() == 1
    assert happens_within(5, lambda: server.open_streams() == 0)
    assert server.streams.rooms == {}
    assert server.streams._of_person == {}


def with_device(person: User, device: PushSubscription) -> str:
    """The cookie of a browser that is notified."""
    cookie = cookie_of(person)
    Session.objects.filter(user=person).update(push_device=device.pk)
    return cookie


def shows_pages(device: PushSubscription) -> bool:
    device.refresh_from_db()
    return device.visible_until > timezone.now()


def test_device_is_not_notified_while_one_of_its_pages_is_open(
    server: Server, person: User, now: datetime
) -> None:
    device = make_device(person, "https://push.example/1", now)
    cookie = with_device(person, device)
    with Tab(server.url, cookie):
        with Tab(server.url, cookie):
            assert happens_within(5, lambda: shows_pages(device))
        assert happens_within(5, lambda: server.open_streams() == 1)
        PushSubscription.objects.update(visible_until=now)
        server.do(server.streams.check())
        assert shows_pages(device)
    assert happens_within(5, lambda: not shows_pages(device))


def test_stream_ends_at_once_when_its_session_is_ended_elsewhere(
    server: Server, tab: Tab, person: User
) -> None:
    """Nothing looks by itself here: the bus tells."""
    elsewhere = Client()
    elsewhere.force_login(person)
    with Tab(server.url, cookie_of(make_person())):
        elsewhere.post("/settings/sessions/end-others/")
        assert tab.next(seconds=5).data == {"reason": "signed-out"}
        assert happens_within(5, lambda: server.open_streams() == 1), "a stranger's stays"
