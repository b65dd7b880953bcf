"""Waiting for what another process does: the one place where tests let time pass."""

import socket
import time
from collections.abc import Callable

PAUSE_SECONDS = 0.05


def happens_within(seconds: float, condition: Callable[[], object]) -> bool:
    """Look until the condition holds, or the time is up. Connection errors mean: not yet."""
    until = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return True
        except OSError:
            pass
        if time.monotonic() >= until:
            return False
        time.sleep(PAUSE_SECONDS)  # a process has no event to wait for


def listens(port: int) -> bool:
    """Whether a server on this machine accepts connections.

    Raises: OSError if not; `happens_within` takes that for "not yet".
    """
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
