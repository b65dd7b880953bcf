"""The Celery application: hints and ticks, nothing that must happen.

The database decides what is due; a lost, late or doubled message changes no promise. Hence no
eta, no countdown, no retries and no results anywhere.
"""

import os

from celery import Celery
from celery.signals import worker_init, worker_ready

from config.broker import AGREED

# With this, Celery sets Django up in a worker before it imports tasks.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# `setup` has checked everything; once more, each worker would load all pages to check their paths.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("licet")
app.conf.update(
    AGREED,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    task_acks_on_failure_or_timeout=True,
    # Tasks only wake the engine or sweep in short batches. Time limits and limits on children
    # would be for a pool of processes; ours is one of threads, and what sends bounds itself.
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=20,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
)
app.autodiscover_tasks(["delivery", "reviews", "inbox", "attachments", "api", "web", "accounts"])


@worker_init.connect
def _tick_without_a_broker(**_: object) -> None:
    from config.pulse import start_pulse

    start_pulse()


@worker_ready.connect
def _watch_over_the_worker(**_: object) -> None:
    from delivery.beats import start_watch

    start_watch()
