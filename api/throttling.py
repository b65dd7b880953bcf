"""Rate limits, counted in Redis by `limits`, whose scripts are atomic.

For each key, reads and writes a minute; for each address, calls, and keys that were not good. A
store that cannot be reached lets calls pass: taking in what agents ask is worth more than counting
it. Only attempts with bad keys are then counted in this process instead.
"""

import functools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.addresses import address_of_request
from accounts.models import ApiKey
from accounts.pause import Pause
from api.counting import CallStorage, Limited, Standing
from api.models import PersonToken

_pause = Pause("rate limits")

WRITES = RateLimitItemPerMinute(120, namespace="write")
READS = RateLimitItemPerMinute(600, namespace="read")
# Several agents may sit behind one address.
CALLS = RateLimitItemPerMinute(3000, namespace="address")
BAD_KEYS = RateLimitItemPerMinute(20, namespace="bad-key")
MINUTE = 60.0
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_BLOCKED = 10_000


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    url = settings.REDIS_URL
    scheme = "redis+unix" if url.startswith("unix://") else ""
    address = f"{scheme}{url.removeprefix('unix')}" if scheme else url
    storage = CallStorage(
        address, key_prefix="licet:limits", socket_timeout=1, socket_connect_timeout=0.5
    )
    return SlidingWindowCounterRateLimiter(storage)


@functools.cache
def _limiter_here() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(MemoryStorage())


@dataclass(frozen=True)
class Counted:
    """One call against its limit: whether it may pass, and how the limit stands.

    `from_here` is whether the address that it came from may call so often.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int
    from_here: bool = True

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.remaining)),
            "X-RateLimit-Reset": str(self.reset_seconds),
        }


def _count(limit: RateLimitItem, who: str, limiter: SlidingWindowCounterRateLimiter) -> Counted:
    allowed = limiter.hit(limit, who)
    window = limiter.get_window_stats(limit, who)
    reset = max(1, math.ceil(window.reset_time - time.time()))
    return Counted(allowed, limit.amount, window.remaining, reset)


def count_call(
    caller: ApiKey | PersonToken, *, method: str, address: str | None = None
) -> Counted | None:
    """Count a call of a key, or of a person's token, and one of its address, if that is given.

    None where nothing is counted.
    """
    if not settings.RATE_LIMITS:
        return None
    limit = READS if method in SAFE_METHODS else WRITES
    limited = [(limit, str(caller.pk))] + ([(CALLS, address)] if address else [])
    standing = _pause.attempt(lambda: _count_at_once(limited))
    if standing is None:
        return None
    rooms = standing.rooms
    return Counted(
        rooms[0], limit.amount, standing.remaining, standing.reset_seconds, from_here=all(rooms[1:])
    )


def _count_at_once(limited: Sequence[Limited]) -> Standing:
    return cast("CallStorage", _limiter().storage).count(limited)


class AddressThrottle(BaseThrottle):
    """At most so many calls a minute from one address, whichever keys they carry."""

    retry_after: float = MINUTE

    def allow_request(self, request: Request, view: Any) -> bool:
        if not settings.RATE_LIMITS:
            return True
        address = address_of_request(request.META)
        allowed = _pause.attempt(lambda: _limiter().hit(CALLS, address))
        return allowed is not False

    def wait(self) -> float:
        return self.retry_after


class CallThrottle(AddressThrottle):
    """The same, and so many reads and writes a minute for one key, or one person's token."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey | PersonToken):
            return super().allow_request(request, view)
        address = address_of_request(request.META)
        counted = count_call(request.auth, method=request.method or "", address=address)
        if counted is None:
            return True
        if counted.from_here:
            self.retry_after = counted.reset_seconds
        request.limit_headers = counted.headers  # type: ignore[attr-defined]  # for finalize_response
        return counted.allowed and counted.from_here


# Who may not try again, until when: so that they cost no look at the database.
_blocked: dict[str, float] = {}


def refuse_guessing(address: str) -> None:
    """Raises: Throttled for an address that showed too many bad keys."""
    until = _blocked.get(address)
    if until is None or not settings.RATE_LIMITS:
        return
    left = until - time.monotonic()
    if left > 0:
        raise Throttled(wait=left)
    _blocked.pop(address, None)


def note_bad_attempt(address: str) -> None:
    """Count an attempt; at the limit, the address is refused for the rest of the minute."""
    if not settings.RATE_LIMITS:
        return
    counted = _pause.attempt(lambda: _count(BAD_KEYS, address, _limiter()))
    if counted is None:
        counted = _count(BAD_KEYS, address, _limiter_here())
    if not counted.allowed or counted.remaining <= 0:
        if len(_blocked) >= MOST_BLOCKED:
            _blocked.clear()
        _blocked[address] = time.monotonic() + counted.reset_seconds
