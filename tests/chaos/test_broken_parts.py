"""D10 and D12: Redis and the database go away in the middle, and nothing is lost."""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.chaos.history import Told
from tests.chaos.people import Person
from tests.chaos.scene import Channel, Scene
from tests.chaos.stack import WORKSPACES
from tests.polling import happens_within

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

type Open = Callable[[str], Scene]
MOST_PRESS_SECONDS = 0.5
MOST_RECOVERY_SECONDS = 15.0
LOCKED_SECONDS = 4.0


@contextmanager
def deciding(act: Scene, channels: list[Channel]) -> Iterator[None]:
    """Two people decide all the time; who gets no answer goes on with the next request."""
    over = threading.Event()

    def work(number: int) -> None:
        people = {name: act.person(number, name) for name in WORKSPACES}
        while not over.is_set():
            for channel in channels:
                one_decision(act, channel, people[channel.workspace])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def one_decision(act: Scene, channel: Channel, person: Person) -> None:
    asked = act.agent(channel.workspace).ask(channel.id, f"{act.name}-{time.monotonic_ns()}")
    form = person.open_form(asked.about) if asked.about else None
    if form:
        person.press(asked.about, form)


def pass_time(seconds: float) -> None:
    happens_within(seconds, lambda: False)


def p99(act: Scene) -> float:
    """Of the respond requests, in seconds."""
    seconds = [call.seconds for call in act.calls.all() if call.kind == "decide"]
    return statistics.quantiles(seconds, n=100)[98]


def seconds_until_delivered(act: Scene) -> float:
    """From now until everything that was acknowledged has arrived."""
    begun = time.monotonic()
    wanted = len(act.calls.acked("decide"))
    assert happens_within(60, lambda: len(act.receivers[0].accepted()) >= wanted)
    return time.monotonic() - begun


def test_D10_events_survive_a_broker_that_forgets_dies_or_hangs(scene: Open, *, full: bool) -> None:
    act = scene("D10")
    receiver = act.receiver()
    channels = [act.channel(receiver, workspace) for workspace in WORKSPACES]
    notes = []
    for nemesis in (flush_each_second, stop_redis, hang_redis):
        with deciding(act, channels):
            nemesis(act, 20 if full else 4)
        notes.append(f"{nemesis.__name__} +{seconds_until_delivered(act):.1f} s")
    slow = p99(act)
    act.end(note=f"p99 of respond {slow * 1000:.0f} ms; delivered after {', '.join(notes)}")
    assert slow < MOST_PRESS_SECONDS
    assert all(call.told is Told.YES for call in act.calls.all() if call.kind == "decide")


def flush_each_second(act: Scene, seconds: int) -> None:
    for _ in range(seconds):
        act.stack.flush()
        pass_time(1)


def stop_redis(act: Scene, seconds: int) -> None:
    act.stack.broker.stop()
    pass_time(seconds)
    act.stack.broker.start()


def hang_redis(act: Scene, seconds: int) -> None:
    """It takes connections and never answers."""
    act.stack.broker.pause()
    pass_time(seconds)
    act.stack.broker.resume()


def test_D12_events_survive_restarts_of_the_database(scene: Open, *, full: bool) -> None:
    act = scene("D12")
    receiver = act.receiver()
    channels = [act.channel(receiver, workspace) for workspace in WORKSPACES]
    hurt = lock_sqlite if act.stack.postgres is None else restart_postgres
    times = 3 if full or act.stack.postgres else 1
    recoveries = []
    with deciding(act, channels):
        for _ in range(times):
            pass_time(5 if full else 1)
            hurt(act)
            recoveries.append(seconds_until_working(act))
    what = "restarted at once" if act.stack.postgres else f"locked for {LOCKED_SECONDS:g} s"
    unanswered = sum(call.told is Told.NOTHING for call in act.calls.all())
    act.end(
        within=40,
        note=f"{act.stack.database} {what}, {times}x; {unanswered} calls without an answer; "
        f"deliveries again after {', '.join(f'{s:.1f}' for s in recoveries)} s",
    )
    assert max(recoveries) <= MOST_RECOVERY_SECONDS


def restart_postgres(act: Scene) -> None:
    assert act.stack.postgres is not None
    act.stack.postgres.restart()


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


def lock_sqlite(act: Scene) -> None:
    """Another process holds the write lock."""
    file = act.stack.database_url.removeprefix("sqlite:///")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        pass_time(LOCKED_SECONDS)
        holder.communicate()


def seconds_until_working(act: Scene) -> float:
    """Until a decision that was made after the blow has arrived."""
    begun, seen = time.monotonic(), act.receivers[0].accepted()
    about = {call.about for call in act.calls.acked("decide")}

    def works() -> bool:
        new = {call.about for call in act.calls.acked("decide")} - about
        came = [entry for entry in list(act.receivers[0].entries) if entry.event_id not in seen]
        return any(review_id.encode() in entry.body for entry in came for review_id in new)

    assert happens_within(60, works)
    return time.monotonic() - begun
