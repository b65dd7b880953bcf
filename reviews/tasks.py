"""The tick that closes what nobody answered."""

import logging
import time

from celery import shared_task
from django.conf import settings

from delivery import faults
from delivery.clock import database_now
from reviews.clock_brake import ClockBrake
from reviews.services import expire_due

logger = logging.getLogger(__name__)

_brake = ClockBrake()


@shared_task(name="reviews.tick_expire")
def tick_expire(**_: object) -> None:
    expired = 0
    # Asked before each batch: the clock may jump between two of them.
    while not _clock_jumped() and (batch := expire_due(limit=settings.EXPIRE_BATCH)):
        expired += batch
        faults.hit("expire.after_commit")
    if expired:
        logger.info("tick: %d reviews expired", expired)


def _clock_jumped() -> bool:
    return _brake.holds(database_now(), time.monotonic())
