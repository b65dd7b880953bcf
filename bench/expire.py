"""P6: 10,000 reviews that are due in the same second are expired and announced.

Each has a callback, spread over 50 origins. Printed: the time until all are expired with their
events and deliveries stored, the longest write transaction, and how soon a worker has called
everybody. Stops by itself. `bench.stage` says how the database is chosen.
"""

import os
import time
from datetime import timedelta

from bench.callbacks import ORIGINS, pending
from bench.receivers import receivers
from bench.stage import owner, stage, worker, yardsticks

DUE = int(os.environ.get("BENCH_DUE", "10000"))


def main() -> None:
    with stage(), receivers(ORIGINS, milliseconds=0) as running:
        yardsticks()
        workspace = owner().memberships.get().workspace
        pending(workspace, running.ports, DUE)
        let_them_be_due()
        taken = sweep()
        print(
            f"P6: {DUE} expired and announced in {sum(taken):.1f} s; "
            f"longest write transaction {max(taken) * 1000:.0f} ms"
        )
        with worker():
            started = time.monotonic()
            arrived = running.wait_for(DUE, seconds=120)
            print(f"called: {arrived} of {DUE} in {time.monotonic() - started:.1f} s by one worker")


def let_them_be_due() -> None:
    from django.utils import timezone

    from reviews.models import ReviewRequest

    ReviewRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def sweep() -> list[float]:
    """Seconds of each batch: one transaction, and the hints after it."""
    from django.conf import settings

    from reviews.services import expire_due

    taken, expired = [], 1
    while expired:
        started = time.monotonic()
        expired = expire_due(limit=settings.EXPIRE_BATCH)
        taken.append(time.monotonic() - started)
    return taken


if __name__ == "__main__":
    main()
