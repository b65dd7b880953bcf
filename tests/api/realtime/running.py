"""The realtime application behind a real server on loopback, and a real Socket.IO client."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import socketio
import uvicorn

from api.realtime.app import Neighbour, Realtime
from tests.asgi import close_connections
from tests.polling import happens_within


class Running:
    """`with Running() as realtime:` serves until the block ends."""

    def __init__(self, neighbours: Mapping[str, Neighbour] | None = None) -> None:
        self.app = Realtime(fallback=None, neighbours=neighbours)
        config = uvicorn.Config(
            self.app, port=0, ws="websockets-sansio", lifespan="on", log_level="warning"
        )
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            self.loop = runner.get_loop()
            runner.run(self.server.serve())

    def __enter__(self) -> "Running":
        self._thread.start()
        assert happens_within(10, lambda: self.server.started)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.app.leave)  # as a signal would
        self.server.should_exit = True
        self._thread.join(timeout=20)
        close_connections()

    def do(self, coroutine: Any) -> Any:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=10)


@contextlib.contextmanager
def client(realtime: Running, **auth: str) -> Iterator[socketio.SimpleClient]:
    """A connected client; leaves when the block ends."""
    with socketio.SimpleClient(reconnection=False) as sio:
        sio.connect(realtime.url, namespace="/ws", auth=auth, transports=["websocket"])
        yield sio


def subscribe(sio: socketio.SimpleClient, *channel_ids: object) -> None:
    """Subscribe; events of one client are handled in their order, so the pong means it is done."""
    for channel_id in channel_ids:
        sio.emit("subscribe:channel", str(channel_id))
    assert settle(sio) == []


def settle(sio: socketio.SimpleClient) -> list[list[Any]]:
    """What came until everything sent so far was handled."""
    sio.emit("ping")
    return list(until(sio, "pong"))


def until(sio: socketio.SimpleClient, event: str) -> Iterator[list[Any]]:
    """Events before the named one."""
    while True:
        received = sio.receive(timeout=10)
        if received[0] == event:
            return
        yield received


def next_event(sio: socketio.SimpleClient) -> tuple[str, Any]:
    name, *data = sio.receive(timeout=10)
    return name, data[0] if data else None


def refusal(realtime: Running, auth: Any) -> str:
    """What a client is told that is not let in."""
    told: list[Any] = []
    sio = socketio.Client(reconnection=False)
    sio.on("connect_error", told.append, namespace="/ws")
    with pytest.raises(socketio.exceptions.ConnectionError):
        sio.connect(realtime.url, namespaces=["/ws"], auth=auth, transports=["websocket"])
    sio.disconnect()
    return str(told[0])
