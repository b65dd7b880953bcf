"""What Celery may ask for. Every task is a hint: safe to run twice, late or never."""

import logging

from celery import shared_task
from celery.signals import worker_shutting_down

from delivery.sending import deliver_due, stop_sending

logger = logging.getLogger(__name__)


@shared_task(name="delivery.wake")
def wake(*, lane_id: str = "", **_: object) -> None:
    """Something was stored for a lane. Send whatever is due; the id only helps the log."""
    made = deliver_due()
    logger.info("wake for lane %s: %d attempts", lane_id, made)


@shared_task(name="delivery.tick_deliver")
def tick_deliver(**_: object) -> None:
    made = deliver_due()
    if made:
        logger.info("tick: %d attempts", made)


@worker_shutting_down.connect
def _release_lanes(**_: object) -> None:
    """A worker that is told to stop must not hold a lane until its lease runs out."""
    stop_sending()
