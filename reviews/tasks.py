"""The tick that closes what nobody answered."""

import logging
import threading
import time

from celery import shared_task
from django.conf import settings
from django.db import connection

from delivery.clock import database_now
from reviews.clock_brake import ClockBrake
from reviews.services import expire_due

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0

_brake = ClockBrake()


@shared_task(name="reviews.tick_expire")
def tick_expire(**_: object) -> None:
    if _brake.holds(database_now(), time.monotonic()):
        return
    expired = 0
    while batch := expire_due(limit=settings.EXPIRE_BATCH):
        expired += batch
    if expired:
        logger.info("tick: %d reviews expired", expired)


def keep_sweeping(until: threading.Event) -> None:
    """Sweep without being told: deadlines pass while the broker is away, too."""
    while not until.wait(SWEEP_SECONDS):
        try:
            tick_expire()
        except Exception:
            logger.exception("a sweep failed; the next follows in %d s", SWEEP_SECONDS)
            connection.close()


def start_sweeping() -> None:
    """Call it once in a worker, when it is ready."""
    sweeper = threading.Thread(target=keep_sweeping, args=[threading.Event()], name="sweep")
    sweeper.daemon = True
    sweeper.start()
