"""Publish and subscribe on Redis: thin notices for whoever waits. Losing one costs a look."""

import functools
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import transaction

from delivery.publishing import Publisher

CHANNEL = "licet:bus"
SENT_AT_ONCE = 500
MOST_NOTICES = 20_000  # a transaction may close thousands of reviews

publisher = Publisher("bus")
_notices: deque[bytes] = deque(maxlen=MOST_NOTICES)


@functools.cache
def client() -> "redis.Redis":
    """The process's connection pool to Redis, bounded in how long it may wait."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=0.5, health_check_interval=15
    )


def publish_after_commit(topic: str, **about: Any) -> None:
    """Tell everybody who listens to `topic`, once the transaction is in."""
    notice = orjson.dumps({"topic": topic, **about})
    transaction.on_commit(partial(_publish, notice), robust=True)


def _publish(notice: bytes) -> None:
    _notices.append(notice)
    publisher.publish(send_notices)


def send_notices() -> None:
    """Send what waits, if anything does."""
    if messages := waiting_messages():
        pipe = client().pipeline(transaction=False)
        for message in messages:
            pipe.publish(CHANNEL, message)
        pipe.execute()


def waiting_messages() -> list[bytes]:
    """What waits, for somebody who sends it with other things: many notices in few messages."""
    messages = []
    while _notices:
        size = min(len(_notices), SENT_AT_ONCE)
        messages.append(message_of(_notices.popleft() for _ in range(size)))
    return messages


def message_of(notices: Iterable[bytes]) -> bytes:
    """What goes over the bus."""
    return b"[" + b",".join(notices) + b"]"
