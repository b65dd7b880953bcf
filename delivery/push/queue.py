"""What devices are to be told: stored, claimed by one sender at a time, and what came of it.

Best effort: a push that cannot be sent soon is dropped, and nothing waits for it.
"""

import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.encryption import UndecryptableError
from accounts.models import Membership
from delivery import egress
from delivery.backoff import next_delay, retry_after
from delivery.clock import ClockTimestamp, database_now
from delivery.models import Push, PushSubscription

logger = logging.getLogger(__name__)

SCHEDULE = (10.0, 60.0, 300.0)  # seconds between attempts
GONE = frozenset({404, 410})  # the service does not know this device any more (RFC 8030, 7.3)
WORTH_ANOTHER = frozenset({408, 425, 429, *range(500, 600)})
SEALED = (
    "payload",
    "subscription__endpoint",
    "subscription__auth",
    "subscription__key__private_key",
)


@dataclass(frozen=True)
class Notice:
    """What to tell one device about one thing."""

    subscription_id: uuid.UUID
    workspace_id: uuid.UUID
    about: uuid.UUID
    payload: str
    expires_at: datetime


def announce(notices: Iterable[Notice]) -> None:
    """Tell devices something new. What a device was told before it is not told again."""
    pushes = [Push(**vars(notice)) for notice in notices]
    Push.objects.bulk_create(pushes, ignore_conflicts=True)


def tell_again(notice: Notice) -> None:
    """Tell a device something once, whether or not it was told before."""
    fresh = {"is_last": True, "is_urgent": True, "attempts": 0, "due_at": timezone.now()}
    Push.objects.update_or_create(
        subscription_id=notice.subscription_id, about=notice.about, defaults=vars(notice) | fresh
    )


def followed() -> QuerySet[Push]:
    """What devices were told that something may follow."""
    return Push.objects.filter(is_last=False)


@transaction.atomic
def finish(endings: Mapping[uuid.UUID, str]) -> None:
    """Say the last word on these pushes, to devices that the first one may have reached.

    One that is in the air is not overtaken: the last word leaves when its outcome is known.
    """
    locked = followed().filter(pk__in=list(endings)).select_for_update(no_key=True)
    for push in locked.defer("payload").order_by("pk"):
        if push.sent_at is None and (push.attempts == 0 or push.due_at is None):
            push.delete()
            continue
        Push.objects.filter(pk=push.pk).update(
            payload=endings[push.pk],
            is_last=True,
            is_urgent=False,
            attempts=0,
            due_at=ClockTimestamp() if push.sent_at else push.due_at,
        )


def claim(*, limit: int) -> list[Push]:
    """Take up to `limit` pushes that are due. Who dies with them loses them after a while.

    The due time moves on before the work: what is not recorded is due again. Nobody hears of a
    workspace that they left.
    """
    now = database_now()
    due = Push.objects.filter(due_at__lte=now)
    if limit < 1 or not due.exists():  # a look without a lock
        return []
    with transaction.atomic():
        locked = due.select_for_update(skip_locked=True, no_key=True).order_by("due_at")
        ids = list(locked.values_list("pk", flat=True)[:limit])
        claimed = Push.objects.filter(pk__in=ids)
        _drop_unwanted(claimed, now)
        lease = timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)
        claimed.update(due_at=now + lease, attempts=F("attempts") + 1)
        return _loaded(claimed.select_related("subscription__key"))


def _drop_unwanted(pushes: QuerySet[Push], now: datetime) -> None:
    """What comes too late, and what is no business of the person any more."""
    member = Membership.objects.filter(
        user=OuterRef("subscription__user"), workspace=OuterRef("workspace"), user__is_active=True
    )
    pushes.filter(Q(is_last=False, expires_at__lte=now) | ~Exists(member)).delete()


def _loaded(pushes: QuerySet[Push]) -> list[Push]:
    """One row that no key opens does not keep the others back: each is then opened by itself."""
    try:
        return list(pushes)
    except UndecryptableError:
        return list(pushes.defer(*SEALED))


def record(push: Push, result: egress.Result, *, now: datetime) -> None:
    """Note what came of an attempt: sent, tried again later, given up, or a device that is gone."""
    if result.status in GONE:
        logger.info("push: device %s is gone (HTTP %s)", push.subscription_id, result.status)
        PushSubscription.objects.filter(pk=push.subscription_id).delete()
        return
    if not result.ok:
        reason = f"HTTP {result.status}" if result.status else result.error
        _failed(push, reason, due_at=_next_attempt(push, result, now))
    else:
        device = PushSubscription.objects.filter(pk=push.subscription_id)
        device.update(last_sent_at=now, last_error="")
        _mine(push).filter(is_last=True).delete()
        _mine(push).update(due_at=None, sent_at=now)
    _let_last_word_leave(push)


def give_up(push: Push, reason: str) -> None:
    """Note that an attempt could not be made, and that another one would not be, either."""
    _failed(push, reason, due_at=None)
    _let_last_word_leave(push)


def _failed(push: Push, reason: str, *, due_at: datetime | None) -> None:
    """Try again at that time. Without one nothing is sent, and nothing follows a last word."""
    device = PushSubscription.objects.filter(pk=push.subscription_id)
    device.update(last_error=reason[:300])
    logger.info("push: device %s, attempt %d: %s", push.subscription_id, push.attempts, reason)
    _mine(push).update(due_at=due_at)
    _mine(push).filter(is_last=True, due_at=None).delete()


def _let_last_word_leave(push: Push) -> None:
    """It may have come meanwhile, and waited for this outcome."""
    Push.objects.filter(pk=push.pk, is_last=True, attempts=0).update(due_at=ClockTimestamp())


def _mine(push: Push) -> QuerySet[Push]:
    """The row as it was claimed; a last word that came meanwhile is another attempt's."""
    return Push.objects.filter(pk=push.pk, is_last=push.is_last, attempts=push.attempts)


def _next_attempt(push: Push, result: egress.Result, now: datetime) -> datetime | None:
    """When to try again; None if that would change nothing or come too late."""
    if result.status is not None and result.status not in WORTH_ANOTHER:
        return None
    wish = retry_after(result.retry_after, now=now)
    delay = next_delay(SCHEDULE, attempts=push.attempts, overloaded=result.overloaded, wish=wish)
    return now + delay if delay and now + delay < push.expires_at else None
