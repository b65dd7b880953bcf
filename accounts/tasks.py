"""What Celery may ask for: safe to run twice, late or never."""

import logging

from celery import shared_task
from django.utils import timezone

from accounts.sessions import forget_expired

logger = logging.getLogger(__name__)


@shared_task(name="accounts.tick_forget_sessions")
def tick_forget_sessions(**_: object) -> None:
    forgotten = forget_expired(timezone.now())
    if forgotten:
        logger.info("tick: %d expired sessions removed", forgotten)
