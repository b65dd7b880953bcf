"""Waking a worker once a file is stored. A lost hint costs at most one tick."""

from functools import partial

from celery import current_app
from django.db import transaction

from delivery.publishing import Publisher

HINT_LIVES_SECONDS = 30

_publisher = Publisher("previews")


def wake_after_commit() -> None:
    """`robust`: a broker that is down must not make a stored file look like a failure."""
    transaction.on_commit(partial(_publisher.publish, _publish), robust=True)


def _publish() -> None:
    current_app.send_task(
        "attachments.make_previews", expires=HINT_LIVES_SECONDS, retry=False, ignore_result=True
    )
