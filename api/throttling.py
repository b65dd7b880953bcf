"""Rate limits per API key, counted in Redis by `limits`, whose scripts are atomic.

A store that cannot be reached lets calls pass: taking in what agents ask is worth more than
counting it.
"""

import functools
import math
import time
from functools import partial
from typing import Any

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerMinute, WindowStats
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey
from delivery.pause import Pause

_pause = Pause("rate limits")

WRITES = RateLimitItemPerMinute(120, namespace="write")
READS = RateLimitItemPerMinute(600, namespace="read")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    url = settings.REDIS_URL
    scheme = "redis+unix" if url.startswith("unix://") else ""
    address = f"{scheme}{url.removeprefix('unix')}" if scheme else url
    storage = storage_from_string(
        address, socket_timeout=1, socket_connect_timeout=0.5, key_prefix="licet:limits"
    )
    return SlidingWindowCounterRateLimiter(storage)


def _count(limit: RateLimitItem, key_id: str) -> tuple[bool, WindowStats]:
    """Count one call; whether it is within the limit, and how the limit stands."""
    allowed = _limiter().hit(limit, key_id)
    return allowed, _limiter().get_window_stats(limit, key_id)


class KeyThrottle(BaseThrottle):
    """At most so many reads and writes a minute for one key."""

    retry_after: int = 1

    def allow_request(self, request: Request, view: Any) -> bool:
        if not settings.RATE_LIMITS or not isinstance(request.auth, ApiKey):
            return True
        limit = READS if request.method in SAFE_METHODS else WRITES
        counted = _pause.attempt(partial(_count, limit, str(request.auth.pk)))
        if counted is None:
            return True
        allowed, window = counted
        self.retry_after = max(1, math.ceil(window.reset_time - time.time()))
        request.limit_headers = _headers(limit, window.remaining, self.retry_after)  # type: ignore[attr-defined]  # for finalize_response
        return allowed

    def wait(self) -> float:
        return self.retry_after


def _headers(limit: RateLimitItem, remaining: int, reset: int) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit.amount),
        "X-RateLimit-Remaining": str(max(0, remaining)),
        "X-RateLimit-Reset": str(reset),
    }
