"""Keys that were good a moment ago: a burst of calls with one key costs one look at the database.

A key that is revoked or changed in this process stops here at once. Other processes look again
after `TRUSTED_SECONDS`, which is how long a key may outlive its end there. When a key expires is
known beforehand, and no moment is added to that.
"""

import time
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts.models import ApiKey, hash_key
from accounts.queries import key_for_clear_text

TRUSTED_SECONDS = 0.5
MOST_REMEMBERED = 10_000

_good: dict[str, tuple[ApiKey, float]] = {}


def key_good_lately(clear: str, *, now: datetime) -> ApiKey | None:
    """The usable key for what a caller showed, as it was found half a second ago at most, or is."""
    hashed = hash_key(clear)
    known, until = _good.get(hashed, (None, 0.0))
    if known is not None and until > time.monotonic() and known.works_at(now):
        return known
    found = key_for_clear_text(clear, now=now)
    if found is not None:
        if len(_good) >= MOST_REMEMBERED:
            _good.clear()
        _good[hashed] = found, time.monotonic() + TRUSTED_SECONDS
    return found


def forget_keys() -> None:
    """Now, and once the change is in: meanwhile somebody may have read a row as it was."""
    _good.clear()
    transaction.on_commit(_good.clear, robust=True)


@receiver(post_save, sender=ApiKey)
@receiver(post_delete, sender=ApiKey)
def _key_changed(**_: Any) -> None:
    forget_keys()
