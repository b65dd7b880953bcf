"""Publish and subscribe on Redis: thin notices for whoever waits. Losing one costs a look."""

import functools
import json
from functools import partial
from typing import Any

import redis
from django.conf import settings
from django.db import transaction

from delivery.publishing import Publisher

CHANNEL = "licet:bus"

publisher = Publisher("bus")


@functools.cache
def client() -> "redis.Redis":
    """The process's connection pool to Redis, bounded in how long it may wait."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=0.5, health_check_interval=15
    )


def publish_after_commit(topic: str, **about: Any) -> None:
    """Tell everybody who listens to `topic`, once the transaction is in."""
    notice = json.dumps({"topic": topic, **about})
    transaction.on_commit(partial(publisher.publish, partial(_publish, notice)), robust=True)


def _publish(notice: str) -> None:
    client().publish(CHANNEL, notice)
