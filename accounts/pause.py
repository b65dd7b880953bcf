"""After a failure to reach Redis, leave it alone for a while.

A broker that swallows packets costs seconds a call. One caller pays that, then nobody in this
process tries for ten seconds. Everything sent through Redis is a hint, so leaving one out costs
a little delay and nothing else.
"""

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 10.0


class Pause:
    """Calls a function that may fail to reach Redis, or skips it while pausing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.until = 0.0

    def attempt[T](self, call: Callable[[], T]) -> T | None:
        """What the call returned, or None while Redis is left alone."""
        if time.monotonic() < self.until:
            return None
        try:
            return call()
        except Exception:  # noqa: BLE001  # every kind of broker failure means the same: pause
            self.until = time.monotonic() + PAUSE_SECONDS
            logger.warning("%s: Redis not reached, pausing for %d s", self.name, PAUSE_SECONDS)
            return None
