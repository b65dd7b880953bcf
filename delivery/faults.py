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
from dataclasses import dataclass, field
from functools import partial


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
    _counting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def meet(self, about: str) -> None:
        if self.word not in about:
            return
        with self._counting:
            self.visits += 1
            meant = self.visit in (None, self.visits)
        if meant:
            self.act()


def _action(text: str) -> Callable[[], None]:
    name, parted, seconds = text.partition("=")
    if name == "sleep":
        return partial(time.sleep, _length(seconds))
    actions: dict[str, Callable[[], None]] = {
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
        "raise": _raise,
    }
    return actions[name + parted]


def _length(seconds: str) -> float:
    length = float(seconds)
    if not 0 <= length < threading.TIMEOUT_MAX:
        raise ValueError(f"nobody can sleep {seconds} s")
    return length


def parse_faults(text: str) -> dict[str, Fault]:
    """Raises: KeyError, ValueError for what is no fault."""
    faults = {}
    for entry in filter(None, text.split(",")):
        point, rest = entry.split(":", 1)
        action, parted, condition = rest.partition("@")
        visit = int(condition) if condition.isdigit() else None
        if visit == 0 or (parted and not condition):
            raise ValueError(f"{entry} would never act, or always")
        faults[point] = Fault(_action(action), visit, "" if visit else condition)
    return faults


_faults = parse_faults(os.environ.get("FAULTS", ""))


def hit(point: str, about: object = "") -> None:
    """The process is at `point`, busy with `about`."""
    if _faults and point in _faults:
        _faults[point].meet(str(about))
