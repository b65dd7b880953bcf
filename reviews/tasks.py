"""The tick that closes what nobody answered."""

import logging

from celery import shared_task
from django.conf import settings

from delivery import faults
from reviews.services import expire_due

logger = logging.getLogger(__name__)


@shared_task(name="reviews.tick_expire")
def tick_expire(**_: object) -> None:
    expired = 0
    while batch := expire_due(limit=settings.EXPIRE_BATCH):
        expired += batch
        faults.hit("expire.after_commit")
    if expired:
        logger.info("tick: %d reviews expired", expired)
