"""The connection of one attempt."""

import contextlib
import socket
import threading
import time

import ssrfguard

from .addresses import CONNECT_TRIES, judge, policy_of
from .names import Answers, resolve

CONNECT_SECONDS = 3.0
MOST_BYTES = 65536


class Wire:
    """Connects to a judged address, and can be cut from another thread at any moment."""

    def __init__(
        self, target: ssrfguard.Target, *, seconds: float, most_bytes: int = MOST_BYTES
    ) -> None:
        """Raises: EgressRefusedError."""
        self.target, self.policy = target, policy_of(target)
        self.seconds, self._deadline = seconds, time.monotonic() + seconds
        self.most_bytes = most_bytes  # of the whole answer, status line and headers included
        self.ip: str | None = None
        self.expired = False
        self._socket: socket.socket | None = None
        self._guard: socket.socket | None = None
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Raises: EgressRefusedError, AttemptFailedError, OSError, and the library's refusals."""
        addresses = resolve(self.target, self.policy, seconds=self._left())
        for address in addresses:
            judge(self.target, address.ip)
        opened = self._open(addresses)
        with self._lock:
            self._socket = opened  # first of all, so that `close` finds it
            self.ip = opened.getpeername()[0]
            # A second handle on the connection: TLS takes the first one away from everybody else.
            self._guard = opened.dup()
        if self.expired:
            self.cut()

    def take(self) -> socket.socket:
        """The connection, for the one who speaks on it. There is no second one."""
        taken, self._socket = self._socket, None
        if taken is None:
            raise ConnectionError("an attempt has one connection")
        return taken

    def cut(self) -> None:
        """End the attempt: whoever waits on the connection learns at once that it is closed."""
        # Under the lock, since a handle closed meanwhile may already be somebody else's connection.
        with self._lock:
            self.expired = True
            if self._guard is not None:
                with contextlib.suppress(OSError):
                    self._guard.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            for handle in (self._guard, self._socket):
                if handle is not None:
                    handle.close()
            self._guard = self._socket = None

    def _open(self, addresses: Answers) -> socket.socket:
        """Connect to the first of the judged addresses that answers, of as many as may be tried."""
        failure = OSError("no address")
        for address in addresses[:CONNECT_TRIES]:
            timeout = min(CONNECT_SECONDS, self._left())
            try:
                return ssrfguard.connect([address], policy=self.policy, timeout=timeout)
            except OSError as failed:
                failure = failed
        raise failure

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.001)
