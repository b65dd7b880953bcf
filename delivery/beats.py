"""Signs of life of the processes that send and expire, judged from the database.

A Celery worker can lose its broker connection and stay up without taking any more tasks. Then the
process says nothing, its beat gets old, and it ends itself so that its supervisor starts another.
"""

import functools
import logging
import os
import socket
import threading
import time
from datetime import timedelta

from redis.exceptions import RedisError

from delivery import bus
from delivery.clock import ClockTimestamp
from delivery.models import EngineBeat

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(days=1)
DEAF_AFTER_SECONDS = 60.0
EXIT_DEAF = 70


def heard() -> None:
    """A tick came: this worker is not deaf."""
    _watch().seen_at = time.monotonic()


def seconds_since_heard() -> float:
    return time.monotonic() - _watch().seen_at


def beat() -> None:
    """Leave a sign of life, from which readiness is judged."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    if EngineBeat.objects.filter(name=name).update(seen_at=ClockTimestamp()):
        return
    EngineBeat.objects.update_or_create(name=name, defaults={"seen_at": ClockTimestamp()})
    EngineBeat.objects.filter(seen_at__lt=ClockTimestamp() - FORGOTTEN_AFTER).delete()


class Watch:
    """Ends a worker that gets no ticks although the broker answers."""

    def __init__(self) -> None:
        self.seen_at = time.monotonic()

    def is_deaf(self) -> bool:
        """Nothing was heard for a minute, and Redis is there."""
        if time.monotonic() - self.seen_at < DEAF_AFTER_SECONDS:
            return False
        try:
            return bool(bus.client().ping())
        except (RedisError, OSError):
            return False

    def run(self) -> None:
        while not self.is_deaf():
            time.sleep(DEAF_AFTER_SECONDS / 4)
        logger.critical("no tick for %d s although Redis answers; ending", DEAF_AFTER_SECONDS)
        os._exit(EXIT_DEAF)


@functools.cache
def _watch() -> Watch:
    return Watch()


def start_watch() -> None:
    """Call it once in a worker, when it is ready."""
    threading.Thread(target=_watch().run, name="watch", daemon=True).start()
