"""What a worker does for deliveries. Every task is a hint: safe to run twice, late or never."""

import functools
import logging

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from delivery.beats import beat, heard
from delivery.engine import running_engine, stop_running_engine
from delivery.hints import Ear
from delivery.retention import clean_up

logger = logging.getLogger(__name__)


@functools.cache
def _ear() -> Ear:
    return Ear(lambda: running_engine().wake())


@worker_ready.connect
def _listen(**_: object) -> None:
    """Something was stored: the engine looks what is due."""
    _ear().start()


@shared_task(name="delivery.tick_deliver")
def tick_deliver(**_: object) -> None:
    """Without an occasion: a retry's time may have come, or a hint was lost."""
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
    _ear().stop()
    stop_running_engine()
