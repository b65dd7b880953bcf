"""What a worker does with callbacks: P4 (how soon), P5 (how many), and one slow receiver among six.

P4: 300 reviews are decided at 20 a second by another process; printed is the time from the commit
to the arrival at the receiver. P5: 10,000 callbacks wait for 50 origins before the worker starts;
printed is the rate at which they arrive, with instant receivers and with ones that take 50 ms.
Slow: one receiver hangs, five are healthy; printed is what the healthy ones had to wait longer
than without it. Stops by itself after about two minutes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bench.receivers import Receivers, receivers
from bench.stage import cpu_seconds, owner, stage, worker, yardsticks

if TYPE_CHECKING:
    from accounts.models import Workspace

ORIGINS, CHANNELS_AN_ORIGIN = 50, 4
BACKLOG = int(os.environ.get("BENCH_BACKLOG", "10000"))
SOON, A_SECOND = 300, 20
WARM_UP = 20
BESIDE = 60


def main() -> None:
    with stage(EGRESS_ATTEMPT_SECONDS="15"):
        yardsticks()
        workspace = owner().memberships.get().workspace
        how_soon(workspace)
        how_many(workspace, milliseconds=0)
        how_many(workspace, milliseconds=50)
        beside(workspace, slow_seconds=0)  # to warm up: the first scene pays for what is cold
        alone = beside(workspace, slow_seconds=0)
        hung = beside(workspace, slow_seconds=60)
        print(f"healthy beside a hanging one: p99 {hung - alone:+.0f} ms")


def how_soon(workspace: "Workspace") -> None:
    with receivers(1) as running, worker():
        ids = pending(workspace, running.ports, SOON + WARM_UP)
        decide(ids[:WARM_UP])
        running.wait_for(WARM_UP, seconds=20)
        committed = decide(ids[WARM_UP:])
        running.wait_for(len(ids), seconds=20)
        taken = waits(committed, running)
    print(f"P4: {len(taken)} of {SOON} arrived; commit to callback {percentiles(taken)}")


def how_many(workspace: "Workspace", *, milliseconds: int) -> None:
    with receivers(ORIGINS, milliseconds=milliseconds) as running:
        overdue(workspace, running.ports, BACKLOG)
        with worker() as process:
            running.wait_for(1, seconds=20)
            busy, started = cpu_seconds(process.pid), time.monotonic()
            arrived = running.wait_for(BACKLOG, seconds=60)
            took = time.monotonic() - started
            busy = cpu_seconds(process.pid) - busy
            arrivals = running.end()
    first, last = arrivals[0][2], arrivals[-1][2]
    rate = (len(arrivals) - 1) / ((last - first) / 1e9)
    distinct = len({message_id for _, message_id, _ in arrivals})
    print(
        f"P5, {milliseconds} ms, {ORIGINS} origins: {rate:.0f} a second; {distinct} distinct of "
        f"{arrived} in {took:.1f} s, {busy / max(arrived, 1) * 1e6:.0f} us of CPU each"
    )


def beside(workspace: "Workspace", *, slow_seconds: float) -> float:
    """Five healthy receivers and one more; returns the p99 of the healthy ones in ms."""
    with receivers(6, slow_seconds=slow_seconds) as running, worker():
        ids = pending(workspace, running.ports, BESIDE * 6)
        committed = decide(ids, a_second=60)
        healthy = running.ports[1:]
        running.wait_for(BESIDE * 5, seconds=20)
        taken = waits(committed, running, healthy)
    name = f"one of six takes {slow_seconds:g} s" if slow_seconds else "all six are healthy"
    print(f"slow, {name}: {len(taken)} of {BESIDE * 5} to healthy ones, {percentiles(taken)}")
    return taken[len(taken) * 99 // 100]


def pending(workspace: "Workspace", ports: Sequence[int], count: int) -> list[str]:
    """Reviews that call back, spread over ports and channels; returns their ids."""
    from django.db import transaction
    from django.utils import timezone

    from inbox.models import Sender
    from inbox.services.channels import create_channel
    from inbox.services.messages import Draft, post_message
    from reviews.services import Callback, ReviewSpec, request_review

    now, ids = timezone.now(), []
    with transaction.atomic():
        channels = [
            create_channel(workspace=workspace, name="Bench", now=now)
            for _ in range(len(ports) * CHANNELS_AN_ORIGIN)
        ]
        for number in range(count):
            port, channel = ports[number % len(ports)], channels[number % len(channels)]
            callback = Callback(url=f"http://127.0.0.1:{port}/x", method="POST", headers={})
            spec = ReviewSpec(kind="approval", callback=callback)
            ask = Draft(carrying=[partial(request_review, spec=spec, now=now)])
            posted = post_message(channel=channel, sender=Sender.AGENT, draft=ask, now=now)
            ids.append(str(posted.message.pk))
    return ids


def overdue(workspace: "Workspace", ports: Sequence[int], count: int) -> None:
    """Callbacks that wait for a worker: reviews that nobody answered, expired."""
    from django.utils import timezone

    from reviews.models import ReviewRequest, Status
    from reviews.services import expire_due

    pending(workspace, ports, count)
    waiting = ReviewRequest.objects.filter(status=Status.PENDING)
    waiting.update(expires_at=timezone.now() - timedelta(seconds=1))
    while expire_due(limit=200):
        pass


def decide(ids: list[str], *, a_second: int = A_SECOND) -> dict[str, int]:
    """Have another process decide; returns when each was committed."""
    command = [sys.executable, "-m", "bench.decide", str(a_second)]
    done = subprocess.run(  # noqa: S603  # our own command line
        command, input="\n".join(ids), stdout=subprocess.PIPE, text=True, check=True
    )
    committed: dict[str, int] = json.loads(done.stdout)
    return committed


def waits(
    committed: Mapping[str, int], running: Receivers, ports: Sequence[int] | None = None
) -> list[float]:
    """Milliseconds from commit to first arrival, sorted."""
    first: dict[str, int] = {}
    for port, message_id, at in running.end():
        if ports is None or port in ports:
            first.setdefault(message_id, at)
    return sorted((first[key] - at) / 1e6 for key, at in committed.items() if key in first)


def percentiles(taken: list[float]) -> str:
    return (
        f"p50 {taken[len(taken) // 2]:.1f} ms, p99 {taken[len(taken) * 99 // 100]:.1f} ms, "
        f"greatest {taken[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
