"""The realtime ASGI application: routes by path, and the process's lifespan."""

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from api.realtime.arrival import BodyTooSlowError, arrived
from api.realtime.listener import Listener
from api.realtime.sockets import Sockets
from api.realtime.wait import Waiting, send_json

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

logger = logging.getLogger(__name__)

SOCKETS = "/socket.io/"
WAIT = re.compile(r"/api/v1/reviews/([^/]+)/wait")


class Realtime:
    """Serves what waits; hands the rest to `fallback`, or says that it is elsewhere."""

    def __init__(self, *, fallback: Application | None) -> None:
        self.fallback = fallback
        self.sockets = Sockets()
        self.listener = Listener(hear=self.sockets.hear)
        self.waiting = Waiting(self.listener)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["path"].startswith(SOCKETS):
            await self._sockets(scope, receive, send)
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
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                await self.sockets.stop()
                await self.listener.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return
