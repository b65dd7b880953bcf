"""One open stream: frames to a browser that may be slow, and every way to end."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from enum import StrEnum
from typing import Any

from web.stream import frames
from web.stream.admission import Visitor

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_WAITING = 256
LAST_SECONDS = 2.0


class End(StrEnum):
    """Why a stream ended; a client learns it with `bye`."""

    AGE = "age"
    DEPLOY = "deploy"
    SIGNED_OUT = "signed-out"
    TOO_MANY = "too-many"
    SLOW = "slow"


# Milliseconds until the client comes back, drawn at random: after a deploy not all at once.
PAUSES: dict[End, tuple[int, int]] = {
    End.AGE: (100, 2000),
    End.DEPLOY: (500, 5000),
    End.SIGNED_OUT: (5000, 10_000),
    # The oldest tab made room. Back at once it would push out the next one, and so on for ever.
    End.TOO_MANY: (60_000, 60_000),
    End.SLOW: (500, 5000),
}


class Stream:
    """Frames wait in a short line, which a task works off only while there is one.

    Whoever does not read fills the line, and is ended then.
    """

    __slots__ = ("_flusher", "_limit", "_line", "_send", "ending", "is_open", "visitor")

    def __init__(self, visitor: Visitor, send: Send) -> None:
        self.visitor = visitor
        self.is_open = False
        self.ending: End | None = None
        self._send = send
        self._line: deque[bytes] = deque()
        self._flusher: asyncio.Task[None] | None = None
        self._limit: asyncio.Timeout | None = None

    def open(self, *first: bytes) -> None:
        """From here on, events are for this stream, too."""
        self.is_open = True
        self._put_all(*first)

    def put(self, frame: bytes) -> None:
        """Never waits."""
        if not self.is_open or self.ending is not None:
            return
        if len(self._line) >= MOST_WAITING:
            self.end(End.SLOW)
        else:
            self._put_all(frame)

    def beat(self) -> None:
        """A sign of life, unless others wait to be sent."""
        if not self._line:
            self.put(frames.HEARTBEAT)

    def end(self, reason: End) -> None:
        if self.ending is None:
            self.ending = reason
            if self._limit is not None and not self._limit.expired():
                self._limit.reschedule(asyncio.get_running_loop().time())

    async def serve(self, receive: Receive, *, seconds: float) -> None:
        """Until the client leaves, the time is up, or somebody ends it."""
        try:
            async with asyncio.timeout(0 if self.ending else seconds) as self._limit:
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            await self._say_bye()
        finally:
            self._limit = None
            self.end(End.AGE)
            if self._flusher is not None:
                self._flusher.cancel()

    def _put_all(self, *waiting: bytes) -> None:
        self._line.extend(waiting)
        if self._flusher is None and self._line:
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._line:
                body = b"".join(self._line)
                self._line.clear()
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
        except OSError:
            return  # it left, and `serve` learns that
        finally:
            self._flusher = None

    async def _say_bye(self) -> None:
        reason = self.ending or End.AGE
        self.ending = reason
        bye = frames.bye(reason, retry_ms=random.randint(*PAUSES[reason]))  # noqa: S311  # no secret
        try:
            async with asyncio.timeout(LAST_SECONDS):
                if self._flusher is not None:
                    await asyncio.wait([self._flusher])
                await self._send({"type": "http.response.body", "body": bye, "more_body": False})
        except (TimeoutError, OSError):
            return
