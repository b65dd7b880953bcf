"""D5 and D6: what one receiver can cost the others, and us."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.chaos.receiving import Answer, Hit, hanging, ok
from tests.chaos.scene import Channel, Scene, at_once
from tests.chaos.stack import ATTEMPT_SECONDS
from tests.polling import happens_within

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

type Open = Callable[[str], Scene]
HEALTHY = 5
MOST_DELAY_SECONDS = 5.0
MOST_POSTS_BEFORE_THE_BREAKER = 3
BREAKER_SECONDS = 4.0


def test_D5_hanging_receiver_does_not_delay_the_others(scene: Open, *, full: bool) -> None:
    act = scene("D5")
    act.stack.worker.restart(DELIVERY_BREAKER=str(BREAKER_SECONDS))
    act.stack.wait_for_worker()
    healthy = [act.channel(act.receiver()) for _ in range(HEALTHY)]
    each, stuck = (100, 200) if full else (6, 12)
    alone = slowest(act, healthy, each)
    hung = act.channel(act.receiver(hanging(30)))
    begun = time.monotonic()
    act.write(hung, stuck)
    assert happens_within(10, lambda: hung.receiver.entries)
    beside = slowest(act, healthy, each)
    posts = len(hung.receiver.entries)
    looks = int((time.monotonic() - begun) / BREAKER_SECONDS)  # half open, one post is a look
    added = max(0.0, beside - alone)
    hung.receiver.behave = ok
    act.end(
        within=60,
        note=f"slowest of {HEALTHY}x{each} healthy: {alone:.2f} s alone, {beside:.2f} s beside "
        f"{stuck} hanging, so {added:.2f} s added; {posts} posts to the hanging one",
    )
    assert added <= MOST_DELAY_SECONDS
    assert posts <= MOST_POSTS_BEFORE_THE_BREAKER + looks


def slowest(act: Scene, channels: list[Channel], each: int) -> float:
    """Write to all; the longest time from a message to its receiver."""
    begun = datetime.now(UTC)
    at_once([partial(act.write, channel, each) for channel in channels])
    mine = {channel.id for channel in channels}

    def events() -> dict[str, datetime]:
        rows = act.ledger("events").events
        return {
            row["id"]: row["created_at"]
            for row in rows
            if row["scope"] in mine and row["created_at"] >= begun
        }

    written = events()
    assert happens_within(60, lambda: written.keys() <= arrivals(channels).keys())
    seen = arrivals(channels)
    return max(seen[event] - at.timestamp() for event, at in written.items())


def arrivals(channels: list[Channel]) -> dict[str, float]:
    """When each event came for the first time."""
    found: dict[str, float] = {}
    for channel in channels:
        for entry in list(channel.receiver.entries):
            found.setdefault(entry.event_id, entry.at)
    return found


MOST_GROWTH_KB = 20 * 1024
BIG = 50 * 1024 * 1024


def drip_headers(sock: socket.socket, over: threading.Event) -> None:
    """A header line each tenth of a second, for ever."""
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.wait(0.1):
        sock.sendall(b"X-Drip: drop\r\n")


def big_redirect(sock: socket.socket, over: threading.Event) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: {BIG}\r\n\r\n"
    sock.sendall(head.encode())
    chunk = b"x" * 65536
    for _ in range(BIG // len(chunk)):
        sock.sendall(chunk)


HOSTILE = {
    "silent": Answer(None, after=30),
    "drip": Answer(None, raw=drip_headers),
    "redirect": Answer(None, raw=big_redirect),
}


def test_D6_hostile_receivers_cost_a_bounded_attempt(scene: Open, *, full: bool) -> None:
    act = scene("D6")
    act.stack.worker.restart(DELIVERY_SCHEDULE="0.2")
    act.stack.wait_for_worker()
    for name in HOSTILE:
        act.channel(act.receiver(hostile), word=name)
    act.channel(act.receiver())
    with act.hurry():
        act.write(act.channels[-1], 1)
        assert happens_within(10, act.is_quiet)
        before = resident_kb(act)
        for channel in act.channels[:-1]:
            act.write(channel, 10 if full else 1)
        assert happens_within(120 if full else 30, act.is_quiet)
        grown = resident_kb(act) - before
        walls = [row["duration_ms"] / 1000 for row in act.ledger("attempts").attempts]
        act.end(
            note=f"silent, dripping headers, {BIG >> 20} MB redirect: slowest attempt "
            f"{max(walls):.2f} s of {ATTEMPT_SECONDS:g} s allowed, memory +{grown / 1024:.1f} MB"
        )
    assert max(walls) <= ATTEMPT_SECONDS + 1
    assert grown <= MOST_GROWTH_KB
    assert not [entry for entry in act.entries() if entry.path == "/elsewhere"]


def hostile(hit: Hit) -> Answer:
    return HOSTILE[hit.path.split("/")[2]]


def resident_kb(act: Scene) -> int:
    status = Path(f"/proc/{act.stack.worker.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])
