"""5,000 calls wait in one realtime process; 500 of them are then decided.

Starts a Valkey and a realtime process of its own, opens the calls, and shows that no statement is
sent for 20 seconds while they are held. Once each has come back for its next 30 seconds, another
process decides 500 reviews at 100 a second, and at last 1,000 at once. Printed: time from the
decision's commit to the last byte of the answer (p50, p99, greatest), memory for each waiting call,
CPU time, and yardsticks of the same minute. Takes about a minute and a half and stops by itself.
`bench.stage` says how another database than a new SQLite file is chosen.
"""

import asyncio
import contextlib
import json
import resource
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.stage import child, stage, yardsticks

WAITERS, DECIDED, AT_ONCE = 5000, 500, 1000
DECISIONS_A_SECOND = 100
HELD_SECONDS, LONGEST_WAIT = 20, 30
QUIET_LOOKS = 2
OPENED_A_SECOND = 2000
KEYS = 100  # one for each 50 calls, as many agents would have
NS = 1_000_000_000


def main() -> None:
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    with contextlib.ExitStack() as running:
        running.enter_context(stage())
        reviews, keys = seed()
        yardsticks()
        port = running.enter_context(realtime())
        asyncio.run(measure(port, reviews, keys))


@contextlib.contextmanager
def realtime() -> Iterator[int]:
    """The process under test, alone on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "uvicorn", "bench.counted_realtime:application"),
        *("--port", str(port), "--no-access-log", "--log-level", "warning", "--backlog", "4096"),
        *("--ws", "websockets-sansio", "--timeout-graceful-shutdown", "1"),
    ]
    with child(*command):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                figures(port)
                break
            time.sleep(0.05)
        yield port


def figures(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/bench/figures", timeout=5) as answer:
        found: dict[str, float] = json.load(answer)
    return found


def seed() -> tuple[list[str], list[str]]:
    """One workspace with its keys and reviews; returns the reviews' ids and the keys."""
    from django.db import transaction
    from django.utils import timezone

    from accounts.services import create_owner, issue_key
    from inbox.models import Sender
    from inbox.services.channels import create_channel
    from inbox.services.messages import Draft, post_message
    from reviews.services import ReviewSpec, request_review

    owner = create_owner(email="o@example.org", password="bench", workspace_name="B")  # noqa: S106
    workspace, now = owner.workspace, timezone.now()
    keys = [issue_key(workspace=workspace, created_by=None, label="B").clear for _ in range(KEYS)]
    channel = create_channel(workspace=workspace, name="Bench", now=now)
    spec = ReviewSpec(kind="approval", payload_json=None)
    ids = []
    with transaction.atomic():
        for _ in range(WAITERS):
            ask = Draft(carrying=[lambda message: request_review(message, spec=spec, now=now)])
            posted = post_message(channel=channel, sender=Sender.AGENT, draft=ask, now=now)
            ids.append(str(posted.message.pk))
    return ids, keys


@dataclass
class Waiters:
    """Open calls, and when each was answered (CLOCK_MONOTONIC, nanoseconds)."""

    port: int
    answered: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)

    async def wait(self, review_id: str, key: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        path = f"/api/v1/reviews/{review_id}/wait?timeout=30000"
        call = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\n\r\n".encode()
        status = "timeout"
        while status == "timeout":
            writer.write(call)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            arrived_at = time.monotonic_ns()
            status = json.loads(body).get("status", "error")
            self.outcomes[status] = self.outcomes.get(status, 0) + 1
        self.answered[review_id] = arrived_at
        writer.close()


async def measure(port: int, reviews: list[str], keys: list[str]) -> None:
    waiters = Waiters(port)
    before = await asyncio.to_thread(figures, port)
    started, calls = time.monotonic(), []
    for number, review_id in enumerate(reviews):
        calls.append(asyncio.create_task(waiters.wait(review_id, keys[number % KEYS])))
        if number % (OPENED_A_SECOND // 20) == 0:
            await asyncio.sleep(0.05)
    opened = await settled(port)
    print(f"held: {WAITERS} calls in one process")
    memory = (opened["resident_kb"] - before["resident_kb"]) / WAITERS
    print(f"memory: {opened['resident_kb'] / 1024:.0f} MB resident, {memory:.1f} KB a call")
    await hold(port, opened, seconds=until_the_first_ends(started))
    await next_round(waiters, port)
    await decide(waiters, reviews[:DECIDED], DECISIONS_A_SECOND)
    await decide(waiters, reviews[DECIDED : DECIDED + AT_ONCE], 0)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    print(f"answers: {waiters.outcomes}")


async def settled(port: int) -> dict[str, float]:
    """The figures once every call has had its look: half a second without a statement."""
    quiet, last = 0, await asyncio.to_thread(figures, port)
    while quiet < QUIET_LOOKS:
        await asyncio.sleep(0.25)
        now = await asyncio.to_thread(figures, port)
        quiet = quiet + 1 if now["statements"] == last["statements"] else 0
        last = now
    return last


def until_the_first_ends(started: float) -> float:
    """How long all calls can be held: at most until the first has waited its 30 seconds."""
    return min(HELD_SECONDS, started + LONGEST_WAIT - 0.3 - time.monotonic())


async def hold(port: int, opened: dict[str, float], *, seconds: float) -> None:
    await asyncio.sleep(seconds)
    held = await asyncio.to_thread(figures, port)
    sent = held["statements"] - opened["statements"]
    busy = held["cpu_seconds"] - opened["cpu_seconds"]
    print(f"held for {seconds:.1f} s: {sent:.0f} statements, {busy:.2f} s of CPU")


async def next_round(waiters: Waiters, port: int) -> None:
    """No call may wait longer than 30 seconds: all of them come back, as clients do."""
    while waiters.outcomes.get("timeout", 0) < WAITERS:
        await asyncio.sleep(0.1)
    await settled(port)


async def decide(waiters: Waiters, reviews: list[str], a_second: int) -> None:
    """Have another process decide, and compare its times of commit with ours of arrival."""
    command = [sys.executable, "-m", "bench.decide", str(a_second)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate("\n".join(reviews).encode())
    committed: dict[str, int] = json.loads(output)
    until = time.monotonic() + 20
    while not committed.keys() <= waiters.answered.keys() and time.monotonic() < until:
        await asyncio.sleep(0.05)
    report(committed, waiters.answered, a_second)


def report(committed: dict[str, int], answered: dict[str, int], a_second: int) -> None:
    taken = sorted(
        (answered[review_id] - at) / 1e6
        for review_id, at in committed.items()
        if review_id in answered
    )
    how = f"at {a_second} a second" if a_second else "as fast as they are committed"
    missing = len(committed) - len(taken)
    print(f"decided: {len(committed)} {how}, {missing} not answered")
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(f"commit to answer: p50 {p50:.1f} ms, p99 {p99:.1f} ms, greatest {taken[-1]:.1f} ms")
    if not a_second:
        last = max(answered[review_id] for review_id in committed)
        print(f"first commit to last answer: {(last - min(committed.values())) / NS:.2f} s")


if __name__ == "__main__":
    main()
