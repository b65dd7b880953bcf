"""What a worker does with callbacks: P4 (how soon) and P5 (how many).

P4: 150 reviews are decided at 20 a second by another process; taken is the time from the commit to
the arrival at the receiver. P5: callbacks wait for 50 origins before the worker starts; taken is
the rate at which they arrive, with instant receivers and with ones that take 50 ms. Stops by itself
after about 45 seconds. `bench.embedded` measures P4 of `make serve`, `bench.beside` what one slow
receiver costs the others.
"""

import os
import time
from typing import TYPE_CHECKING, Any

from bench.asked import decide, overdue, pending, percentile, waits
from bench.figures import record
from bench.receivers import Receivers, receivers
from bench.stage import cpu_seconds, owner, stage, worker, yardsticks

if TYPE_CHECKING:
    from accounts.models import Workspace

ORIGINS = 50
BACKLOG = int(os.environ.get("BENCH_BACKLOG", "4000"))
SOON, A_SECOND = 150, 20
WARM_UP = 20
COUNTED = 1000
SOON_P50, SOON_P99 = 5, 25
INSTANT, SLOWER = 1500, 1000
SLOWER_MILLISECONDS = 50


def main() -> None:
    with stage(EGRESS_ATTEMPT_SECONDS="15"):
        yardsticks()
        workspace = owner().memberships.get().workspace
        how_soon(workspace)
        how_many(workspace, milliseconds=0, at_least=INSTANT)
        how_many(workspace, milliseconds=SLOWER_MILLISECONDS, at_least=SLOWER)
        how_much_work(workspace)


def how_soon(workspace: "Workspace") -> None:
    with receivers(1) as running, worker():
        taken = soon(workspace, running)
    record("P4", "commit to callback, p50", percentile(taken, 50), "ms", at_most=SOON_P50)
    record("P4", "commit to callback, p99", percentile(taken, 99), "ms", at_most=SOON_P99)


def soon(workspace: "Workspace", running: Receivers) -> list[float]:
    """Milliseconds from commit to arrival, sorted, of a worker that runs and is warm."""
    ids = pending(workspace, running.ports, SOON + WARM_UP)
    decide(ids[:WARM_UP], a_second=A_SECOND)
    running.wait_for(WARM_UP, seconds=20)
    committed = decide(ids[WARM_UP:], a_second=A_SECOND)
    running.wait_for(len(ids), seconds=20)
    taken = waits(committed, running)
    if len(taken) < SOON:
        raise RuntimeError(f"only {len(taken)} of {SOON} arrived")
    return taken


def how_many(workspace: "Workspace", *, milliseconds: int, at_least: int) -> None:
    with receivers(ORIGINS, milliseconds=milliseconds) as running:
        overdue(workspace, running.ports, BACKLOG)
        with worker() as process:
            already = running.wait_for(1, seconds=20)
            busy = cpu_seconds(process.pid)
            arrived = running.wait_for(BACKLOG, seconds=60)
            busy = cpu_seconds(process.pid) - busy
            arrivals = running.end()
    if len({message_id for _, message_id, _ in arrivals}) < BACKLOG:
        raise RuntimeError(f"only {arrived} of {BACKLOG} arrived")
    rate = (len(arrivals) - 1) / ((arrivals[-1][2] - arrivals[0][2]) / 1e9)
    each = busy / (arrived - already) * 1e6
    to = f"to receivers that take {milliseconds} ms" if milliseconds else "to instant receivers"
    record("P5", f"callbacks {to}, {ORIGINS} origins", rate, "a second", at_least=at_least)
    record("P5", f"CPU of the worker process, {to}", each, "us a callback")


def how_much_work(workspace: "Workspace") -> None:
    """Statements of the engine, and its CPU apart from that of the threads that send."""
    from django.db import connection

    from delivery.engine import Engine

    statements = 0

    def count(execute: Any, *call: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*call)

    with receivers(ORIGINS) as running:
        overdue(workspace, running.ports, COUNTED)
        started, own = time.process_time(), time.thread_time()
        with connection.execute_wrapper(count):
            made = Engine().run_until_idle()
        own = time.thread_time() - own
        others = time.process_time() - started - own
    record("P5", "statements, without BEGIN and COMMIT", statements / made * 100, "a 100 callbacks")
    record("P5", "CPU of the engine's thread", own / made * 1e6, "us a callback")
    record("P5", "CPU of the threads that send", others / made * 1e6, "us a callback")


if __name__ == "__main__":
    main()
