"""One subscription to the bus for the whole process, fanned out to whoever waits in it."""

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import redis.asyncio
from django.conf import settings

from delivery.bus import CHANNEL

logger = logging.getLogger(__name__)

RECONNECT_SECONDS = 1.0
QUIET_SECONDS = 15.0


class Listener:
    """Wakes waiters by topic, for whom a notice only means: look again."""

    def __init__(self) -> None:
        self._hearers: list[Callable[[dict[str, Any]], None]] = []
        self._missed: list[Callable[[], None]] = []
        self._waiters: defaultdict[str, set[Callable[[], None]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def pass_on(
        self, *, hear: Callable[[dict[str, Any]], None], missed: Callable[[], None] | None = None
    ) -> None:
        """Let `hear` get every notice whole; `missed` learns that some may have been lost."""
        self._hearers.append(hear)
        if missed is not None:
            self._missed.append(missed)

    def call_on(self, topic: str, wake: Callable[[], None]) -> None:
        """Ask to be woken. Do it before the first look: what happens after that wakes."""
        self._waiters[topic].add(wake)

    def no_more(self, topic: str, wake: Callable[[], None]) -> None:
        self._waiters[topic].discard(wake)
        if not self._waiters[topic]:
            del self._waiters[topic]

    def wake(self, topic: str) -> None:
        for wake in tuple(self._waiters.get(topic, ())):
            wake()

    def wake_everybody(self) -> None:
        for topic in list(self._waiters):
            self.wake(topic)

    def _take(self, notice: dict[str, Any]) -> None:
        self.wake(notice["topic"])
        for hear in self._hearers:
            hear(notice)

    async def _run(self) -> None:
        """Listen for ever; a lost connection means that everybody looks once more."""
        while True:
            try:
                await self._listen()
            except Exception as failure:  # noqa: BLE001  # if this ended, nobody would be woken again
                logger.warning("bus: not listening (%s), trying again", type(failure).__name__)
                self.wake_everybody()
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as bus:
                await bus.subscribe(CHANNEL)
                self.wake_everybody()
                for missed in self._missed:
                    missed()
                while True:
                    notice = await bus.get_message(timeout=QUIET_SECONDS)
                    if notice is None:
                        await bus.ping()  # finds a connection that died without a word
                    elif notice["type"] == "message":
                        for each in json.loads(notice["data"]):
                            self._take(each)
        finally:
            await client.aclose()
