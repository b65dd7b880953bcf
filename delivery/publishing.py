"""Publishing on Redis from a thread of its own: who commits never waits for a broker.

A broker that swallows packets costs seconds a call, and after a commit a person waits for a page.
"""

import atexit
import threading
import time
from collections.abc import Callable

from accounts.pause import Pause

type Call = Callable[[], object]

MOST_WAITING = 1000
LAST_SECONDS = 2.0
GATHER_SECONDS = 0.005


class Publisher:
    """Makes calls that may fail to reach Redis, in their order, and drops them while pausing.

    1. A call sends what has gathered until it is made, so one that waits already is not added.
    2. The first of a burst is made at once, the next ones 5 ms later together: however many
       commits there are, the broker hears of them 200 times a second at most.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._pause = Pause(name)
        self._waiting: dict[Call, None] = {}
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None

    def publish(self, call: Call) -> None:
        """Never waits and never fails. What finds no place is left out: it is a hint."""
        with self._lock:
            if call in self._waiting or len(self._waiting) >= MOST_WAITING:
                return
            self._waiting[call] = None
        self._asked.set()
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()
                atexit.register(self._finish)

    def _run(self) -> None:
        while not self._ending:
            self._asked.wait()
            self._asked.clear()
            for call in self._take():
                self._pause.attempt(call)
            time.sleep(GATHER_SECONDS)

    def _take(self) -> dict[Call, None]:
        with self._lock:
            taken, self._waiting = self._waiting, {}
        return taken

    def _finish(self) -> None:
        """A command that ends after its last commit still says so, if Redis answers."""
        self._ending = True
        self._asked.set()
        if self._thread is not None:
            self._thread.join(LAST_SECONDS)
