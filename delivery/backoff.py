"""When to try again. Pure functions; the numbers are settings."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

JITTER = 0.2
OVERLOADED_FLOOR = timedelta(seconds=60)
LONGEST_RETRY_AFTER = timedelta(hours=6)


def retry_after(header: str | None, *, now: datetime) -> timedelta | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds or a date. Garbage is no wish."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=min(int(text[:9]), 10**8)), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a time zone of forty digits
        return None
    if at.tzinfo is None or at <= now:
        return None
    return min(at - now, LONGEST_RETRY_AFTER)


def next_delay(
    schedule: Sequence[float],
    *,
    attempts: int,
    overloaded: bool = False,
    wish: timedelta | None = None,
    chance: random.Random | None = None,
) -> timedelta | None:
    """The wait before the next attempt, or None when the schedule has ended.

    `schedule` holds the seconds between attempts, so it allows one attempt more than it has
    entries. `attempts` have been made. A receiver that was overloaded or silent gets at least a
    minute, or the longest wait of a schedule that has no such wait.
    """
    if attempts > len(schedule):
        return None
    source = chance or random.SystemRandom()
    delay = timedelta(seconds=schedule[attempts - 1] * source.uniform(1 - JITTER, 1 + JITTER))
    if overloaded:
        delay = max(delay, min(OVERLOADED_FLOOR, timedelta(seconds=max(schedule))))
    return max(delay, wish) if wish else delay
