"""Writes about a person's sessions: seen, and ended."""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import DatabaseError

from accounts.models import Session

logger = logging.getLogger(__name__)

SEEN_PRECISION = timedelta(minutes=5)
# What the bus calls it when sessions of a person ended.
TOPIC = "sessions"


def note_seen(session: Session, *, address: str, now: datetime) -> None:
    """Remember that a session is used, at most once in five minutes. Never fails a request."""
    if session.last_seen_at > now - SEEN_PRECISION:
        return
    stale = Session.objects.filter(pk=session.pk, last_seen_at__lte=now - SEEN_PRECISION)
    try:
        stale.update(last_seen_at=now, address=address)
    except DatabaseError as failure:
        logger.warning("a session's use was not noted: %s", type(failure).__name__)


def delete_sessions(sessions: Iterable[Session]) -> list[uuid.UUID]:
    """End sessions. Returns the devices that were notified in them."""
    rows = list(sessions)
    Session.objects.filter(pk__in=[each.pk for each in rows]).delete()
    return [each.push_device for each in rows if each.push_device]
