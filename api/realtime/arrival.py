"""Requests for the web application, let in once their body has arrived.

A thread that waits for a slow client's body serves nobody else, and there are few threads. So a
body is received here, where waiting costs nothing; one that is larger than `HELD_BYTES` goes on
arriving while it is read, with a limit on every pause.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

type Event = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Event]]

HELD_BYTES = 1024 * 1024 + 1
BODY_SECONDS = 30.0


class BodyTooSlowError(Exception):
    """The body did not arrive in time."""


async def arrived(receive: Receive, *, seconds: float = BODY_SECONDS) -> Receive:
    """Receive the body, or its first mebibyte. Returns what to read it from.

    Raises: BodyTooSlowError.
    """
    held: list[Event] = []
    size, complete = 0, False
    try:
        async with asyncio.timeout(seconds):
            while not complete and size < HELD_BYTES:
                event = await receive()
                held.append(event)
                size += len(event.get("body", b""))
                complete = not event.get("more_body", False)
    except TimeoutError:
        raise BodyTooSlowError from None
    return _replay(held, receive, seconds)


def _replay(held: list[Event], receive: Receive, seconds: float) -> Receive:
    waiting = iter(held)

    async def next_event() -> Event:
        event = next(waiting, None)
        if event is not None:
            return event
        try:
            async with asyncio.timeout(seconds):
                return await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}

    return next_event
