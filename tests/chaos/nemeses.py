"""What is done to the product, and the people who go on working meanwhile."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.people import Person
from tests.chaos.scene import Channel, Scene
from tests.chaos.stack import WORKSPACES
from tests.polling import happens_within

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


def flush_each_second(act: Scene, seconds: float) -> None:
    for _ in range(int(seconds) // 2):
        act.stack.flush()
        pass_time(1)


def stop_redis(act: Scene, seconds: float) -> None:
    act.stack.broker.stop()
    pass_time(seconds)
    act.stack.broker.start()


def hang_redis(act: Scene, seconds: float) -> None:
    """It takes connections and never answers."""
    act.stack.broker.pause()
    pass_time(seconds)
    act.stack.broker.resume()


def hurt_database(act: Scene) -> None:
    """PostgreSQL is restarted without a word; SQLite's write lock is held by somebody else."""
    if act.stack.postgres:
        act.stack.postgres.restart()
    else:
        lock_sqlite(act)


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
