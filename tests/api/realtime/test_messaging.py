"""`sync`, `stream` and `websocket` over a real server: stored once, answered by the agent."""

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import requests
import socketio
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from api.call_log import call_log
from api.models import Call
from api.realtime import messaging, replies
from delivery import bus
from inbox.models import Channel, Message, Sender, StreamState
from inbox.services.streams import update_stream
from tests.api.realtime.running import Running, next_event
from tests.factories import make_key, make_message, make_thread, make_workspace
from tests.polling import happens_within

pytestmark = pytest.mark.django_db(transaction=True)

AUTHOR = "5b6e0f4c-6f0e-4a53-9b1d-2f6f3a9d1c11"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=20) as running:
        yield running


@pytest.fixture
def post(realtime: Running, key: str, channel: Channel) -> Callable[..., requests.Response]:
    """Post to the channel; words of the body and the query can be replaced."""

    def call(query: str = "", shown: str = key, **body: Any) -> requests.Response:
        url = f"{realtime.url}/api/messaging/channels/{channel.pk}/messages{query}"
        whole = {
            "author_id": AUTHOR,
            "content": "Ship it?",
            "message_server_id": str(channel.workspace_id),
        } | body
        return requests.post(url, json=whole, headers={"X-API-KEY": shown}, timeout=40)

    return call


@pytest.fixture
def waiting(
    realtime: Running, post: Callable[..., requests.Response], pool: ThreadPoolExecutor
) -> Future[requests.Response]:
    """A `sync` call that waits by now."""
    call = pool.submit(post, mode="sync")
    asked()
    is_waiting(realtime)
    return call


def is_waiting(realtime: Running, calls: int = 1) -> None:
    """So many calls have stored their message, and sleep."""
    assert happens_within(10, lambda: len(realtime.app.messaging.open_calls) == calls)


def asked() -> Message:
    """The message that waits for its reply."""
    mine = Message.objects.filter(sender=Sender.USER)
    assert happens_within(10, mine.exists)
    return mine.get()


def reply_in(answer: requests.Response) -> Any:
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    return answer.json()["data"]["metadata"]["reply"]


def test_websocket_answers_at_once_and_the_reply_comes_on_the_socket(
    agent: socketio.SimpleClient, post: Callable[..., requests.Response], channel: Channel
) -> None:
    answer = post()
    assert answer.status_code == 200
    assert answer.json()["data"]["text"] == "Ship it?"
    assert "reply" not in answer.json()["data"]["metadata"]
    assert next_event(agent)[1]["text"] == "Ship it?"
    make_message(channel, reply_to=asked(), text="Shipped")
    name, body = next_event(agent)
    assert (name, body["text"], body["replyTo"]) == (
        "message:created",
        "Shipped",
        answer.json()["data"]["id"],
    )


def test_sync_waits_for_a_reply_that_is_posted(
    waiting: Future[requests.Response], channel: Channel, key: str
) -> None:
    body = {"channelId": str(channel.pk), "text": "Shipped", "replyTo": str(asked().pk)}
    posted = Client().post("/api/v1/messages", body, "application/json", headers={"x-api-key": key})
    assert posted.status_code == 201
    reply = reply_in(waiting.result(timeout=5))
    assert (reply["text"], reply["id"]) == ("Shipped", posted.json()["id"])
    assert reply["userId"] == str(channel.pk)


def test_sync_takes_the_next_words_of_the_agent(
    waiting: Future[requests.Response], channel: Channel
) -> None:
    make_message(channel, text="Shipped")
    assert reply_in(waiting.result(timeout=5))["text"] == "Shipped"


def test_sync_waits_for_the_end_of_a_streamed_reply(
    waiting: Future[requests.Response], channel: Channel
) -> None:
    state = StreamState.STREAMING
    make_message(channel, text="Shi", reply_to=asked(), stream_id="s", stream_state=state)
    update_stream(channel, stream_id="s", text="Shipp", now=timezone.now())
    assert not happens_within(0.3, waiting.done)
    ending = StreamState.COMPLETE
    update_stream(channel, stream_id="s", text="Shipped", ending=ending, now=timezone.now())
    assert reply_in(waiting.result(timeout=5))["text"] == "Shipped"


def test_sync_without_a_reply_ends_with_the_stored_message(
    post: Callable[..., requests.Response],
) -> None:
    started = time.monotonic()
    answer = post("?timeout=300", mode="sync")
    assert 0.3 <= time.monotonic() - started < 2
    assert reply_in(answer) is None
    assert answer.json()["data"]["id"] == str(asked().pk)


def test_database_that_is_away_at_the_end_costs_the_reply_and_not_the_answer(
    post: Callable[..., requests.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Message) -> list[Message]:
        raise OperationalError("gone")

    monkeypatch.setattr(replies, "words_since", fail)
    answer = post("?timeout=100", mode="sync")
    assert reply_in(answer) is None
    assert answer.json()["data"]["id"] == str(asked().pk)


def test_what_answers_another_message_is_not_taken(
    waiting: Future[requests.Response], channel: Channel
) -> None:
    earlier = make_message(channel, sender=Sender.USER)
    make_message(channel, text="to another", reply_to=earlier)
    make_message(channel, text="elsewhere", thread=make_thread(channel))
    assert not happens_within(0.3, waiting.done)
    make_message(channel, text="to nobody")
    assert reply_in(waiting.result(timeout=5))["text"] == "to nobody"


def test_each_call_gets_the_reply_to_its_own_message(
    realtime: Running,
    post: Callable[..., requests.Response],
    channel: Channel,
    pool: ThreadPoolExecutor,
) -> None:
    calls = {str(n): pool.submit(post, content=str(n), mode="sync") for n in range(12)}
    questions = Message.objects.filter(sender=Sender.USER)
    assert happens_within(10, lambda: questions.count() == 12)
    is_waiting(realtime, calls=12)
    for question in questions.order_by("-pk"):
        make_message(channel, text=f"re {question.text}", reply_to=question)
    for text, call in calls.items():
        assert reply_in(call.result(timeout=5))["text"] == f"re {text}"


def events(answer: requests.Response) -> Iterator[tuple[str, Any]]:
    """Events of a stream as they come; comments are left out."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith(b"event: "):
            name = line[7:].decode()
        elif line.startswith(b"data: "):
            yield name, json.loads(line[6:])


@pytest.fixture
def stream(
    realtime: Running, key: str, channel: Channel
) -> Iterator[Callable[..., Iterator[tuple[str, Any]]]]:
    """Open a stream; returns its events."""
    with requests.Session() as session:

        def call(query: str = "") -> Iterator[tuple[str, Any]]:
            url = f"{realtime.url}/api/messaging/channels/{channel.pk}/messages{query}"
            body = {"content": "Ship it?", "mode": "stream"}
            answer = session.post(
                url, json=body, headers={"X-API-KEY": key}, stream=True, timeout=40
            )
            assert answer.headers["content-type"].startswith("text/event-stream")
            return events(answer)

        yield call


def test_stream_shows_the_growing_text(
    stream: Callable[..., Iterator[tuple[str, Any]]], channel: Channel
) -> None:
    told = stream()
    name, stored = next(told)
    assert (name, stored["text"]) == ("user_message", "Ship it?")
    state = StreamState.STREAMING
    make_message(channel, text="S", reply_to=asked(), stream_id="s", stream_state=state)
    texts = [next(told)]
    for text in ("Sh", "Shi"):
        update_stream(channel, stream_id="s", text=text, now=timezone.now())
        texts.append(next(told))
    ending = StreamState.COMPLETE
    update_stream(channel, stream_id="s", text="Shipped", ending=ending, now=timezone.now())
    texts += told
    assert [(name, body["text"]) for name, body in texts] == [
        ("chunk", "S"),
        ("chunk", "Sh"),
        ("chunk", "Shi"),
        ("done", "Shipped"),
    ]
    assert len({body["id"] for _, body in texts}) == 1


def test_stream_of_a_whole_reply_and_of_none(
    stream: Callable[..., Iterator[tuple[str, Any]]], channel: Channel
) -> None:
    told = stream()
    next(told)
    make_message(channel, text="Shipped")
    assert [(name, body["text"]) for name, body in told] == [("done", "Shipped")]
    assert list(stream("?timeout=200"))[1:] == [("done", None)]


def test_client_that_leaves_is_forgotten_and_its_message_stays(
    realtime: Running, key: str, channel: Channel
) -> None:
    host, port = realtime.url.removeprefix("http://").split(":")
    body = json.dumps({"content": "Ship it?", "mode": "sync"})
    with socket.create_connection((host, int(port))) as raw:
        head = (
            f"POST /api/messaging/channels/{channel.pk}/messages HTTP/1.1\r\nhost: x\r\n"
            f"x-api-key: {key}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        raw.sendall((head + body).encode())
        asked()
        is_waiting(realtime)
    is_waiting(realtime, calls=0)
    assert asked().text == "Ship it?"


def test_key_has_only_so_many_open_calls_and_the_next_stores_nothing(
    waiting: Future[requests.Response],
    post: Callable[..., requests.Response],
    settings: Settings,
    channel: Channel,
) -> None:
    settings.RATE_LIMITS, settings.OPEN_WAITS_PER_KEY = True, 1
    refused = post(mode="stream")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["error"]["code"] == "TOO_MANY_REQUESTS"
    assert Message.objects.count() == 1
    assert post(mode="websocket").status_code == 200
    make_message(channel)
    waiting.result(timeout=5)


def test_lost_notice_is_made_up_for_when_the_time_is_up(
    post: Callable[..., requests.Response],
    channel: Channel,
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus, "_publish", lambda _: None)
    call = pool.submit(post, "?timeout=1000", mode="sync")
    make_message(channel, reply_to=asked(), text="Shipped")
    assert reply_in(call.result(timeout=5))["text"] == "Shipped"


def test_lost_notice_is_made_up_for_after_a_reconnection(
    waiting: Future[requests.Response], channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "_publish", lambda _: None)
    make_message(channel, reply_to=asked(), text="Shipped")
    assert not happens_within(0.3, waiting.done)
    bus.client().client_kill_filter(_type="pubsub")
    assert reply_in(waiting.result(timeout=5))["text"] == "Shipped"


def test_reply_that_comes_before_the_call_can_wait_is_not_missed(
    realtime: Running,
    post: Callable[..., requests.Response],
    channel: Channel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = messaging._stored

    def store_and_be_late(*args: Any) -> Any:
        response = store(*args)
        make_message(channel, text="at once")
        (seat,) = realtime.app.messaging._replies.all()
        assert happens_within(5, lambda: bool(seat._early))
        return response

    monkeypatch.setattr(messaging, "_stored", store_and_be_late)
    answer = post("?timeout=10000", mode="sync")
    assert reply_in(answer)["text"] == "at once"
    assert answer.elapsed.total_seconds() < 5


def test_no_statement_while_waiting_and_one_look_for_all(
    realtime: Running,
    post: Callable[..., requests.Response],
    pool: ThreadPoolExecutor,
    channel: Channel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[list[str]] = []
    words = replies.words_of_agents

    def counted(ids: list[str]) -> list[Message]:
        looked.append(ids)
        return words(ids)

    monkeypatch.setattr(replies, "words_of_agents", counted)
    calls = [pool.submit(post, mode="sync") for _ in range(10)]
    assert happens_within(10, lambda: Message.objects.count() == 10)
    is_waiting(realtime, calls=10)
    # The seats heard of all ten, too.
    assert happens_within(10, lambda: len({each for ids in looked for each in ids}) == 10)
    before = len(looked)
    make_message(channel, text="Shipped")
    assert {reply_in(call.result(timeout=5))["text"] for call in calls} == {"Shipped"}
    assert len(looked) == before + 1


def test_end_of_the_process_answers_whoever_waits(
    key: str, channel: Channel, pool: ThreadPoolExecutor
) -> None:
    with Running() as realtime:
        url = f"{realtime.url}/api/messaging/channels/{channel.pk}/messages"
        body = {"content": "Ship it?", "mode": "sync"}
        call = pool.submit(requests.post, url, json=body, headers={"x-api-key": key}, timeout=40)
        is_waiting(realtime)
        asked()
    assert reply_in(call.result(timeout=5)) is None


def test_stranger_learns_and_hears_nothing(
    post: Callable[..., requests.Response], channel: Channel
) -> None:
    elsewhere = make_workspace("Elsewhere")
    stranger = make_key(elsewhere).clear
    refused = post(shown=stranger, message_server_id=str(elsewhere.pk), mode="sync")
    assert refused.status_code == 404
    assert refused.json()["error"]["code"] == "NOT_FOUND"
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, {"data": b"{"}),
        (400, {"data": b""}),
        (400, {"json": {"content": "x", "mode": "later"}}),
        (400, {"json": [1]}),
        (413, {"data": b'{"content": "' + b"x" * 1_100_000 + b'"}'}),
        (415, {"data": "content=x", "headers": {"content-type": "text/plain"}}),
    ],
    ids=["cut", "empty", "mode", "array", "large", "type"],
)
def test_bad_call_gets_the_dialects_own_envelope(
    realtime: Running, key: str, channel: Channel, status: int, sent: dict[str, Any]
) -> None:
    url = f"{realtime.url}/api/messaging/channels/{channel.pk}/messages"
    headers = {"x-api-key": key, "content-type": "application/json"} | sent.pop("headers", {})
    answer = requests.post(url, headers=headers, timeout=10, **sent)
    assert answer.status_code == status
    assert answer.json()["success"] is False
    assert answer.json()["error"].keys() == {"code", "message", "details"}


def test_bad_key_and_odd_channel_are_refused(
    realtime: Running, key: str, post: Callable[..., requests.Response]
) -> None:
    assert post(shown="hp_" + "0" * 48, mode="sync").status_code == 401
    for odd in ("x" * 3000, "%00", "%2e%2e", str(uuid.uuid4())):
        url = f"{realtime.url}/api/messaging/channels/{odd}/messages"
        body = {"content": "x", "mode": "sync"}
        answer = requests.post(url, json=body, headers={"x-api-key": key}, timeout=10)
        assert answer.status_code in {400, 404}
        assert answer.json()["success"] is False


def test_waiting_call_is_logged_once_with_its_reply(
    post: Callable[..., requests.Response],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    channel: Channel,
    pool: ThreadPoolExecutor,
) -> None:
    call_log.begin()
    settings.API_LOG = "on"
    monkeypatch.setattr(call_log, "_start", lambda: None)
    call = pool.submit(post, mode="sync")
    make_message(channel, reply_to=asked(), text="Shipped")
    call.result(timeout=5)
    call_log.flush()
    noted = Call.objects.select_related("bodies").get()
    assert (noted.method, noted.status) == ("POST", 200)
    assert noted.channel_id == channel.pk
    assert "Shipped" in (noted.bodies.answer or "")
