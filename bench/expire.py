"""P6: 10,000 reviews that are due in the same second are expired and announced.

Each has a callback, spread over 50 origins. A worker with its clock runs already, as the product
starts it, and calls the receivers meanwhile. Taken is the time from the deadline until the last
review is closed with its event and delivery stored. Before that this process expires 2,000 others,
and takes the time of each batch: its transaction, and the notices after it. Stops by itself after
about half a minute.
"""

import os
import time
from datetime import datetime

from bench.asked import pending
from bench.callbacks import ORIGINS
from bench.figures import record
from bench.receivers import receivers
from bench.stage import owner, stage, worker, yardsticks

DUE = int(os.environ.get("BENCH_DUE", "10000"))
ALONE = 2000
LONGEST_SECONDS = 60
ALL_SECONDS, LONGEST_MILLISECONDS = 10, 250


def main() -> None:
    with stage(), receivers(ORIGINS) as running:
        yardsticks()
        workspace = owner().memberships.get().workspace
        pending(workspace, running.ports, ALONE)
        let_them_be_due()
        longest = max(batches()) * 1000
        record("P6", "longest write transaction", longest, "ms", at_most=LONGEST_MILLISECONDS)
        pending(workspace, running.ports, DUE)
        with worker():
            wait_for_engine()
            due_at = let_them_be_due()
            record(
                "P6", f"{DUE:,} expired and announced", expired(due_at), "s", at_most=ALL_SECONDS
            )
            print(f"P6, receivers called meanwhile: {running.arrived()}")


def batches() -> list[float]:
    """Seconds of each batch."""
    from django.conf import settings

    from reviews.services import expire_due

    taken, found = [], True
    while found:
        started = time.monotonic()
        found = bool(expire_due(limit=settings.EXPIRE_BATCH))
        taken.append(time.monotonic() - started)
    return taken


def wait_for_engine() -> None:
    """Until the worker has shown itself, with its first tick."""
    from delivery.models import EngineBeat

    until = time.monotonic() + LONGEST_SECONDS
    while not EngineBeat.objects.exists():
        if time.monotonic() > until:
            raise RuntimeError("no worker")
        time.sleep(0.05)


def let_them_be_due() -> datetime:
    from delivery.clock import database_now
    from reviews.models import ReviewRequest

    now = database_now()
    ReviewRequest.objects.filter(status="pending").update(expires_at=now)
    return database_now()


def expired(due_at: datetime) -> float:
    """Seconds until the last one was decided; all have their events and deliveries by then."""
    from django.db.models import Max

    from delivery.models import Delivery, Event
    from reviews.models import ReviewRequest, Status

    until = time.monotonic() + LONGEST_SECONDS
    while ReviewRequest.objects.filter(status=Status.PENDING).exists():
        if time.monotonic() > until:
            raise RuntimeError("not all expired")
        time.sleep(0.1)
    told = (Event.objects.count(), Delivery.objects.count())
    if told != (ALONE + DUE, ALONE + DUE):
        raise RuntimeError(f"{told} events and deliveries")
    last: datetime = ReviewRequest.objects.aggregate(last=Max("decided_at"))["last"]
    return (last - due_at).total_seconds()


if __name__ == "__main__":
    main()
