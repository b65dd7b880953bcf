"""Who commits does not wait for Redis, whatever Redis does."""

import json
import subprocess
import sys
import threading
from functools import partial
from typing import Any

from delivery import bus
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


def test_call_that_waits_already_is_made_once_and_sees_what_led_to_both() -> None:
    go_on, publisher = threading.Event(), Publisher("test")
    said: list[int] = []
    heard: list[list[int]] = []

    def tell() -> None:
        heard.append(said.copy())

    publisher.publish(go_on.wait)
    assert happens_within(5, lambda: not publisher._waiting)
    for number in range(2 * MOST_WAITING):
        said.append(number)
        publisher.publish(tell)
    go_on.set()
    assert happens_within(5, lambda: bool(heard))
    said.append(-1)
    publisher.publish(tell)
    assert happens_within(5, lambda: len(heard) == 2)
    assert [len(each) for each in heard] == [2 * MOST_WAITING, 2 * MOST_WAITING + 1]


def test_notices_of_a_large_transaction_all_arrive_in_few_messages() -> None:
    listening: Any = bus.client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    with listening:
        listening.subscribe(bus.CHANNEL)
        assert happens_within(5, lambda: bus.client().pubsub_numsub(bus.CHANNEL)[0][1] >= 1)
        for number in range(5000):
            bus._publish(b'{"topic": "test", "number": %d}' % number)
        messages: list[bytes] = []

        def numbers() -> list[int]:
            message = listening.get_message(timeout=0.1)
            if message is not None:
                messages.append(message["data"])
            notices = [notice for each in messages for notice in json.loads(each)]
            return [notice["number"] for notice in notices if notice["topic"] == "test"]

        assert happens_within(10, lambda: numbers() == list(range(5000)))
    assert len(messages) < 500


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
