"""Ends what takes too long: one thread and one heap for all attempts of a process."""

import contextlib
import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

FEWEST_TO_SWEEP = 64


@dataclass(order=True)
class Watch:
    """One deadline. `act` is forgotten when the work was done in time."""

    due: float
    number: int
    act: Callable[[], None] | None = field(compare=False)


class Watchdog:
    """Calls back at deadlines, in a thread that starts with the first of them.

    A deadline that is met costs two locks and no thread. It stays in the heap without what it held
    until its time comes, or until half of the heap is such.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[Watch] = []
        self._met = 0
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def watching(self, seconds: float, act: Callable[[], None]) -> Iterator[None]:
        """Call `act` from another thread if the block is not left in time. It must not block."""
        watch = self._add(time.monotonic() + seconds, act)
        try:
            yield
        finally:
            self._meet(watch)

    def _add(self, due: float, act: Callable[[], None]) -> Watch:
        watch = Watch(due, next(self._numbers), act)
        with self._changed:
            heapq.heappush(self._heap, watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif self._heap[0] is watch:
                self._changed.notify()
        return watch

    def _meet(self, watch: Watch) -> None:
        with self._changed:
            if watch.act is None:
                return
            watch.act = None
            self._met += 1
            if self._met > FEWEST_TO_SWEEP and self._met * 2 > len(self._heap):
                self._heap = [kept for kept in self._heap if kept.act]
                heapq.heapify(self._heap)
                self._met = 0

    def _run(self) -> None:
        while True:
            act = self._wait()
            try:
                act()
            except Exception:  # one attempt's trouble must not end the watch over the others
                logger.exception("a deadline could not be enforced")

    def _wait(self) -> Callable[[], None]:
        """The next deadline that was missed, once it is."""
        with self._changed:
            while True:
                left = self._heap[0].due - time.monotonic() if self._heap else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                watch = heapq.heappop(self._heap)
                act, watch.act = watch.act, None
                if act:
                    return act
                self._met -= 1


_shared = Watchdog()


def watching(seconds: float, act: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    """`Watchdog.watching` of the one watchdog of this process."""
    return _shared.watching(seconds, act)


def _start_afresh() -> None:
    """A forked child has the heap of its parent, but not the thread, and perhaps a held lock."""
    global _shared  # noqa: PLW0603  # one for each process
    _shared = Watchdog()


os.register_at_fork(after_in_child=_start_afresh)
