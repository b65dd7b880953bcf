"""Named places where a test may end, stop, fail or slow a process: `FAULTS=point:action,…`.

An action is `kill` (SIGKILL to itself), `stop` (SIGSTOP; the harness continues it), `raise`, or
`sleep=SECONDS`. `point:action@3` acts on the third visit only, `point:action@word` on every visit
that is about that word. Without FAULTS nothing happens and nothing is looked up.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


class InjectedError(Exception):
    """What `raise` raises."""


def _raise() -> None:
    raise InjectedError("injected by FAULTS")


@dataclass
class Fault:
    """One entry of FAULTS."""

    act: Callable[[], None]
    visit: int | None
    word: str
    visits: int = 0

    def meet(self, about: str) -> None:
        if self.word not in about:
            return
        self.visits += 1
        if self.visit in (None, self.visits):
            self.act()


def _action(text: str) -> Callable[[], None]:
    name, _, number = text.partition("=")
    seconds = float(number or 0)
    actions: dict[str, Callable[[], None]] = {
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
        "raise": _raise,
        "sleep": lambda: time.sleep(seconds),
    }
    return actions[name]


def parse_faults(text: str) -> dict[str, Fault]:
    """Raises: KeyError, ValueError for what is no fault."""
    faults = {}
    for entry in filter(None, text.split(",")):
        point, rest = entry.split(":", 1)
        action, _, condition = rest.partition("@")
        visit = int(condition) if condition.isdigit() else None
        faults[point] = Fault(_action(action), visit, "" if visit else condition)
    return faults


_faults = parse_faults(os.environ.get("FAULTS", ""))
_lock = threading.Lock()


def hit(point: str, about: object = "") -> None:
    """The process is at `point`, busy with `about`."""
    if _faults and point in _faults:
        with _lock:
            fault = _faults[point]
        fault.meet(str(about))
