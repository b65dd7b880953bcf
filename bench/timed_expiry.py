"""The product's Celery application, in a worker that notes how long each batch of expiry takes.

`celery -A bench.timed_expiry worker`; a line of seconds a batch goes to the file TIMED_EXPIRY.
"""

import os
import time
from pathlib import Path
from typing import Any

from celery.signals import worker_init

from config.celery import app

__all__ = ["app"]


@worker_init.connect
def _watch(**_: Any) -> None:
    from reviews import services, tasks

    expire, notes = services.expire_due, Path(os.environ["TIMED_EXPIRY"])

    def timed(*, limit: int) -> int:
        started = time.monotonic()
        expired = expire(limit=limit)
        if expired:
            with notes.open("a") as lines:
                lines.write(f"{time.monotonic() - started}\n")
        return expired

    setattr(tasks, "expire_due", timed)  # noqa: B010  # a name that it only imports
