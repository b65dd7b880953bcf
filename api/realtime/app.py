"""The realtime ASGI application: routes by path, and the process's lifespan."""

import asyncio
import logging
import re
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import FrameType
from typing import Any, Protocol

from api.call_log import call_log
from api.realtime.arrival import BodyTooSlowError, arrived
from api.realtime.messaging import Messaging
from api.realtime.sockets import Sockets
from api.realtime.wait import Waiting, send_json
from delivery.listener import Listener

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger(__name__)

SOCKETS = "/socket.io/"
WAIT = re.compile(r"/api/v1/reviews/([^/]+)/wait")
MESSAGING = re.compile(r"/api/messaging/channels/([^/]+)/messages")


class Neighbour(Protocol):
    """Another application that waits in this process: it has a path and shares the listener."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    def start(self, listener: Listener) -> None: ...

    def leave(self) -> None:
        """The process was told to stop: let go of clients now, the server waits for them."""

    async def stop(self) -> None: ...


class Realtime:
    """Serves what waits; hands the rest to `fallback`, or says that it is elsewhere."""

    def __init__(
        self,
        *,
        fallback: Application | None,
        neighbours: Mapping[str, Neighbour] | None = None,
    ) -> None:
        self.fallback = fallback
        self.neighbours = neighbours or {}
        self.sockets = Sockets()
        self.listener = Listener()
        self.listener.pass_on(hear=self.sockets.hear)
        self.waiting = Waiting(self.listener)
        self.messaging = Messaging(self.listener)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["path"].startswith(SOCKETS):
            await self._sockets(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in self.neighbours:
            await self.neighbours[scope["path"]](scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _sockets(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.sockets.app(scope, receive, send)
        except Exception as failure:  # noqa: BLE001  # a client's broken frame is no failure of ours
            logger.info("sockets: a connection ended: %s", type(failure).__name__)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = WAIT.fullmatch(scope["path"])
        if match and scope["method"] == "GET":
            await self.waiting.answer(match[1], scope, receive, send)
        elif (match := MESSAGING.fullmatch(scope["path"])) and scope["method"] == "POST":
            await self.messaging.answer(match[1], scope, receive, send)
        elif self.fallback is not None:
            await self._fall_back(self.fallback, scope, receive, send)
        else:
            await send_json(send, 404, {"detail": "served by the web process"})

    async def _fall_back(
        self, fallback: Application, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            whole = await arrived(receive)
        except BodyTooSlowError:
            await send_json(send, 408, {"detail": "the body did not arrive in time"})
        else:
            await fallback(scope, whole, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                self.listener.start()
                self.sockets.start()
                for neighbour in self.neighbours.values():
                    neighbour.start(self.listener)
                _also_on_signals(self.leave)
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                for neighbour in self.neighbours.values():
                    await neighbour.stop()
                await self.sockets.stop()
                await self.listener.stop()
                await asyncio.to_thread(
                    call_log.finish
                )  # the server ends by a signal, without more
                await send({"type": "lifespan.shutdown.complete"})
                return

    def leave(self) -> None:
        """The end begins. The server waits for open answers before it says so in the lifespan."""
        self.messaging.leave()
        for neighbour in self.neighbours.values():
            neighbour.leave()


def _also_on_signals(call: Callable[[], None]) -> None:
    """Call this in the loop, too, when a signal ends the server."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        _chain(number, lambda: loop.call_soon_threadsafe(call))


def _chain(number: signal.Signals, call: Callable[[], object]) -> None:
    servers_own = signal.getsignal(number)

    def handle(number: int, frame: FrameType | None) -> None:
        call()
        if callable(servers_own):
            servers_own(number, frame)

    signal.signal(number, handle)
