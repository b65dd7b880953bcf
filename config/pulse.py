"""A worker's own clock, for when no tick comes: Redis is away, or beat is.

The database knows what is due, and a worker that can reach it needs nobody to tell it so.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from django.db import close_old_connections, connection

from delivery.beats import seconds_since_heard

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 3.0
LOOK_SECONDS = 2.0


class Pulse:
    """Does what the ticks do, as long as none was heard."""

    def __init__(self, ticks: Sequence[Callable[[], object]]) -> None:
        self.ticks = ticks
        self.beating = False

    def look(self) -> None:
        """Call it as often as ticks should come. One that fails does not keep the others back."""
        if seconds_since_heard() < SILENCE_SECONDS:
            self.beating = False
            return
        if not self.beating:
            logger.warning("no tick for %d s; this worker looks by itself", SILENCE_SECONDS)
            self.beating = True
        for tick in self.ticks:
            try:
                close_old_connections()
                tick()
            except Exception:
                logger.exception("pulse")
                connection.close()

    def run(self) -> None:
        while not threading.Event().wait(LOOK_SECONDS):
            self.look()


def start_pulse() -> None:
    """Call it once in a worker, before it looks for its broker."""
    from delivery.tasks import look
    from reviews.tasks import tick_expire
    from web.tasks import tick_notify

    pulse = Pulse([look, tick_expire, tick_notify])
    threading.Thread(target=pulse.run, name="pulse", daemon=True).start()
