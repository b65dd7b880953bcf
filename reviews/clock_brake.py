"""Keeps a clock that jumps ahead from expiring what is not due.

Elapsed time is measured twice: by the clock that judges deadlines, and by one that nobody can set.
When they differ by minutes, the clock was set, or was wrong before; nothing expires until it has
agreed with the other one for two sweeps. A clock that jumps back only delays.
"""

import logging
import threading
from datetime import datetime, timedelta

logger = logging.getLogger(__name__)

LONGEST_STEP = timedelta(minutes=5)
SWEEPS_TO_AGREE = 2


class ClockBrake:
    """One for each process that sweeps."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None
        self._to_agree = 0
        self._lock = threading.Lock()

    def holds(self, clock: datetime, monotonic: float) -> bool:
        """Tell it both times (`monotonic` in seconds) before a sweep. True: sweep nothing now."""
        with self._lock:
            step = self._step(clock, monotonic)
            if step > LONGEST_STEP:
                self._to_agree = SWEEPS_TO_AGREE
                logger.critical(
                    "the clock stepped by %s; nothing expires until %d sweeps agree with it",
                    step,
                    SWEEPS_TO_AGREE,
                )
                return True
            held = self._to_agree > 0
            self._to_agree = max(0, self._to_agree - 1)
            return held

    def _step(self, clock: datetime, monotonic: float) -> timedelta:
        """By how much the clock was ahead of, or behind, the time that really passed."""
        last, self._last = self._last, (clock, monotonic)
        if last is None:
            return timedelta()
        return abs((clock - last[0]) - timedelta(seconds=monotonic - last[1]))
