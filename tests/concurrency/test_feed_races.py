"""The feed while others write and read: nobody misses an event, nobody gets one twice."""

import itertools
import random
import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from delivery import feed
from delivery.feed import read_feed
from delivery.models import Event, FeedHead
from delivery.outbox import Happening, enqueue
from inbox.models import Channel
from tests.concurrency.together import MANY, at_once
from tests.factories import make_channel, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

_numbers = itertools.count(1)


@pytest.fixture
def channel() -> Channel:
    return make_channel(make_workspace())


def write_event(channel: Channel) -> None:
    """What a decision does, without the decision."""
    happening = Happening(
        workspace_id=channel.workspace_id,
        type="review:responded",
        reference="r",
        scope=str(channel.pk),
        once_key=f"k{next(_numbers)}",
        body=b"{}",
    )
    enqueue([(happening, None)], now=timezone.now())


class Reader:
    """Reads on from its cursor, and remembers what it got."""

    def __init__(self, channel: Channel, limit: int = 3) -> None:
        self.workspace_id, self.limit = channel.workspace_id, limit
        self.cursor: str | None = None
        self.got: list[str] = []

    def read_on(self) -> None:
        """Up to the end of the feed as it is now."""
        more = True
        while more:
            page = read_feed(self.workspace_id, after=self.cursor, limit=self.limit)
            self.got += [event.pk for event in page.events]
            self.cursor, more = page.cursor, page.has_more


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite lets one transaction write at a time"
)
def test_event_that_was_written_earlier_and_commits_later_is_not_skipped(channel: Channel) -> None:
    written, may_commit = threading.Event(), threading.Event()
    reader = Reader(channel)

    def slow_writer() -> None:
        with transaction.atomic():
            write_event(channel)
            written.set()
            assert may_commit.wait(20)

    def quick_writer_and_reader() -> None:
        assert written.wait(20)
        write_event(channel)
        reader.read_on()
        may_commit.set()

    at_once([slow_writer, quick_writer_and_reader])
    (quick,) = reader.got
    reader.read_on()
    first, second = reader.got
    assert (first, second > first) == (quick, False), "ids alone would have hidden the second"
    assert list(Event.objects.order_by("position").values_list("pk", flat=True)) == [first, second]


def test_readers_that_poll_while_many_write_miss_and_repeat_nothing(channel: Channel) -> None:
    writers, events_each = 6, 15
    left = threading.Semaphore(0)
    done = threading.Event()
    chance = random.Random(7)  # noqa: S311  # no secret
    pauses = [[chance.uniform(0, 0.02) for _ in range(events_each)] for _ in range(writers)]
    readers = [Reader(channel, limit) for limit in (1, 3, 50)]

    def write(mine: list[float]) -> None:
        for pause in mine:
            with transaction.atomic():
                write_event(channel)
                done.wait(pause)  # so that transactions overlap, in every order
        left.release()

    def read(reader: Reader) -> None:
        while not done.is_set():
            reader.read_on()

    def finish() -> None:
        for _ in range(writers):
            left.acquire()
        done.set()

    calls: list[Callable[[], None]] = [lambda mine=mine: write(mine) for mine in pauses]  # type: ignore[misc]
    calls += [lambda reader=reader: read(reader) for reader in readers]  # type: ignore[misc]
    at_once([*calls, finish])
    for reader in readers:
        reader.read_on()
    in_order = list(Event.objects.order_by("position").values_list("pk", flat=True))
    assert len(in_order) == writers * events_each
    assert all(reader.got == in_order for reader in readers)
    if connection.vendor == "postgresql":
        assert in_order != sorted(in_order), "the writers overtook one another"


def test_parallel_readers_of_new_events_see_the_same_order(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH", 7)
    for _ in range(40):
        write_event(channel)
    readers = [Reader(channel) for _ in range(MANY)]
    at_once([reader.read_on for reader in readers])
    assert len({tuple(reader.got) for reader in readers}) == 1
    assert readers[0].got == list(Event.objects.order_by("id").values_list("pk", flat=True))
    assert FeedHead.objects.get().position == 40
