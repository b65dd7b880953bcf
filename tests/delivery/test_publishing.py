"""Who commits does not wait for Redis, whatever Redis does."""

import subprocess
import sys
import threading
from functools import partial

from delivery.publishing import MOST_WAITING, Publisher
from tests.polling import happens_within


def test_caller_does_not_wait_for_a_broker_that_hangs() -> None:
    go_on, publisher = threading.Event(), Publisher("test")
    done: list[int] = []
    publisher.publish(go_on.wait)
    assert happens_within(5, lambda: not publisher._waiting)
    for number in range(2 * MOST_WAITING):
        publisher.publish(partial(done.append, number))
    assert done == []
    go_on.set()
    assert happens_within(5, lambda: len(done) >= MOST_WAITING - 1)
    assert done == sorted(done), "in the order of the commits"
    assert len(done) <= MOST_WAITING, "the rest was left out"


def test_failure_pauses_and_does_not_end_the_thread() -> None:
    publisher = Publisher("test")
    done: list[str] = []
    publisher.publish(lambda: 1 / 0)
    publisher.publish(lambda: done.append("while pausing"))
    assert happens_within(5, lambda: not publisher._waiting)
    publisher._pause.until = 0.0
    publisher.publish(lambda: done.append("afterwards"))
    assert happens_within(5, lambda: done == ["afterwards"])


def test_call_that_waits_already_is_made_once() -> None:
    go_on, publisher = threading.Event(), Publisher("test")
    done: list[str] = []

    def first() -> None:
        done.append("first")

    def second() -> None:
        done.append("second")

    publisher.publish(go_on.wait)
    assert happens_within(5, lambda: not publisher._waiting)
    for _ in range(100):
        publisher.publish(first)
        publisher.publish(second)
    go_on.set()
    assert happens_within(5, lambda: len(done) >= 2)
    publisher.publish(first)
    assert happens_within(5, lambda: len(done) >= 3)
    assert done == ["first", "second", "first"]


def test_call_that_is_asked_for_while_it_is_made_is_made_again() -> None:
    go_on, publisher = threading.Event(), Publisher("test")
    made: list[bool] = []

    def slow() -> None:
        made.append(go_on.wait(5))

    publisher.publish(slow)
    assert happens_within(5, lambda: not publisher._waiting)
    publisher.publish(slow)
    go_on.set()
    assert happens_within(5, lambda: made == [True, True])


PROGRAM = """
from delivery.publishing import Publisher
Publisher("test").publish(lambda: print("said", flush=True))
"""


def test_program_that_ends_still_says_what_it_had_to_say() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "said\n", done.stderr
