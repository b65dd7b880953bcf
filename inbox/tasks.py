"""What Celery may ask for: safe to run twice, late or never."""

import logging

from celery import shared_task
from django.utils import timezone

from inbox.retention import forget_old
from inbox.services.streams import give_up_stale_streams

logger = logging.getLogger(__name__)


@shared_task(name="inbox.tick_streams")
def tick_streams(**_: object) -> None:
    ended = give_up_stale_streams(now=timezone.now(), limit=200)
    if ended:
        logger.info("tick: gave up %d stale drafts", ended)


@shared_task(name="inbox.tick_forget")
def tick_forget(**_: object) -> None:
    done = forget_old(now=timezone.now())
    if any(done.values()):
        logger.info("tick: forgot %s", done)
