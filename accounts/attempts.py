"""How often somebody may guess: at a password, or at a link that somebody else holds.

Whoever guesses waits longer and longer: five tries a minute, twenty an hour, fifty a day. Attempts
are counted before they are looked at, so that many at once do not slip through; in Redis, or in
this process while that cannot be reached. The page and the API are two ways to one door: what is
tried at either counts for both.

At the door, an attempt counts under what it comes from:

1. A browser in which this account signed in before shows a signed cookie, and has counters of its
   own. So nobody else can lock a person out of the browsers that they use.
2. Any other attempt counts under the address, under the account as tried from that address, and
   under the account as tried from anywhere. Only the last one can keep the owner waiting for what
   others did: on a new device, while many addresses attack at once.

An account that does not exist is counted like one that does: the answers are the same.
"""

import functools
import logging
import math
import time
import unicodedata

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from limits import (
    RateLimitItem,
    RateLimitItemPerDay,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
)
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from accounts.addresses import address_of_request
from accounts.models import User, normal_email
from accounts.pause import Pause

logger = logging.getLogger(__name__)


def _growing(namespace: str) -> tuple[RateLimitItem, ...]:
    return (
        RateLimitItemPerMinute(5, namespace=namespace),
        RateLimitItemPerHour(20, namespace=namespace),
        RateLimitItemPerDay(50, namespace=namespace),
    )


INVITATIONS = (RateLimitItemPerMinute(20, namespace="invitation"),)
FROM_ADDRESS = (
    RateLimitItemPerMinute(30, namespace="door-address"),
    RateLimitItemPerHour(200, namespace="door-address"),
)
FROM_ADDRESS_AT_ACCOUNT = _growing("door-pair")
AT_ACCOUNT = (RateLimitItemPerHour(100, namespace="door-account"),)
ON_DEVICE = _growing("door-device")
OWN_PASSWORD = _growing("own-password")

ACCOUNT_SALT = "web.attempts.account"
DEVICE_SALT = "web.attempts.device"
MINUTE, HOUR = 60, 3600
_pause = Pause("attempts")


@functools.cache
def _limiter() -> MovingWindowRateLimiter:
    url = settings.REDIS_URL
    address = f"redis+{url}" if url.startswith("unix://") else url
    storage = storage_from_string(
        address, socket_timeout=1, socket_connect_timeout=0.5, key_prefix="licet:attempts"
    )
    return MovingWindowRateLimiter(storage)


@functools.cache
def _limiter_here() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


class TooManyAttemptsError(PermissionDenied):
    """Somebody tried too often, and may come again after so many seconds."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        text = _("You tried too often. Try again in %(time)s.")
        super().__init__(text % {"time": _in_words(seconds)})


def _in_words(seconds: int) -> str:
    """Rounded up, so that nobody comes too early."""
    if seconds <= HOUR:
        number = math.ceil(seconds / MINUTE)
        return ngettext("%(number)d minute", "%(number)d minutes", number) % {"number": number}
    number = math.ceil(seconds / HOUR)
    return ngettext("%(number)d hour", "%(number)d hours", number) % {"number": number}


def count(limits: tuple[RateLimitItem, ...], *who: str) -> None:
    """Raises: TooManyAttemptsError."""
    if not settings.RATE_LIMITS:
        return
    wait = _pause.attempt(lambda: _wait_after(_limiter(), limits, who))
    if wait is None:
        wait = _wait_after(_limiter_here(), limits, who)
    if wait:
        logger.warning("too many attempts: %s %s", limits[0].namespace, " ".join(who))
        raise TooManyAttemptsError(wait)


def _wait_after(
    limiter: MovingWindowRateLimiter, limits: tuple[RateLimitItem, ...], who: tuple[str, ...]
) -> int:
    """Count an attempt. Returns the seconds until there may be another, 0 if this one may pass."""
    for limit in limits:
        if not limiter.hit(limit, *who):
            left = limiter.get_window_stats(limit, *who).reset_time - time.time()
            return max(1, math.ceil(left))
    return 0


def _forget(limits: tuple[RateLimitItem, ...], *who: str) -> None:
    def clear(limiter: MovingWindowRateLimiter) -> None:
        for limit in limits:
            limiter.clear(limit, *who)

    if settings.RATE_LIMITS:
        _pause.attempt(lambda: clear(_limiter()))
        clear(_limiter_here())


def count_invitation(request: HttpRequest) -> None:
    """Raises: TooManyAttemptsError."""
    count(INVITATIONS, address_of_request(request.META))


def count_own_password(user: User) -> None:
    """Somebody who is signed in types their password once more.

    Raises: TooManyAttemptsError.
    """
    count(OWN_PASSWORD, str(user.pk))


def forget_own_password(user: User) -> None:
    """It was the right one."""
    _forget(OWN_PASSWORD, str(user.pk))


# The door


def count_sign_in(request: HttpRequest, email: str) -> None:
    """Count an attempt with an address as it was typed.

    Raises: TooManyAttemptsError.
    """
    account, address = account_mark(email), address_of_request(request.META)
    device = known_device(request, account)
    if device:
        count(ON_DEVICE, device)
        return
    count(FROM_ADDRESS, address)
    count(FROM_ADDRESS_AT_ACCOUNT, account, address)
    count(AT_ACCOUNT, account)


def forget_slips(request: HttpRequest, user: User) -> None:
    """It was the right password: what the person got wrong before it does not count any more.

    What others tried at the account stays counted, and so does what comes from the address: else
    an account of one's own would give new attempts at all others.
    """
    account = account_mark(user.email)
    device = known_device(request, account)
    if device:
        _forget(ON_DEVICE, device)
    _forget(FROM_ADDRESS_AT_ACCOUNT, account, address_of_request(request.META))


def account_mark(email: str) -> str:
    """What an account is counted under, whether it exists or not. Tells nobody the address."""
    typed = normal_email(unicodedata.normalize("NFKC", email))  # as Django's form reads it
    return salted_hmac(ACCOUNT_SALT, typed, algorithm="sha256").hexdigest()[:32]


def known_device(request: HttpRequest, account: str) -> str:
    """The name of a browser in which this account signed in before; empty for any other."""
    name = settings.DEVICE_COOKIE_NAME
    known = request.get_signed_cookie(name, default="", salt=DEVICE_SALT) or ""
    signed_in, _dot, device = known.partition(".")
    return device if signed_in == account else ""
