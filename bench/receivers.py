"""Many receivers in one process: `python -m bench.receivers COUNT MILLISECONDS [SLOW_SECONDS]`.

Each of COUNT ports answers 200 after MILLISECONDS; with SLOW_SECONDS the first port takes so long.
Prints its ports as JSON, and on SIGTERM when which message arrived at which port:
`[[port, message id, CLOCK_MONOTONIC in nanoseconds], …]`. `GET /arrived` tells how many did.
"""

import asyncio
import contextlib
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from bench.stage import child

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
ID = re.compile(rb'"message_id":"([0-9a-f-]{36})"')
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Receiver(asyncio.Protocol):
    """One connection."""

    arrivals: list[tuple[int, str, int]] = []  # of all receivers

    def __init__(self, delay: float) -> None:
        self.delay, self.data = delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # TCP
        self.port = transport.get_extra_info("sockname")[1]

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self.data = b""
        if head.startswith(b"GET /arrived"):
            self._tell(str(len(self.arrivals)).encode())
            return
        found = ID.search(body)
        self.arrivals.append((self.port, found[1].decode() if found else "", time.monotonic_ns()))
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(ANSWER)

    def _tell(self, body: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


async def serve(count: int, delay: float, slow: float) -> None:
    loop, ports = asyncio.get_running_loop(), []
    for number in range(count):
        wait = slow if slow and number == 0 else delay
        server = await loop.create_server(partial(Receiver, wait), "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    print(json.dumps(Receiver.arrivals), flush=True)


@dataclass
class Receivers:
    """The process seen from outside."""

    process: "subprocess.Popen[bytes]"
    ports: list[int]
    arrivals: list[tuple[int, str, int]] = field(default_factory=list)

    def arrived(self) -> int:
        address = f"http://127.0.0.1:{self.ports[-1]}/arrived"
        with urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.read())

    def wait_for(self, count: int, seconds: float) -> int:
        """Until so many arrived, or the time is up. Returns how many did."""
        until = time.monotonic() + seconds
        while (arrived := self.arrived()) < count and time.monotonic() < until:
            time.sleep(0.02)
        return arrived

    def end(self) -> list[tuple[int, str, int]]:
        """Stop it; returns every arrival."""
        if self.process.poll() is None:
            self.process.terminate()
            output, _ = self.process.communicate(timeout=30)
            self.arrivals = json.loads(output)
        return self.arrivals


@contextlib.contextmanager
def receivers(
    count: int, *, milliseconds: float = 0, slow_seconds: float = 0
) -> Iterator[Receivers]:
    command = [sys.executable, "-m", "bench.receivers", str(count), str(milliseconds)]
    with child(*command, str(slow_seconds), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101  # a pipe
        running = Receivers(process, json.loads(process.stdout.readline()))
        try:
            yield running
        finally:
            running.end()  # else it would wait for a reader of its arrivals


if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000, float(sys.argv[3])))
