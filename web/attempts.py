"""How often one address may try a link that somebody else holds.

Counted in Redis, or in this process while that cannot be reached.
"""

import functools

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from accounts.addresses import address_of_request
from delivery.pause import Pause

INVITATIONS = RateLimitItemPerMinute(20, namespace="invitation")
WINDOW_SECONDS = INVITATIONS.get_expiry()
_pause = Pause("attempts")


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    url = settings.REDIS_URL
    address = f"redis+{url}" if url.startswith("unix://") else url
    storage = storage_from_string(
        address, socket_timeout=1, socket_connect_timeout=0.5, key_prefix="licet:attempts"
    )
    return SlidingWindowCounterRateLimiter(storage)


@functools.cache
def _limiter_here() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(MemoryStorage())


class TooManyAttemptsError(PermissionDenied):
    """An address tried too often. Pages answer with 429."""


def count_attempt(request: HttpRequest, limit: RateLimitItem = INVITATIONS) -> None:
    """Raises: TooManyAttemptsError."""
    if not settings.RATE_LIMITS:
        return
    who = address_of_request(request.META)
    allowed = _pause.attempt(lambda: _limiter().hit(limit, who))
    if allowed is None:
        allowed = _limiter_here().hit(limit, who)
    if not allowed:
        raise TooManyAttemptsError(_("Too many attempts. Wait a minute, then try again."))
