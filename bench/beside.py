"""What one hanging receiver among six costs the five others: promise D5, as milliseconds.

Decisions come at 60 a second; printed is what the healthy receivers had to wait, with and without
the hanging one. Stops by itself after about half a minute.
"""

from typing import TYPE_CHECKING

from bench.asked import decide, pending, percentile, waits
from bench.receivers import receivers
from bench.stage import owner, stage, worker, yardsticks

if TYPE_CHECKING:
    from accounts.models import Workspace

EACH, A_SECOND = 60, 60


def main() -> None:
    with stage(EGRESS_ATTEMPT_SECONDS="15"):
        yardsticks()
        workspace = owner().memberships.get().workspace
        beside(workspace, slow_seconds=0)  # to warm up: the first scene pays for what is cold
        alone = beside(workspace, slow_seconds=0)
        hung = beside(workspace, slow_seconds=60)
        print(f"healthy beside a hanging one: p99 {hung - alone:+.0f} ms")


def beside(workspace: "Workspace", *, slow_seconds: float) -> float:
    """Five healthy receivers and one more; returns the p99 of the healthy ones in ms."""
    with receivers(6, slow_seconds=slow_seconds) as running, worker():
        committed = decide(pending(workspace, running.ports, EACH * 6), a_second=A_SECOND)
        running.wait_for(EACH * 5, seconds=20)
        taken = waits(committed, running, running.ports[1:])
    name = f"one of six takes {slow_seconds:g} s" if slow_seconds else "all six are healthy"
    p50, p99 = percentile(taken, 50), percentile(taken, 99)
    print(f"{name}: {len(taken)} of {EACH * 5} to healthy ones, p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    return p99


if __name__ == "__main__":
    main()
