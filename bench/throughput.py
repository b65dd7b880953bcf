"""P1 from outside: how many posts a second two web processes take, ours and the idiomatic one.

Starts the web server as the container image does, and posts requests for approval over 16
connections that stay open; ours, then the same as most would write it (`bench.idiomatic`), in turn.
Printed: posts a second, CPU of the server's processes for each, and posts as a share of the inserts
that pgbench reached in the same minute. Placet reached 0.036 to 0.041 of those (measured alone on a
machine like this, 371 to 411 posts a second). Takes about half a minute and stops by itself.
"""

import contextlib
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from bench.figures import record
from bench.posts import Post, posts
from bench.stage import answers, child, cpu_seconds, free_port, owner, pgbench, stage, yardsticks

CLIENTS, ROUNDS, SECONDS = 16, 3, 3.0
THREADS = "8"
PLACET = 0.041
CREATED = b"HTTP/1.1 201 "
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def main() -> None:
    with contextlib.ExitStack() as running:
        running.enter_context(stage())
        yardsticks()
        ours, plain = posts(owner().memberships.get().workspace)
        port, process = running.enter_context(web())
        for post in (ours, plain):
            drive(port, partial(http, post), seconds=1)
        for _ in range(ROUNDS):
            compare(port, process.pid, ours, plain)


def http(post: Post) -> bytes:
    head = (
        f"POST {post.path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {post.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(post.body)}\r\n\r\n"
    )
    return head.encode() + post.body


@contextlib.contextmanager
def web(*, workers: int = 2) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", THREADS, "--log-level", "error"),
        "bench.both_wsgi:application",
    ]
    with child(*command) as process:
        if not answers(f"http://127.0.0.1:{port}/health"):
            raise SystemExit("the web server does not answer")
        yield port, process


def compare(port: int, pid: int, ours: Post, plain: Post) -> None:
    rate, cost = measured(port, pid, partial(http, ours))
    plain_rate, plain_cost = measured(port, pid, partial(http, plain))
    record("P1", "posts a second, 2 web processes, 16 clients", rate)
    record("P1", "CPU of the web processes a post", cost * 1e6, "us")
    record("P1", "posts a second, idiomatic : ours", rate / plain_rate, at_least=6)
    record("P1", "CPU a post, idiomatic : ours", plain_cost / cost)
    if inserts := pgbench():
        record("P1", "posts for each of pgbench's inserts", rate / inserts, at_least=3 * PLACET)


def measured(port: int, pid: int, request: Callable[[], bytes]) -> tuple[float, float]:
    """Posts a second, and CPU seconds of each."""
    busy, started = tree_cpu(pid), time.monotonic()
    answered = drive(port, request, seconds=SECONDS)
    return answered / (time.monotonic() - started), (tree_cpu(pid) - busy) / answered


def tree_cpu(pid: int) -> float:
    """CPU seconds of a process and its children."""
    with open(f"/proc/{pid}/task/{pid}/children") as told:  # noqa: PTH123
        children = told.read().split()
    return cpu_seconds(pid) + sum(tree_cpu(int(each)) for each in children)


def drive(port: int, request: Callable[[], bytes], *, seconds: float) -> int:
    """Send over each connection as soon as the last answer is there. Returns how many came."""
    answered, until = 0, time.monotonic() + seconds
    with selectors.DefaultSelector() as ready, contextlib.ExitStack() as opened:
        for _ in range(CLIENTS):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(request())
            ready.register(connection, selectors.EVENT_READ, [connection, b""])
        while ready.get_map():
            for found, _ in ready.select(timeout=10):
                connection, before = found.data
                told = found.data[1] = before + connection.recv(65536)
                if not is_whole(told):
                    continue
                answered, found.data[1] = answered + 1, b""
                if time.monotonic() < until:
                    connection.sendall(request())
                else:
                    ready.unregister(connection)
    return answered


def is_whole(told: bytes) -> bool:
    """Whether an answer is there, and all of it."""
    head, end, body = told.partition(b"\r\n\r\n")
    if told and not told.startswith(CREATED[: len(told)]):
        raise SystemExit(told.decode())  # else it would measure errors
    length = LENGTH.search(head)
    return bool(end and length and len(body) >= int(length[1]))


if __name__ == "__main__":
    main()
