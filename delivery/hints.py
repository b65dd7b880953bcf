"""Waking a worker after commit. A lost hint costs at most one tick."""

from functools import partial

from celery import current_app
from django.db import transaction

from delivery import faults
from delivery.publishing import Publisher

HINT_LIVES_SECONDS = 30

_publisher = Publisher("wake")


def wake_after_commit() -> None:
    """Ask a worker to look at what is due once the transaction is in.

    `robust` matters: without it a broker that is down raises after the commit, the caller sees a
    failure, repeats the call, and posts twice.
    """
    transaction.on_commit(partial(_publisher.publish, _publish), robust=True)


def _publish() -> None:
    faults.hit("hint.before_publish")
    current_app.send_task(
        "delivery.wake",
        expires=HINT_LIVES_SECONDS,
        retry=False,
        ignore_result=True,
    )
