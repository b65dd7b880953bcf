"""Posts requests for approval as fast as they are answered.

`python -m bench.saturate PORT KEY CHANNEL` says "warm" once each connection was answered, goes on
until a line comes or 60 seconds are over, and prints how many a second were answered since.
"""

import asyncio
import contextlib
import json
import sys
import time

CLIENTS = 32
LONGEST = 60
STARTING = 30


class Load:
    """Connections that post without a pause."""

    def __init__(self, port: int, key: str, channel: str) -> None:
        review = {"type": "approval", "payload": {"options": ["approve", "reject"]}}
        body = json.dumps({"channelId": channel, "text": "Deploy?", "review": review})
        self._call = (
            f"POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        ).encode()
        self._port = port
        self.answered = 0

    async def post_for_ever(self) -> None:
        reader, writer = await self._connected()
        while True:
            writer.write(self._call)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 201"):
                raise RuntimeError(head.decode())
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            self.answered += 1

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        until = time.monotonic() + STARTING
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.sleep(0.1)
        raise TimeoutError("no web process")


async def run(port: int, key: str, channel: str) -> None:
    load = Load(port, key, channel)
    async with asyncio.TaskGroup() as group:
        posting = [group.create_task(load.post_for_ever()) for _ in range(CLIENTS)]
        while load.answered < 4 * CLIENTS:
            await asyncio.sleep(0.05)
        print("warm", flush=True)
        started, first = time.monotonic(), load.answered
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):
                await line()
        print((load.answered - first) / (time.monotonic() - started))
        for each in posting:
            each.cancel()


async def line() -> None:
    reader, loop = asyncio.StreamReader(), asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.readline()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), *sys.argv[2:]))
