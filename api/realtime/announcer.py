"""Passing notices of the bus on to the sockets of this process."""

import asyncio
import logging
import time
from collections import deque
from typing import Any

from socketio import AsyncServer

from api.placet.events import payload_of
from delivery.threads import in_thread

logger = logging.getLogger(__name__)

LONGEST_BACKLOG = 1000
QUIET_SECONDS = 60.0

type Notice = dict[str, Any]


class Announcer:
    """Tells local sockets what happened, in order for each channel.

    A notice nobody here would hear is dropped before anything is loaded. A channel whose events
    come faster than they can be loaded loses the oldest ones, never memory.
    """

    def __init__(self, server: AsyncServer, namespace: str) -> None:
        self._server, self._namespace = server, namespace
        self._backlogs: dict[str, deque[Notice]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._complained_at = -QUIET_SECONDS

    def take(self, notice: Notice) -> None:
        """Accept a notice; never waits."""
        if not self._has_listeners(notice["rooms"]):
            return
        order = notice["rooms"][0]
        backlog = self._backlogs.get(order)
        if backlog is None:
            backlog = self._backlogs[order] = deque(maxlen=LONGEST_BACKLOG)
            task = asyncio.create_task(self._drain(order, backlog))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif len(backlog) == LONGEST_BACKLOG:
            self._complain(f"{order} is too busy, its oldest event is left out")
        backlog.append(notice)

    def _has_listeners(self, rooms: list[str]) -> bool:
        return any(self._server.manager.get_participants(self._namespace, rooms))

    async def _drain(self, order: str, backlog: deque[Notice]) -> None:
        while backlog:
            notice = backlog.popleft()
            try:
                await self._emit(notice)
            except Exception as failure:  # noqa: BLE001  # the next event must go out all the same
                self._complain(f"{notice['event']} was not told: {type(failure).__name__}")
        del self._backlogs[order]

    async def _emit(self, notice: Notice) -> None:
        event = notice["event"]
        payload = notice.get("data")
        if payload is None:
            payload = await in_thread(payload_of, event, notice["id"])
        if payload is not None:
            await self._server.emit(event, payload, room=notice["rooms"], namespace=self._namespace)

    def _complain(self, text: str) -> None:
        """At most one line a minute: what repeats says nothing new."""
        now = time.monotonic()
        if now - self._complained_at >= QUIET_SECONDS:
            self._complained_at = now
            logger.warning("sockets: %s", text)
