"""Bodies arrive before a thread is asked to read them."""

import asyncio
from typing import Any

import pytest

from api.realtime.arrival import HELD_BYTES, BodyTooSlowError, arrived


class Client:
    """Sends chunks, then nothing any more."""

    def __init__(self, *chunks: bytes, more: bool) -> None:
        self.chunks, self.more = list(chunks), more
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        if self.taken == len(self.chunks):
            await asyncio.Event().wait()
        self.taken += 1
        last = self.taken == len(self.chunks)
        body = self.chunks[self.taken - 1]
        return {"type": "http.request", "body": body, "more_body": self.more or not last}


async def read_all(receive: Any) -> bytes:
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body", False):
            return bytes(body)


def test_whole_body_is_passed_on() -> None:
    async def run() -> bytes:
        return await read_all(await arrived(Client(b"a", b"b", b"c", more=False).receive))

    assert asyncio.run(run()) == b"abc"


def test_body_that_stops_is_refused_before_a_thread_sees_it() -> None:
    with pytest.raises(BodyTooSlowError):
        asyncio.run(arrived(Client(b"{", more=True).receive, seconds=0.05))


def test_large_body_goes_on_arriving_while_it_is_read() -> None:
    client = Client(b"x" * HELD_BYTES, b"y", more=False)

    async def run() -> tuple[int, bytes]:
        receive = await arrived(client.receive)
        before = client.taken
        return before, await read_all(receive)

    before, body = asyncio.run(run())
    assert before == 1
    assert body.endswith(b"xy")


def test_large_body_that_stops_ends_the_request() -> None:
    async def run() -> bytes:
        large = Client(b"x" * HELD_BYTES, more=True)
        return await read_all(await arrived(large.receive, seconds=0.05))

    assert len(asyncio.run(run())) == HELD_BYTES
