"""Few turns of threads for many calls: what is asked for at the same moment is asked together."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from delivery.threads import in_thread

LARGEST_TURN = 200  # others wait for its end


class Turns[Asked, Told]:
    """What comes while a turn is taken is served by the next one, all of it together.

    A turn sees everything that happened before its items came.
    """

    def __init__(self, serve: Callable[[Sequence[Asked]], Sequence[Told | Exception]]) -> None:
        """`serve` runs in a thread; it tells for each item what it found, or what is wrong."""
        self._serve = serve
        self._waiting: deque[tuple[Asked, asyncio.Future[Told]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def join(self, item: Asked) -> Told:
        """Raises: what is wrong with this item, or with the whole turn."""
        told: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, told))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await told

    async def _run(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), LARGEST_TURN)
                await self._turn([self._waiting.popleft() for _ in range(size)])
        finally:
            self._running = None

    async def _turn(self, some: Sequence[tuple[Asked, asyncio.Future[Told]]]) -> None:
        found: Sequence[Told | Exception]
        try:
            found = await in_thread(self._serve, [item for item, _ in some])
        except Exception as failure:  # noqa: BLE001  # each of them says what it makes of it
            found = [failure] * len(some)
        for (_, told), result in zip(some, found, strict=True):
            if told.done():  # its client has left
                continue
            if isinstance(result, Exception):
                told.set_exception(result)
            else:
                told.set_result(result)
