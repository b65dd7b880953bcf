"""What Celery may ask for: safe to run twice, late or never."""

import logging

from celery import shared_task
from django.utils import timezone

from api.calls import forget_calls
from api.people.tokens import forget_tokens

logger = logging.getLogger(__name__)


@shared_task(name="api.tick_forget_calls")
def tick_forget_calls(**_: object) -> None:
    forgotten = forget_calls(timezone.now())
    if forgotten:
        logger.info("tick: %d calls forgotten", forgotten)


@shared_task(name="api.tick_forget_tokens")
def tick_forget_tokens(**_: object) -> None:
    forgotten = forget_tokens(timezone.now())
    if forgotten:
        logger.info("tick: %d tokens forgotten", forgotten)
