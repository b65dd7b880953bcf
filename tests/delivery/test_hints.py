"""Hints wake one worker after a commit, over a real Redis; losing one is no harm."""

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import transaction
from pytest_django.fixtures import Settings

from delivery import hints
from delivery.bus import client
from delivery.hints import MOST_WAITING, Ear, wake_after_commit
from tests.polling import happens_within


class Woken:
    """Counts; stands for an engine."""

    def __init__(self) -> None:
        self.times = 0
        self.ear = Ear(self)
        self.thread = threading.Thread(target=self.ear.run, daemon=True)

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a list that no other test writes to."""
    monkeypatch.setattr(hints, "HINTS", f"test:{uuid.uuid4()}")
    return hints.HINTS


@pytest.fixture
def woken(waiting: str) -> Iterator[Woken]:
    woken = Woken()
    yield woken
    woken.ear.stop()
    client().lpush(waiting, "", "", "")  # those who wait for one more end
    if woken.thread.ident:
        woken.thread.join(timeout=10)
        assert not woken.thread.is_alive()
    client().delete(waiting)


@pytest.mark.django_db(transaction=True)
def test_hint_comes_after_the_commit_and_not_before(woken: Woken, waiting: str) -> None:
    woken.thread.start()
    with transaction.atomic():
        wake_after_commit()
        assert client().llen(waiting) == woken.times == 0
    assert happens_within(10, lambda: woken.times == 1)


def test_one_of_two_workers_takes_a_hint(woken: Woken, waiting: str) -> None:
    other = Woken()
    woken.thread.start()
    other.thread.start()
    hints._publish()
    assert happens_within(10, lambda: woken.times + other.times == 1)
    hints._publish()
    assert happens_within(10, lambda: woken.times + other.times == 2)
    assert client().llen(waiting) == 0
    other.ear.stop()


def test_hints_that_nobody_takes_stay_few_and_go_by_themselves(waiting: str) -> None:
    for _ in range(2 * MOST_WAITING):
        hints._publish()
    assert client().llen(waiting) == MOST_WAITING
    assert 0 < client().ttl(waiting) <= hints.HINT_LIVES_SECONDS


def test_worker_listens_again_once_redis_is_back(
    woken: Woken, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[float] = []
    real: Any = redis.Redis.brpop

    def away_at_first(self: object, *call: object, **options: object) -> object:
        tries.append(time.monotonic())
        if len(tries) == 1:
            raise ConnectionError("away")
        return real(self, *call, **options)

    monkeypatch.setattr(redis.Redis, "brpop", away_at_first)
    monkeypatch.setattr(hints, "RECONNECT_SECONDS", 0.01)
    woken.thread.start()
    hints._publish()
    assert happens_within(10, lambda: woken.times == 1)
