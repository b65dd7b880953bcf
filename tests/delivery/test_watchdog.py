"""One thread ends what takes too long, for as many attempts as there are."""

import os
import sys
import threading
import time

import pytest

from delivery.egress.watchdog import Watchdog


def _threads() -> int:
    return sum(thread.name == "watchdog" for thread in threading.enumerate())


def test_missed_deadline_calls_back() -> None:
    missed = threading.Event()
    with Watchdog().watching(0.01, missed.set):
        assert missed.wait(5)


def test_deadline_that_is_met_calls_nobody() -> None:
    dog, calls, later = Watchdog(), list[str](), threading.Event()
    with dog.watching(0.3, lambda: calls.append("met")):
        pass
    with dog.watching(0.35, later.set):
        assert later.wait(5)
    assert calls == []


def test_earlier_deadline_overtakes_a_later_one() -> None:
    dog, order, last = Watchdog(), list[str](), threading.Event()
    with (
        dog.watching(0.2, last.set),
        dog.watching(0.1, lambda: order.append("second")),
        dog.watching(0.01, lambda: order.append("first")),
    ):
        assert last.wait(5)
    assert order == ["first", "second"]


def test_many_attempts_share_one_thread() -> None:
    before, dog = _threads(), Watchdog()
    for _ in range(1000):
        with dog.watching(60, lambda: None):
            pass
    assert _threads() == before + 1


def test_what_was_met_is_swept_out() -> None:
    dog = Watchdog()
    with dog.watching(60, lambda: None):
        for _ in range(1000):
            with dog.watching(60, lambda: None):
                pass
        assert len(dog._heap) < 200


def test_attempt_that_is_over_is_not_held() -> None:
    dog = Watchdog()
    with dog.watching(60, threading.Event().set):
        pass
    assert [watch.act for watch in dog._heap] == [None]


def test_call_that_fails_does_not_end_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("the first call")

    dog, missed = Watchdog(), threading.Event()
    with dog.watching(0.01, fail), dog.watching(0.02, missed.set):
        assert missed.wait(5)
    assert "a deadline could not be enforced" in caplog.text


def test_deadlines_met_from_many_threads_leave_nothing_behind() -> None:
    dog, calls = Watchdog(), list[int]()

    def work(number: int) -> None:
        for turn in range(200):
            with dog.watching(60 if turn % 2 else 30, lambda: calls.append(number)):
                pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == []
    assert len(dog._heap) < 200


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_forked_child_has_a_watchdog_of_its_own() -> None:
    from delivery.egress import watchdog

    with watchdog.watching(60, lambda: None):
        child = os.fork()
        if child == 0:
            missed = threading.Event()
            with watchdog.watching(0.01, missed.set):
                os._exit(0 if missed.wait(5) else 1)
    until = time.monotonic() + 10
    ended, status = 0, 0
    while not ended and time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        threading.Event().wait(0.01)
    assert ended
    assert os.waitstatus_to_exitcode(status) == 0
