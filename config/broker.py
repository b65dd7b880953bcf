"""What workers and their clock agree on: the broker, when which tick is due, and how they log."""

import logging.config
import os

from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

TICK_SECONDS = 2.0


def _unless_late(task: str, seconds: float) -> dict[str, dict[str, object]]:
    """A tick that found no worker in time is left out: the next one does its work."""
    return {task: {"task": task, "schedule": seconds, "options": {"expires": seconds}}}


SCHEDULE = (
    _unless_late("delivery.tick_deliver", TICK_SECONDS)
    | _unless_late("reviews.tick_expire", TICK_SECONDS)
    | _unless_late("web.tick_notify", TICK_SECONDS)
    | _unless_late("attachments.tick_previews", 5.0)
    | _unless_late("attachments.tick_remove_objects", 5.0)
    | _unless_late("inbox.tick_forget", 600.0)
    | _unless_late("api.tick_remove_messages", 600.0)
    | _unless_late("attachments.tick_discard_edits", 600.0)
    | _unless_late("attachments.tick_sweep", 1800.0)
    | _unless_late("accounts.tick_forget_sessions", 3600.0)
    | {
        "inbox.tick_streams": {"task": "inbox.tick_streams", "schedule": 30.0},
        "delivery.tick_housekeep": {"task": "delivery.tick_housekeep", "schedule": 60.0},
        "api.tick_forget_calls": {"task": "api.tick_forget_calls", "schedule": 60.0},
        "api.tick_forget_tokens": {"task": "api.tick_forget_tokens", "schedule": 600.0},
    }
)


def broker_url() -> str:
    """Kombu spells Redis on a unix socket `redis+socket://`."""
    return settings.REDIS_URL.replace("unix://", "redis+socket://", 1)


AGREED = {
    "broker_url": broker_url(),
    "task_publish_retry": False,
    "task_default_queue": "licet",
    "task_serializer": "json",
    "accept_content": ["json"],
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # a broker may be away for a day
    "broker_transport_options": {
        "socket_timeout": 1,
        "socket_connect_timeout": 0.5,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "visibility_timeout": 120,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "global_keyprefix": "licet:celery:",
    },
    "beat_schedule": SCHEDULE,
}


@setup_logging.connect
def _log_as_everywhere(**_: object) -> None:
    """Celery would bring its own handlers and format."""
    logging.config.dictConfig(settings.LOGGING)
