"""Publishing on Redis from a thread of its own: who commits never waits for a broker.

A broker that swallows packets costs seconds a call, and after a commit a person waits for a page.
"""

import atexit
import queue
import threading
from collections.abc import Callable

from accounts.pause import Pause

MOST_WAITING = 1000
LAST_SECONDS = 2.0


class Publisher:
    """Makes calls that may fail to reach Redis, in their order, and drops them while pausing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._pause = Pause(name)
        self._calls: queue.Queue[Callable[[], object] | None] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def publish(self, call: Callable[[], object]) -> None:
        """Never waits and never fails. What finds no place is left out: it is a hint."""
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()
                atexit.register(self._finish)

    def is_last(self) -> bool:
        """Whether no call waits behind the one that is being made."""
        return self._calls.empty()

    def _run(self) -> None:
        while call := self._calls.get():
            self._pause.attempt(call)

    def _finish(self) -> None:
        """A command that ends after its last commit still says so, if Redis answers."""
        try:
            self._calls.put_nowait(None)
        except queue.Full:
            return
        if self._thread is not None:
            self._thread.join(LAST_SECONDS)
