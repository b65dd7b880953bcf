"""1,000 `sync` calls wait for their agents in one process, which answers the API meanwhile.

Starts a Valkey and one process that serves everything on one port. Printed: what another call takes
before and while they wait, memory for each waiting call, statements while nothing happens, and the
time from a reply's commit to the last byte of the answer, with yardsticks of the same minute. Takes
about half a minute and stops by itself. `bench.stage` says how another database is chosen.
"""

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from bench.hold_waiters import figures, realtime, settled
from bench.stage import stage, yardsticks

WAITERS, KEYS, OTHERS = 1000, 20, 300
OPENED_A_SECOND, REPLIES_A_SECOND = 400, 200
HELD_SECONDS = 4


def main() -> None:
    with contextlib.ExitStack() as running:
        running.enter_context(stage(ONE_PORT="on", API_LOG="off"))
        agents = seed()
        yardsticks()
        port = running.enter_context(realtime())
        asyncio.run(measure(port, agents))


def seed() -> list[tuple[str, str, str]]:
    """Agents, each in a workspace of its own: channel, workspace and key."""
    from django.utils import timezone

    from accounts.models import Workspace
    from accounts.services import issue_key
    from inbox.services.channels import create_channel

    agents = []
    for number in range(KEYS):
        workspace = Workspace.objects.create(name=f"Bench {number}")
        channel = create_channel(workspace=workspace, name="Bench", now=timezone.now())
        key = issue_key(workspace=workspace, created_by=None, label="B").clear
        agents.append((str(channel.pk), str(workspace.pk), key))
    return agents


@dataclass
class Callers:
    """Open calls, and what came of them (CLOCK_MONOTONIC, nanoseconds)."""

    port: int
    answered: dict[str, int] = field(default_factory=dict)
    without: int = 0

    async def ask(self, channel: str, workspace: str, key: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = json.dumps(
            {
                "author_id": workspace,
                "message_server_id": workspace,
                "content": "Ship it?",
                "mode": "sync",
            }
        )
        head = (
            f"POST /api/messaging/channels/{channel}/messages HTTP/1.1\r\nhost: localhost\r\n"
            f"x-api-key: {key}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        writer.write((head + body).encode())
        told = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(told.split(b"content-length: ")[1].split(b"\r\n")[0])
        answer: dict[str, Any] = json.loads(await reader.readexactly(length))["data"]
        if answer["metadata"]["reply"] is None:
            self.without += 1
        else:
            self.answered[answer["id"]] = time.monotonic_ns()
        writer.close()


async def measure(port: int, agents: list[tuple[str, str, str]]) -> None:
    key = agents[0][2]
    await asyncio.to_thread(others, port, key)  # warm
    print(f"GET /api/v1/agents, nobody waits: {await asyncio.to_thread(others, port, key)}")
    before, callers, calls = await asyncio.to_thread(figures, port), Callers(port), []
    started = time.monotonic()
    for number in range(WAITERS):
        calls.append(asyncio.create_task(callers.ask(*agents[number % KEYS])))
        if number % (OPENED_A_SECOND // 20) == 0:
            await asyncio.sleep(0.05)
    opened = await settled(port)
    print(f"held: {WAITERS} sync calls, stored in {time.monotonic() - started - 0.5:.1f} s")
    memory = (opened["resident_kb"] - before["resident_kb"]) / WAITERS
    print(f"memory: {opened['resident_kb'] / 1024:.0f} MB resident, {memory:.1f} KB a call")
    await asyncio.sleep(HELD_SECONDS)
    held = await asyncio.to_thread(figures, port)
    sent = held["statements"] - opened["statements"]
    busy = held["cpu_seconds"] - opened["cpu_seconds"]
    print(f"held for {HELD_SECONDS} s: {sent:.0f} statements, {busy:.2f} s of CPU")
    print(f"GET /api/v1/agents, {WAITERS} wait: {await asyncio.to_thread(others, port, key)}")
    await answer(callers, calls)


def others(port: int, key: str) -> str:
    """What another call takes, one after the other."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/agents", headers={"x-api-key": key}
    )
    taken = []
    for _ in range(OTHERS):
        began = time.monotonic_ns()
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310  # loopback
            response.read()
        taken.append((time.monotonic_ns() - began) / 1e6)
    taken.sort()
    return f"p50 {statistics.median(taken):.1f} ms, p99 {taken[len(taken) * 99 // 100]:.1f} ms"


async def answer(callers: Callers, calls: list[Any]) -> None:
    """Have another process reply, and compare its times of commit with ours of arrival."""
    asked = await asyncio.to_thread(questions)
    command = [sys.executable, "-m", "bench.reply", str(REPLIES_A_SECOND)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=os.environ
    )
    output, _ = await process.communicate("\n".join(asked).encode())
    committed: dict[str, int] = json.loads(output)
    await asyncio.wait(calls, timeout=30)
    taken = sorted((at - committed[each]) / 1e6 for each, at in callers.answered.items())
    print(f"replied: {len(committed)} at {REPLIES_A_SECOND} a second; {callers.without} without")
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(f"commit to answer: p50 {p50:.1f} ms, p99 {p99:.1f} ms, greatest {taken[-1]:.1f} ms")


def questions() -> list[str]:
    from inbox.models import Message, Sender

    found = Message.objects.filter(sender=Sender.USER).order_by("pk").values_list("pk", flat=True)
    return [str(each) for each in found]


if __name__ == "__main__":
    main()
