"""Receivers that mean harm, on loopback and below HTTP, and a measure of what they cost us."""

import contextlib
import functools
import gc
import gzip
import itertools
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

type Chunks = Iterator[tuple[bytes, float]]

BLOCK = b"x" * 65536
LARGE = 300 * 1024 * 1024
PAUSE = 0.2  # long enough that 100 header lines take longer than an attempt may
AT_ONCE = 0.0


class ResetError(Exception):
    """Raised by a receiver that wants its connection torn."""


def says_nothing() -> Chunks:
    yield b"", 3600


def drips_headers() -> Chunks:
    yield b"HTTP/1.1 200 OK\r\n", PAUSE
    yield from itertools.repeat((b"x-a: b\r\n", PAUSE))


def drips_its_body() -> Chunks:
    yield b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", PAUSE
    yield from itertools.repeat((b"x", PAUSE))


def continues_for_ever() -> Chunks:
    yield from itertools.repeat((b"HTTP/1.1 100 Continue\r\n\r\n", AT_ONCE))


def sends_300_mb() -> Chunks:
    yield f"HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n".encode(), AT_ONCE
    yield from itertools.repeat((BLOCK, AT_ONCE), LARGE // len(BLOCK))


def redirects_with_300_mb() -> Chunks:
    head = f"HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: {LARGE}\r\n\r\n"
    yield head.encode(), AT_ONCE
    yield from itertools.repeat((BLOCK, AT_ONCE), LARGE // len(BLOCK))


def sends_a_gzip_bomb() -> Chunks:
    member = _ten_megabytes_of_nothing()
    head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-type: application/json\r\n"
    yield f"{head}content-length: {30 * len(member)}\r\n\r\n".encode(), AT_ONCE
    yield from itertools.repeat((member, AT_ONCE), 30)


def sends_100_000_header_lines() -> Chunks:
    yield b"HTTP/1.1 200 OK\r\n", AT_ONCE
    for start in range(0, 100_000, 1000):
        lines = (f"x-{number}: y\r\n" for number in range(start, start + 1000))
        yield "".join(lines).encode(), AT_ONCE
    yield b"\r\n", AT_ONCE


def resets() -> Chunks:
    raise ResetError
    yield


def sends_garbage() -> Chunks:
    yield bytes(range(256)) * 1024, AT_ONCE


def sends_fat_header_lines() -> Chunks:
    yield b"HTTP/1.1 200 OK\r\n", AT_ONCE
    yield from itertools.repeat((b"x-a: " + b"y" * 60_000 + b"\r\n", AT_ONCE), 99)
    yield b"\r\n", AT_ONCE


def sends_trailers_for_ever() -> Chunks:
    yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", AT_ONCE
    yield from itertools.repeat((b"x-a: b\r\n", AT_ONCE))


def stops_in_the_middle() -> Chunks:
    yield b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nx", AT_ONCE


def hangs_up() -> Chunks:
    yield from ()


TEN: dict[str, Callable[[], Chunks]] = {
    "says nothing": says_nothing,
    "drips headers": drips_headers,
    "drips its body": drips_its_body,
    "continues for ever": continues_for_ever,
    "sends 300 MB": sends_300_mb,
    "redirects with 300 MB": redirects_with_300_mb,
    "sends a gzip bomb": sends_a_gzip_bomb,
    "sends 100,000 header lines": sends_100_000_header_lines,
    "resets": resets,
    "sends garbage": sends_garbage,
}
MORE: dict[str, Callable[[], Chunks]] = {
    "sends fat header lines": sends_fat_header_lines,
    "sends trailers for ever": sends_trailers_for_ever,
    "stops in the middle": stops_in_the_middle,
    "hangs up": hangs_up,
}


@functools.cache
def _ten_megabytes_of_nothing() -> bytes:
    return gzip.compress(bytes(10_000_000))


class Hostile:
    """`with Hostile(resets) as receiver:` serves every connection so until the block ends."""

    def __init__(self, answer: Callable[[], Chunks], *, reads: bool = True) -> None:
        self._answer, self._reads = answer, reads
        self._server = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port: int = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.connections = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with contextlib.suppress(OSError):  # macOS has none to shut down
            self._server.shutdown(socket.SHUT_RDWR)  # close alone would leave accept() waiting
        self._server.close()
        self._thread.join()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        if self._reads:
            _read_request(connection)
        try:
            for chunk, pause in self._answer():
                connection.sendall(chunk)
                if self._over.wait(pause):
                    return
        except ResetError:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _read_request(connection: socket.socket) -> None:
    """Until the body `{}` has come: it is sent after the head."""
    received = b""
    while not received.endswith(b"\r\n\r\n{}"):
        chunk = connection.recv(65536)
        if not chunk:
            return
        received += chunk


class Memory:
    """How far this process's memory grew above what it was, at its highest, in MB."""

    def __init__(self) -> None:
        gc.collect()  # so that what earlier tests left does not make room for what is measured
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts again from here
        self._before = _status("VmRSS")

    def growth(self) -> float:
        return max(_status("VmHWM") - self._before, 0) / 1024


def _status(name: str) -> int:
    """A figure of /proc/self/status, in KB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
