"""Waking a worker after commit. A lost hint costs at most one tick.

Hints are a short list in Redis: of many workers one takes each, and as a task of Celery's it would
cost both sides twenty times as much and come milliseconds later.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial

import redis
from django.conf import settings
from django.db import transaction

from delivery import faults
from delivery.bus import client
from delivery.publishing import Publisher

logger = logging.getLogger(__name__)

HINTS = "licet:wake"
MOST_WAITING = 16
HINT_LIVES_SECONDS = 30
WAIT_SECONDS = 5
RECONNECT_SECONDS = 1.0

_publisher = Publisher("wake")


def wake_after_commit() -> None:
    """Ask a worker to look at what is due once the transaction is in.

    `robust` matters: without it a broker that is down raises after the commit, the caller sees a
    failure, repeats the call, and posts twice.
    """
    transaction.on_commit(partial(_publisher.publish, _publish), robust=True)


def _publish() -> None:
    faults.hit("hint.before_publish")
    pipe = client().pipeline(transaction=False)
    pipe.lpush(HINTS, "")
    pipe.ltrim(HINTS, 0, MOST_WAITING - 1)
    pipe.expire(HINTS, HINT_LIVES_SECONDS)
    pipe.execute()


class Ear:
    """Takes hints in a thread of its own."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self.wake = wake
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self.run, name="hints", daemon=True).start()

    def stop(self) -> None:
        """Leave what comes from now on to others, but for one that is waited for already."""
        self._stopping.set()

    def run(self) -> None:
        """Call `wake` for each hint. While Redis is away there are ticks, or the worker's pulse."""
        own = redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=2 * WAIT_SECONDS
        )
        while not self._stopping.is_set():
            try:
                if own.brpop([HINTS], timeout=WAIT_SECONDS):
                    self.wake()
            except (redis.RedisError, OSError) as failure:
                logger.warning("hints: not listening (%s), trying again", type(failure).__name__)
                self._stopping.wait(RECONNECT_SECONDS)
