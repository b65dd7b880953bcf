"""1,000 pages are open in one realtime process, ten of each workspace; 500 reviews are decided.

Starts a Valkey and a realtime process of its own, opens the streams, and shows what they cost
while nothing happens. Another process then decides 500 reviews at 100 a second, five for each
workspace. Printed: time from the decision's commit to the event's arrival in each page that it
concerns (p50, p99, greatest), memory for each stream, CPU time, and yardsticks of the same minute.
`python -m bench.hold_streams 5000` opens that many. Takes about a minute and stops by itself.
`bench.stage` says how another database than a new SQLite file is chosen.
"""

import asyncio
import contextlib
import json
import resource
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.hold_waiters import figures, realtime
from bench.stage import stage, yardsticks

if TYPE_CHECKING:
    from accounts.models import Workspace

STREAMS = 1000
WORKSPACES, DECIDED, DECISIONS_A_SECOND = 100, 500, 100
STREAMS_OF_A_PERSON = 5
OPENED_A_SECOND = 500
HELD_SECONDS = 20


def main() -> None:
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else STREAMS
    with contextlib.ExitStack() as running:
        running.enter_context(stage())
        cookies, reviews = seed(streams)
        yardsticks()
        port = running.enter_context(realtime())
        asyncio.run(measure(port, cookies, reviews))


def seed(streams: int) -> tuple[list[str], list[str]]:
    """People in workspaces; returns a Cookie header for each stream, and reviews to decide."""
    from django.utils import timezone

    from accounts.models import Workspace
    from inbox.models import Sender
    from inbox.services.channels import create_channel
    from inbox.services.messages import Draft, post_message
    from reviews.services import ReviewSpec, request_review

    now = timezone.now()
    spec = ReviewSpec(kind="approval", payload_json=None)
    cookies, reviews = [], []
    for number in range(WORKSPACES):
        workspace = Workspace.objects.create(name=f"Bench {number}")
        cookies += people(workspace, streams // WORKSPACES)
        channel = create_channel(workspace=workspace, name="Bench", now=now)
        for _ in range(DECIDED // WORKSPACES):
            ask = Draft(carrying=[lambda message: request_review(message, spec=spec, now=now)])
            posted = post_message(channel=channel, sender=Sender.AGENT, draft=ask, now=now)
            reviews.append(str(posted.message.pk))
    return cookies, reviews


def people(workspace: "Workspace", streams: int) -> list[str]:
    """A Cookie header for each stream of a workspace; a person has some."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import Membership, User

    cookies: list[str] = []
    while len(cookies) < streams:
        user = User.objects.create(email=f"{User.objects.count()}@example.org", password="!")  # noqa: S106  # nobody signs in with it
        Membership.objects.create(workspace=workspace, user=user, role="reviewer")
        browser = Client()
        browser.force_login(user)
        session = browser.cookies[settings.SESSION_COOKIE_NAME].value
        wanted = min(STREAMS_OF_A_PERSON, streams - len(cookies))
        cookies += [f"{settings.SESSION_COOKIE_NAME}={session}"] * wanted
    return cookies


@dataclass
class Pages:
    """Open streams, and when each heard of which review (CLOCK_MONOTONIC, nanoseconds)."""

    port: int
    opened: int = 0
    heard: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    others: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def listen(self, cookie: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        call = f"GET /ui/events/ HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n"
        writer.write(call.encode())
        event = b""
        while line := await reader.readline():
            if line.startswith(b"event: "):
                event = line[7:-1]
                self.others[event.decode()] += 1
                self.opened += event == b"hello"
            elif event == b"review-changed" and line.startswith(b"data: "):
                self.heard[json.loads(line[6:])["id"]].append(time.monotonic_ns())


async def measure(port: int, cookies: list[str], reviews: list[str]) -> None:
    pages = Pages(port)
    before = await asyncio.to_thread(figures, port)
    listening = []
    for number, cookie in enumerate(cookies):
        listening.append(asyncio.create_task(pages.listen(cookie)))
        if number % (OPENED_A_SECOND // 20) == 0:
            await asyncio.sleep(0.05)
    while pages.opened < len(cookies):
        await asyncio.sleep(0.1)
    await hold(port, len(cookies), before)
    await decide(pages, reviews, len(cookies) // WORKSPACES)
    for each in listening:
        each.cancel()
    await asyncio.gather(*listening, return_exceptions=True)


async def hold(port: int, streams: int, before: dict[str, float]) -> None:
    opened = await asyncio.to_thread(figures, port)
    memory = (opened["resident_kb"] - before["resident_kb"]) / streams
    print(f"held: {streams} streams in one process")
    print(f"memory: {opened['resident_kb'] / 1024:.0f} MB resident, {memory:.1f} KB a stream")
    await asyncio.sleep(HELD_SECONDS)
    held = await asyncio.to_thread(figures, port)
    sent = held["statements"] - opened["statements"]
    busy = held["cpu_seconds"] - opened["cpu_seconds"]
    print(f"held for {HELD_SECONDS} s: {sent:.0f} statements, {busy:.2f} s of CPU")


async def decide(pages: Pages, reviews: list[str], listeners: int) -> None:
    """Have another process decide, and compare its times of commit with ours of arrival."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.decide", str(DECISIONS_A_SECOND)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(" ".join(reviews).encode())
    committed: dict[str, int] = json.loads(output)
    await asyncio.sleep(2)
    waits = [(at, arrived) for each, at in committed.items() for arrived in pages.heard[each]]
    taken = sorted((arrived - at) / 1e6 for at, arrived in waits)
    missing = listeners * len(committed) - len(taken)
    print(f"decided: {len(committed)} at {DECISIONS_A_SECOND} a second, {missing} events missing")
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(f"commit to page: p50 {p50:.2f} ms, p99 {p99:.2f} ms, greatest {taken[-1]:.1f} ms")
    print(f"events: {dict(pages.others)}")


if __name__ == "__main__":
    main()
