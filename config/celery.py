"""The Celery application: hints and ticks, nothing that must happen.

The database decides what is due; a lost, late or doubled message changes no promise. Hence no
eta, no countdown, no retries and no results anywhere.
"""

import logging.config
import os

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready
from django.conf import settings

# With this, Celery sets Django up in a worker before it imports tasks.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

TICK_SECONDS = 2.0


def _broker_url() -> str:
    """Kombu spells Redis on a unix socket `redis+socket://`."""
    return settings.REDIS_URL.replace("unix://", "redis+socket://", 1)


app = Celery("licet", broker=_broker_url())
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    task_acks_on_failure_or_timeout=True,
    task_publish_retry=False,
    task_default_queue="licet",
    task_serializer="json",
    accept_content=["json"],
    # Tasks only wake the engine or sweep in short batches. Time limits and limits on children
    # would be for a pool of processes; ours is one of threads, and what sends bounds itself.
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=20,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a broker may be away for a day
    broker_transport_options={
        "socket_timeout": 1,
        "socket_connect_timeout": 0.5,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "visibility_timeout": 120,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "global_keyprefix": "licet:celery:",
    },
    beat_schedule={
        name: {"task": name, "schedule": TICK_SECONDS, "options": {"expires": TICK_SECONDS}}
        for name in ("delivery.tick_deliver", "reviews.tick_expire", "web.tick_notify")
    }
    | {
        "inbox.tick_streams": {"task": "inbox.tick_streams", "schedule": 30.0},
        "inbox.tick_forget": {
            "task": "inbox.tick_forget",
            "schedule": 600.0,
            "options": {"expires": 600.0},
        },
        "api.tick_remove_messages": {
            "task": "api.tick_remove_messages",
            "schedule": 600.0,
            "options": {"expires": 600.0},
        },
        "attachments.tick_previews": {
            "task": "attachments.tick_previews",
            "schedule": 5.0,
            "options": {"expires": 5.0},
        },
        "attachments.tick_remove_objects": {
            "task": "attachments.tick_remove_objects",
            "schedule": 5.0,
            "options": {"expires": 5.0},
        },
        "attachments.tick_discard_edits": {
            "task": "attachments.tick_discard_edits",
            "schedule": 600.0,
            "options": {"expires": 600.0},
        },
        "attachments.tick_sweep": {
            "task": "attachments.tick_sweep",
            "schedule": 1800.0,
            "options": {"expires": 1800.0},
        },
        "delivery.tick_housekeep": {"task": "delivery.tick_housekeep", "schedule": 60.0},
        "api.tick_forget_calls": {"task": "api.tick_forget_calls", "schedule": 60.0},
        "accounts.tick_forget_sessions": {
            "task": "accounts.tick_forget_sessions",
            "schedule": 3600.0,
            "options": {"expires": 3600.0},
        },
        "api.tick_forget_tokens": {"task": "api.tick_forget_tokens", "schedule": 600.0},
    },
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


@setup_logging.connect
def _log_as_everywhere(**_: object) -> None:
    """Celery would bring its own handlers and format."""
    logging.config.dictConfig(settings.LOGGING)
