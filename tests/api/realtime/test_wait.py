"""`wait` over a real server: exact, woken whatever happens, and gone with its client."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from accounts.models import User
from api import call_log as call_log_module
from api.call_log import call_log
from api.calls import unnamed_calls
from api.models import Call
from api.placet.views import reviews
from api.realtime import looks
from delivery import bus
from inbox.models import Channel
from inbox.services.channels import delete_channel
from inbox.services.messages import delete_message
from reviews import queries
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.api.realtime.running import Running
from tests.factories import make_key, make_person, make_review, make_workspace
from tests.polling import happens_within

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def review(channel: Channel) -> ReviewRequest:
    return make_review(channel=channel)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=60) as running:
        yield running


def wait(realtime: Running, key: str, message_id: object, query: str = "") -> Any:
    url = f"{realtime.url}/api/v1/reviews/{message_id}/wait{query}"
    return requests.get(url, headers={"x-api-key": key}, timeout=40)


@pytest.fixture
def waiting(
    realtime: Running, key: str, review: ReviewRequest, pool: ThreadPoolExecutor
) -> Future[Any]:
    """A call that waits by now."""
    call = pool.submit(wait, realtime, key, review.pk)
    is_waiting(realtime)
    return call


def is_waiting(realtime: Running, calls: int = 1) -> None:
    """So many calls have had their first look, and sleep."""
    open_calls = realtime.app.waiting.open_calls
    assert happens_within(10, lambda: len(open_calls) == calls)


def approve(review: ReviewRequest, person: User) -> None:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    answer_review(ReviewRequest.objects.get(pk=review.pk), answer=answer)


@pytest.mark.parametrize("milliseconds", [1, 500])
def test_timeout_is_exact(
    realtime: Running, key: str, review: ReviewRequest, milliseconds: int
) -> None:
    wait(realtime, key, review.pk, "?timeout=1")
    started = time.monotonic()
    answer = wait(realtime, key, review.pk, f"?timeout={milliseconds}")
    taken = time.monotonic() - started
    assert (answer.status_code, answer.json()) == (200, {"status": "timeout"})
    assert milliseconds / 1000 <= taken < milliseconds / 1000 + 0.2


def test_answer_wakes_the_call(waiting: Future[Any], review: ReviewRequest, person: User) -> None:
    approve(review, person)
    assert waiting.result(timeout=5).json()["status"] == "completed"


def test_deadline_wakes_the_call(realtime: Running, key: str, channel: Channel) -> None:
    soon = make_review(channel=channel, expires_in=timedelta(milliseconds=700))
    assert wait(realtime, key, soon.pk).json()["status"] == "expired"


@pytest.mark.parametrize("what", ["message", "channel"])
def test_deletion_wakes_the_call(waiting: Future[Any], review: ReviewRequest, what: str) -> None:
    if what == "message":
        delete_message(review.message)
    else:
        delete_channel(review.channel)
    assert waiting.result(timeout=5).json() == {"status": "timeout"}


def test_answer_between_look_and_sleep_is_not_missed(
    realtime: Running,
    key: str,
    review: ReviewRequest,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    standings = queries.standings

    def look_and_be_late(*asked: Any) -> Any:
        found = standings(*asked)
        if not looked:
            looked.append(found[review.pk].status)
            approve(review, person)
        return found

    monkeypatch.setattr(looks, "standings", look_and_be_late)
    answer = wait(realtime, key, review.pk, "?timeout=10000")
    assert looked[0] == "pending"
    assert (answer.json()["status"], answer.elapsed.total_seconds() < 5) == ("completed", True)


def test_notice_that_was_lost_is_made_up_for_after_a_reconnection(
    waiting: Future[Any],
    review: ReviewRequest,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus, "_publish", lambda _: None)
    approve(review, person)
    assert not happens_within(0.3, waiting.done)
    bus.client().client_kill_filter(_type="pubsub")
    assert waiting.result(timeout=5).json()["status"] == "completed"


def test_client_that_leaves_is_forgotten(
    realtime: Running, key: str, review: ReviewRequest
) -> None:
    host, port = realtime.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        head = (
            f"GET /api/v1/reviews/{review.pk}/wait HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n\r\n"
        )
        raw.sendall(head.encode())
        is_waiting(realtime)
    is_waiting(realtime, calls=0)


def test_key_has_only_so_many_open_calls(
    realtime: Running, key: str, waiting: Future[Any], person: User, settings: Settings
) -> None:
    settings.RATE_LIMITS, settings.OPEN_WAITS_PER_KEY = True, 1
    another = make_review(channel=Channel.objects.get())
    refused = wait(realtime, key, another.pk)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["errors"][0]["code"] == "throttled"
    for each in ReviewRequest.objects.all():
        approve(each, person)
    assert waiting.result(timeout=5).json()["status"] == "completed"
    again = wait(realtime, key, another.pk)
    assert again.json()["status"] == "completed"
    assert again.headers["x-ratelimit-limit"] == "600"


def test_database_that_is_away_is_a_503(
    realtime: Running, key: str, review: ReviewRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(looks, "standings", fail)
    answer = wait(realtime, key, review.pk)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["statusCode"] == 503


@pytest.mark.parametrize("odd", ["x" * 3000, "%2e%2e", "%00", "a%20b", "%F0%28"])
def test_odd_id_is_a_404(realtime: Running, key: str, odd: str) -> None:
    answer = wait(realtime, key, odd)
    assert answer.status_code == 404
    assert answer.json().keys() == {"statusCode", "message", "errors", "timestamp", "path"}


def test_bad_key_is_told_how_to_come_in(realtime: Running, review: ReviewRequest) -> None:
    answer = wait(realtime, "hp_" + "0" * 48, review.pk)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="licet"')


def test_stranger_does_not_learn_that_a_review_exists(
    realtime: Running, review: ReviewRequest
) -> None:
    stranger = make_key(make_workspace("Elsewhere")).clear
    theirs = wait(realtime, stranger, review.pk)
    nobodys = wait(realtime, stranger, "01a1fbfb-face-7572-91e0-670124d68395")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["message"] == nobodys.json()["message"]
    channel = wait(realtime, stranger, review.pk, f"?channel={review.channel_id}")
    assert channel.status_code == 403


def test_many_calls_about_one_review_share_their_looks(
    realtime: Running,
    key: str,
    review: ReviewRequest,
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = make_person(review.workspace)
    looked: list[object] = []
    loaded = reviews.outcomes

    def counted(*asked: Any) -> Any:
        looked.append(asked)
        return loaded(*asked)

    calls = [pool.submit(wait, realtime, key, review.pk) for _ in range(50)]
    is_waiting(realtime, calls=50)
    monkeypatch.setattr(looks, "outcomes", counted)
    approve(review, person)
    outcomes = {call.result(timeout=10).content for call in calls}
    assert len(outcomes) == 1
    assert 1 <= len(looked) < 10


def test_no_statement_while_waiting(
    waiting: Future[Any], realtime: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    for name in ("standings", "outcomes"):
        monkeypatch.setattr(looks, name, lambda *asked: looked.append(asked))
    assert not happens_within(1, lambda: looked)
    monkeypatch.undo()
    connection.close()
    delete_message(ReviewRequest.objects.get().message)
    waiting.result(timeout=5)


@pytest.fixture
def logged(settings: Settings) -> Iterator[None]:
    """The log of calls is on."""
    call_log.begin()
    settings.API_LOG = "on"
    yield
    call_log.finish()


@pytest.fixture
def by_hand(logged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is written when the test says so."""
    monkeypatch.setattr(call_log, "_start", lambda: None)


def noted() -> list[Call]:
    call_log.flush()
    return list(Call.objects.select_related("bodies").order_by("pk"))


@pytest.mark.usefixtures("by_hand")
def test_waiting_calls_are_logged_like_all_others(
    realtime: Running, key: str, channel: Channel, review: ReviewRequest, person: User
) -> None:
    wait(realtime, key, review.pk, f"?timeout=1&channel={channel.pk}")
    wait(realtime, key, make_workspace().pk, "?timeout=1")
    wait(realtime, "hp_" + "0" * 48, review.pk, "?timeout=1")
    approve(review, person)
    wait(realtime, key, review.pk)
    timeout, missing, outcome = noted()
    assert (timeout.method, timeout.path) == ("GET", f"/api/v1/reviews/{review.pk}/wait")
    assert timeout.route == "api/v1/reviews/<str:message_id>/wait"
    assert (timeout.status, timeout.bodies.answer) == (200, '{"status":"timeout"}')
    assert (timeout.channel_id, timeout.address) == (channel.pk, "127.0.0.1")
    assert (missing.status, missing.error) == (404, "Message not found")
    assert outcome.channel_id == channel.pk
    assert '"status":"completed"' in (outcome.bodies.answer or "")
    assert unnamed_calls(since=timeout.created_at - timedelta(hours=1)) == 1


@pytest.mark.usefixtures("by_hand")
def test_call_whose_client_left_is_logged(
    realtime: Running, key: str, review: ReviewRequest
) -> None:
    host, port = realtime.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        head = f"GET /api/v1/reviews/{review.pk}/wait HTTP/1.1\r\nhost: x\r\nx-api-key: {key}"
        raw.sendall(f"{head}\r\n\r\n".encode())
        is_waiting(realtime)
    assert happens_within(5, lambda: bool(noted()))
    (call,) = noted()
    assert (call.status, call.error) == (499, "The client left before there was an answer")


@pytest.mark.usefixtures("logged")
def test_end_of_the_server_writes_what_waits(
    key: str, review: ReviewRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_log_module, "GATHER_SECONDS", 3600)
    with Running() as realtime:
        wait(realtime, key, review.pk, "?timeout=1")
        assert not Call.objects.exists()
    assert Call.objects.count() == 1
