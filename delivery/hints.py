"""Waking a worker after commit. A lost hint costs at most one tick."""

import uuid
from functools import partial

from celery import current_app
from django.db import transaction

from delivery.pause import Pause

HINT_LIVES_SECONDS = 30

_pause = Pause("wake")


def wake_after_commit(lane_id: uuid.UUID) -> None:
    """Ask a worker to look at a lane once the transaction is in.

    `robust` matters: without it a broker that is down raises after the commit, the caller sees a
    failure, repeats the call, and posts twice.
    """
    transaction.on_commit(partial(_pause.attempt, partial(_publish, lane_id)), robust=True)


def _publish(lane_id: uuid.UUID) -> None:
    current_app.send_task(
        "delivery.wake",
        kwargs={"lane_id": str(lane_id)},
        expires=HINT_LIVES_SECONDS,
        retry=False,
        ignore_result=True,
    )
