"""Publishing on Redis from a thread of its own: who commits never waits for a broker.

A broker that swallows packets costs seconds a call, and after a commit a person waits for a page.
"""

import atexit
import threading
from collections.abc import Callable

from accounts.pause import Pause

MOST_WAITING = 1000
LAST_SECONDS = 2.0

type Call = Callable[[], object]


class Publisher:
    """Makes calls that may fail to reach Redis, in their order, and drops them while pausing.

    A call that waits already is not put a second time: it will see what led to both. A transaction
    that announces thousands of things makes few calls, and none of them is left out.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._pause = Pause(name)
        self._calls: dict[Call, None] = {}
        self._changed = threading.Condition()
        self._ending = False
        self._thread: threading.Thread | None = None

    def publish(self, call: Call) -> None:
        """Never waits and never fails. What finds no place is left out: it is a hint."""
        with self._changed:
            if call in self._calls or len(self._calls) >= MOST_WAITING:
                return
            self._calls[call] = None
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()
                atexit.register(self._finish)

    def is_last(self) -> bool:
        """Whether no call waits behind the one that is being made."""
        return not self._calls

    def _run(self) -> None:
        while call := self._next():
            self._pause.attempt(call)

    def _next(self) -> Call | None:
        """Taken before it is made: what comes from now on needs another."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls or self._ending)
            call = next(iter(self._calls), None)
            if call is not None:
                del self._calls[call]
            return call

    def _finish(self) -> None:
        """A command that ends after its last commit still says so, if Redis answers."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(LAST_SECONDS)
