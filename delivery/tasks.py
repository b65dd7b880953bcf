"""What Celery may ask for. Every task is a hint: safe to run twice, late or never."""

import logging

from celery import shared_task
from celery.signals import worker_shutdown, worker_shutting_down

from delivery.beats import beat, heard
from delivery.engine import running_engine, stop_running_engine
from delivery.retention import clean_up

logger = logging.getLogger(__name__)


@shared_task(name="delivery.wake")
def wake(**_: object) -> None:
    """Something was stored: the engine looks what is due."""
    running_engine().wake()


@shared_task(name="delivery.tick_deliver")
def tick_deliver(**_: object) -> None:
    """The same without an occasion: a retry's time may have come, or a hint was lost."""
    heard()
    look()


def look() -> None:
    """Show that this process is alive, and see what is due."""
    engine = running_engine()
    beat(engine.token)
    engine.wake()


@shared_task(name="delivery.tick_housekeep")
def tick_housekeep(**_: object) -> None:
    done = clean_up()
    if any(done.values()):
        logger.info("tick: %s", done)


@worker_shutting_down.connect
@worker_shutdown.connect
def _give_lanes_back(**_: object) -> None:
    """A worker that is told to stop must not hold a lane until its lease runs out."""
    stop_running_engine()
