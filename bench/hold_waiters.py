"""10,000 calls wait in one realtime process, and reviews are decided.

1. The calls are opened (fewer where the limit on open files is lower). Printed: memory of the
   realtime process for each, and CPU time that letting one in costs.
2. Nothing happens for some seconds: statements, and CPU time.
3. Another process decides reviews at 100 a second: time from the decision's commit to the last
   byte of the answer.
4. The same while the API is saturated: a web process as docker-compose.yml starts it, and a
   process that posts requests for approval to it as fast as it answers.
5. Once each call has come back for its next 30 seconds, 5,000 reviews are decided in one
   transaction: time from its commit to the last answer.

The realtime process, who calls, who decides and who posts are processes of their own. Takes less
than a minute on a quiet machine, and stops by itself. `bench.stage` says how a database is chosen;
`--waiters` holds another number, `--memory` prints where the realtime process's memory goes.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import socket
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import cast

from bench.figures import record
from bench.stage import child, stage, yardsticks

WAITERS, DECIDED, AT_ONCE = 10_000, 300, 5000
OTHER_FILES = 500  # of a process, beside the calls
DECISIONS_A_SECOND = 100
HELD_SECONDS, LONGEST_WAIT_MS = 3, 30_000
QUIET_LOOKS = 2
OPENED_AT_ONCE = 200
LONGEST_OPENING = 60
KEYS = 100  # one for each 100 calls, as many agents would have
WEB_WORKERS = 2
MS = 1_000_000
NS = 1_000_000_000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--waiters", type=int, default=WAITERS)
    arguments.add_argument("--memory", action="store_true", help="say where it goes")
    chosen = arguments.parse_args()
    waiters = min(chosen.waiters, most_calls())
    with contextlib.ExitStack() as running:
        running.enter_context(stage())
        seeded = seed(waiters)
        yardsticks()
        port = running.enter_context(realtime(traced=chosen.memory))
        api = running.enter_context(web())
        with asyncio.Runner(loop_factory=_fast_loop) as runner:
            runner.run(measure(port, api, seeded, traced=chosen.memory))


def _fast_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def most_calls() -> int:
    """How many calls the limit on open files allows; both processes have one end of each."""
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    return most_files - OTHER_FILES


@contextlib.contextmanager
def realtime(*, traced: bool = False) -> Iterator[int]:
    """The process under test, alone on a free port."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", "bench.counted_realtime:application"),
        *("--port", str(port), "--no-access-log", "--log-level", "warning", "--backlog", "4096"),
        *("--ws", "websockets-sansio", "--timeout-graceful-shutdown", "1", "--no-proxy-headers"),
    ]
    tracing = {"PYTHONTRACEMALLOC": "1"} if traced else {}
    with child(*command, env=os.environ | tracing):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                figures(port)
                break
            time.sleep(0.05)
        yield port


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def figures(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/bench/figures", timeout=30) as answer:
        found: dict[str, float] = json.load(answer)
    return found


@dataclass(frozen=True)
class Seeded:
    """One workspace: its keys, a channel, and the ids of its reviews."""

    keys: list[str]
    channel: str
    reviews: list[str]


def seed(waiters: int) -> Seeded:
    from django.utils import timezone

    from accounts.ids import uuid7
    from accounts.services import create_owner, issue_key
    from inbox.models import Message, Sender
    from inbox.services.channels import create_channel
    from inbox.services.messages import Draft, post_message
    from reviews.models import ReviewRequest
    from reviews.services import ReviewSpec, request_review

    owner = create_owner(email="o@example.org", password="bench", workspace_name="B")  # noqa: S106
    workspace, now = owner.workspace, timezone.now()
    keys = [issue_key(workspace=workspace, created_by=None, label="B").clear for _ in range(KEYS)]
    channel = create_channel(workspace=workspace, name="Bench", now=now)
    spec = ReviewSpec(kind="approval", payload_json=None)
    ask = Draft(carrying=[lambda message: request_review(message, spec=spec, now=now)])
    first = post_message(channel=channel, sender=Sender.AGENT, draft=ask, now=now).message
    message = Message.objects.get(pk=first.pk)
    review = ReviewRequest.objects.get(pk=first.pk)
    messages, reviews = [], []
    for _ in range(waiters):
        another = copy(message)
        another.pk = uuid7(now)
        asked = copy(review)
        asked.pk = another.pk
        messages.append(another)
        reviews.append(asked)
    Message.objects.bulk_create(messages, batch_size=500)
    ReviewRequest.objects.bulk_create(reviews, batch_size=500)
    return Seeded(keys, str(channel.pk), [str(each.pk) for each in messages])


@dataclass
class Waiters:
    """Open calls, and when each was answered (CLOCK_MONOTONIC, nanoseconds)."""

    port: int
    opened: int = 0
    answered: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    calls: list["Call"] = field(default_factory=list)

    async def open(self, review_id: str, key: str) -> None:
        loop = asyncio.get_running_loop()
        _, call = await loop.create_connection(
            lambda: Call(self, review_id, key), "127.0.0.1", self.port
        )
        self.calls.append(call)

    def count(self, status: str) -> None:
        self.outcomes[status] = self.outcomes.get(status, 0) + 1


class Call(asyncio.Protocol):
    """A client that asks for an outcome until it has one."""

    def __init__(self, waiters: Waiters, review_id: str, key: str) -> None:
        self._waiters, self._review_id, self._key = waiters, review_id, key
        self._milliseconds = LONGEST_WAIT_MS
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # both ways, as of any connection
        self._ask()

    def _ask(self) -> None:
        path = f"/api/v1/reviews/{self._review_id}/wait?timeout={self._milliseconds}"
        head = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {self._key}\r\n\r\n"
        self.transport.write(head.encode())
        self._waiters.opened += 1

    def data_received(self, data: bytes) -> None:
        arrived_at = time.monotonic_ns()
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.split(b"content-length: ")[1].split(b"\r\n")[0]):
            return
        self._received = b""
        timed_out = body == b'{"status":"timeout"}'
        self._waiters.count("timeout" if timed_out else head[9:12].decode())
        if timed_out:
            # From now on the calls do not come back all at once, as they came.
            self._milliseconds = random.randint(LONGEST_WAIT_MS * 2 // 3, LONGEST_WAIT_MS)  # noqa: S311
            self._ask()
        else:
            self._waiters.answered[self._review_id] = arrived_at
            self.transport.close()


async def measure(port: int, api: int, seeded: Seeded, *, traced: bool) -> None:
    waiters, reviews, keys = Waiters(port), seeded.reviews, seeded.keys
    async with (
        decider(reviews[:DECIDED], DECISIONS_A_SECOND) as some,
        decider(reviews[DECIDED : 2 * DECIDED], DECISIONS_A_SECOND) as more,
    ):
        before = await asyncio.to_thread(figures, port)
        opened = await open_all(waiters, reviews, keys)
        cost = (opened["cpu_seconds"] - before["cpu_seconds"]) / len(reviews)
        record("P3", "calls held in one process", len(reviews), at_least=WAITERS)
        memory = (opened["resident_kb"] - before["resident_kb"]) / len(reviews)
        record("P3", "memory a waiting call", memory, "KB", at_most=20)
        record("P3", "CPU to let a call in", cost * 1e6, "us")
        print(f"    {opened['resident_kb'] / 1024:.0f} MB resident")
        if traced:
            print(await asyncio.to_thread(where_memory_is, port))
        await hold(waiters, opened)
        taken, cpu = await decide(waiters, some)
        record("P3", "CPU to wake and answer a call", cpu * 1e6 / len(taken), "us")
        record("P3", "commit to answer, p50", middle(taken), "ms", at_most=2)
        record("P3", "commit to answer, p99", late(taken), "ms", at_most=10)
        async with saturated(api, keys[0], seeded.channel) as load:
            taken, _ = await decide(waiters, more)
            record("P3", "the same with the API saturated, p50", middle(taken), "ms")
            what = "the same with the API saturated, p99"
            record("P3", what, late(taken), "ms", at_most=50)
        print(f"    the API meanwhile: {load['posts']:.0f} posts a second")
    async with decider(reviews[2 * DECIDED :][:AT_ONCE], 0) as half:
        await next_round(waiters, len(reviews))
        await decide_at_once(waiters, half)
    for call in waiters.calls:
        call.transport.close()
    print(f"    answers: {waiters.outcomes}")


async def open_all(waiters: Waiters, reviews: list[str], keys: list[str]) -> dict[str, float]:
    """Open the calls. Returns the figures once each has had its first look."""
    started = time.monotonic()
    for first in range(0, len(reviews), OPENED_AT_ONCE):
        some = range(first, min(first + OPENED_AT_ONCE, len(reviews)))
        await asyncio.gather(*(waiters.open(reviews[n], keys[n % KEYS]) for n in some))
        while (await asyncio.to_thread(figures, waiters.port))["waiting"] < some[0]:
            await asyncio.sleep(0.02)
        if time.monotonic() > started + LONGEST_OPENING:
            raise TimeoutError("the calls are not let in fast enough")
    opened = await settled(waiters.port)
    print(f"    let in within {time.monotonic() - started:.1f} s")
    return opened


async def settled(port: int) -> dict[str, float]:
    """The figures once every call has had its look: half a second without a statement."""
    quiet, last = 0, await asyncio.to_thread(figures, port)
    while quiet < QUIET_LOOKS:
        await asyncio.sleep(0.25)
        now = await asyncio.to_thread(figures, port)
        quiet = quiet + 1 if now["statements"] == last["statements"] else 0
        last = now
    return last


async def hold(waiters: Waiters, opened: dict[str, float]) -> None:
    calls = waiters.opened
    await asyncio.sleep(HELD_SECONDS)
    held = await asyncio.to_thread(figures, waiters.port)
    sent = held["statements"] - opened["statements"]
    if waiters.opened > calls:
        print(f"    {waiters.opened - calls} calls came back meanwhile")
    record("P3", f"statements while held for {HELD_SECONDS} s", sent, at_most=0)
    busy = (held["cpu_seconds"] - opened["cpu_seconds"]) / HELD_SECONDS
    record("P3", "CPU while held", 100 * busy, "% of a processor")


async def next_round(waiters: Waiters, calls: int) -> None:
    """No call may wait longer than 30 seconds: all of them come back, as clients do."""
    until = time.monotonic() + LONGEST_WAIT_MS / 1000 + 15
    while waiters.outcomes.get("timeout", 0) < calls - 2 * DECIDED and time.monotonic() < until:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)


@contextlib.asynccontextmanager
async def decider(reviews: list[str], a_second: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that has loaded the reviews, and decides them once it is told to."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.decide", str(a_second)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    try:
        assert process.stdin is not None  # noqa: S101  # a pipe
        process.stdin.write((" ".join(reviews) + "\n").encode())
        await process.stdin.drain()
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def committed_by(process: asyncio.subprocess.Process) -> dict[str, int]:
    """Let it decide. Returns when each review was committed."""
    output, _ = await process.communicate(b"\n")
    found: dict[str, int] = json.loads(output)
    return found


async def decide(
    waiters: Waiters, process: asyncio.subprocess.Process
) -> tuple[list[float], float]:
    """Milliseconds from commit to answer, sorted, and the realtime process's CPU seconds."""
    before = await asyncio.to_thread(figures, waiters.port)
    committed = await committed_by(process)
    until = time.monotonic() + 20
    while not committed.keys() <= waiters.answered.keys() and time.monotonic() < until:
        await asyncio.sleep(0.05)
    after = await asyncio.to_thread(figures, waiters.port)
    missing = len(committed.keys() - waiters.answered.keys())
    record("P3", f"answers missing of {len(committed):,}", missing, at_most=0)
    taken = [
        (waiters.answered[each] - at) / MS
        for each, at in committed.items()
        if each in waiters.answered
    ]
    return sorted(taken), after["cpu_seconds"] - before["cpu_seconds"]


def middle(taken: list[float]) -> float:
    return taken[len(taken) // 2]


def late(taken: list[float]) -> float:
    return taken[len(taken) * 99 // 100]


async def decide_at_once(waiters: Waiters, process: asyncio.subprocess.Process) -> None:
    calls = waiters.opened
    taken, cpu = await decide(waiters, process)
    what = f"{len(taken):,} decided at once, commit to last answer"
    record("P3", what, taken[-1] / 1000, "s", at_most=0.7)
    print(f"    {cpu:.2f} s of CPU; {waiters.opened - calls} calls came back meanwhile")


@contextlib.contextmanager
def web() -> Iterator[int]:
    """The web process beside it, as docker-compose.yml starts it."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", str(WEB_WORKERS), "--blocking-threads", "8"),
        *("--no-log", "config.wsgi:application"),
    ]
    with child(*command):
        yield port


@contextlib.asynccontextmanager
async def saturated(port: int, key: str, channel: str) -> AsyncIterator[dict[str, float]]:
    """The web process has more to do than it can. Afterwards: how much it did a second."""
    told = {"posts": 0.0}
    load = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.saturate", str(port), key, channel),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert load.stdout is not None  # noqa: S101  # a pipe
    try:
        await load.stdout.readline()  # it is warm
        yield told
        output, _ = await load.communicate(b"\n")
        told["posts"] = float(output)
    finally:
        with contextlib.suppress(ProcessLookupError):
            load.kill()
        await load.wait()


def where_memory_is(port: int) -> str:
    address = f"http://127.0.0.1:{port}/bench/memory"
    with urllib.request.urlopen(address, timeout=300) as answer:  # loopback
        told: str = answer.read().decode()
    return told


if __name__ == "__main__":
    main()
