"""What Celery may ask for: safe to run twice, late or never."""

import logging
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from api.archive_files import ArchiveError
from api.archiving import remove_messages
from api.calls import forget_calls
from api.people.tokens import forget_tokens

logger = logging.getLogger(__name__)

MOST_MESSAGES = 5000


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


@shared_task(name="api.tick_remove_messages")
def tick_remove_messages(**_: object) -> None:
    """Old messages go, where the operator set an age; into the archive first, if there is one."""
    if not settings.MESSAGES_KEPT:
        return
    now, folder = timezone.now(), settings.MESSAGES_ARCHIVE
    try:
        removed = remove_messages(
            before=now - settings.MESSAGES_KEPT,
            now=now,
            folder=Path(folder) if folder else None,
            most=MOST_MESSAGES,
        )
    except (ArchiveError, OSError) as failure:
        logger.error("tick: nothing more is archived or deleted: %s", failure)  # noqa: TRY400  # it says all
        return
    if removed.messages:
        logger.info("tick: %d old messages removed", removed.messages)
