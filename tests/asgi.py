"""One call of an ASGI application, without a server around it."""

import asyncio
import json
import threading
from typing import Any
from urllib.parse import urlsplit

from django.db import connection

from api.realtime.app import Realtime
from delivery.threads import pool


def get(app: Realtime, address: str, headers: dict[str, str]) -> tuple[int, Any]:
    """GET an address; returns status and decoded JSON."""
    try:
        return asyncio.run(call(app, address, headers))
    finally:
        close_connections()


def close_connections() -> None:
    """Each thread of the pool closes its own connection, or a test database cannot be dropped."""
    threads = len(pool._threads)
    together = threading.Barrier(threads) if threads else None

    def close() -> None:
        assert together is not None
        together.wait()
        connection.close()

    for closed in [pool.submit(close) for _ in range(threads)]:
        closed.result()


async def call(app: Realtime, address: str, headers: dict[str, str]) -> tuple[int, Any]:
    parts = urlsplit(address)
    sent: list[Any] = []
    forever = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await forever.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": parts.path,
        "query_string": parts.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])
