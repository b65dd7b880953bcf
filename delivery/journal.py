"""The last events of each workspace, in Redis, for open pages. Losing one costs a look.

1. Who changes something records thin events; once the transaction is in, a thread writes them.
2. A notice on the bus says that a workspace's journal went on.
3. A reader goes on behind the last entry that it knows. If that entry is no longer kept, others
   may be gone with it, and the reader has to look at everything once.
"""

import functools
import re
import time
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import orjson
import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction
from redis.commands.core import Script

from delivery.bus import CHANNEL, client, message_of, publisher, send_notices, waiting_messages
from delivery.publishing import Publisher

TOPIC = "journal"
KEPT_ENTRIES = 500
KEPT_SECONDS = 24 * 3600
MOST_UNWRITTEN = 5000
WRITTEN_AT_ONCE = 500
# One command costs a third of what four cost in a pipeline.
WRITE = """
local first = 5 + tonumber(ARGV[4])
for at = first, #ARGV, 4 do
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'name', ARGV[at], 'id', ARGV[at + 1],
        'channel', ARGV[at + 2], 'user', ARGV[at + 3])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
for at = 5, first - 1 do
    redis.call('PUBLISH', ARGV[3], ARGV[at])
end
"""
ENTRY_ID = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")


@dataclass(frozen=True)
class LiveEvent:
    """That something happened to a row; with `user_id`, only one person needs to know."""

    name: str
    id: str
    channel: str
    user_id: str = ""


MARK = LiveEvent("", "", "")  # an entry that only gives readers a place to go on from


def key_of(workspace_id: uuid.UUID | str) -> str:
    return f"licet:journal:{workspace_id}"


class Writer:
    """Writes what was committed, in the bus's thread: who commits never waits and never fails.

    What came together goes out together, and the same event twice as one. What cannot be written
    is left out; readers are told so with the next notice that gets through.
    """

    def __init__(self, publisher: Publisher = publisher) -> None:
        self._publisher = publisher
        self._unwritten: deque[tuple[str, LiveEvent]] = deque(maxlen=MOST_UNWRITTEN)
        self._lost = False

    def put(self, entries: Iterable[tuple[str, LiveEvent]]) -> None:
        """Never waits and never fails."""
        self._unwritten.extend(entries)
        self._publisher.publish(self._write)

    def _write(self) -> None:
        while self._unwritten:
            if len(self._unwritten) == MOST_UNWRITTEN:
                self._lost = True
            size = min(len(self._unwritten), WRITTEN_AT_ONCE)
            batch = dict.fromkeys(self._unwritten.popleft() for _ in range(size))
            lost_before, self._lost = self._lost, True
            _write(batch, lost=lost_before)
            self._lost = False
        send_notices()


def _write(entries: Iterable[tuple[str, LiveEvent]], *, lost: bool) -> None:
    """Write to each workspace's journal, and send what else waits with the last one."""
    by_workspace: dict[str, list[LiveEvent]] = {}
    for workspace_id, event in entries:
        by_workspace.setdefault(workspace_id, []).append(event)
    for number, (workspace_id, events) in enumerate(by_workspace.items(), 1):
        about = [workspace_id, None] if lost else [workspace_id]
        told = message_of(orjson.dumps({"topic": TOPIC, "workspace": each}) for each in about)
        last = number == len(by_workspace)
        _write_one(workspace_id, events, [told, *(waiting_messages() if last else [])])


def _write_one(workspace_id: str, events: Iterable[LiveEvent], messages: Sequence[bytes]) -> None:
    arguments: list[Any] = [KEPT_ENTRIES, KEPT_SECONDS, CHANNEL, len(messages), *messages]
    for event in events:
        arguments += [event.name, event.id, event.channel, event.user_id]
    _script()(keys=[key_of(workspace_id)], args=arguments, client=client())


@functools.cache
def _script() -> Script:
    return client().register_script(WRITE)


_writer = Writer()


def record_after_commit(workspace_id: uuid.UUID, events: Iterable[LiveEvent]) -> None:
    """Write events into a workspace's journal once the transaction is in."""
    entries = [(str(workspace_id), event) for event in events]
    if entries:
        transaction.on_commit(partial(_writer.put, entries), robust=True)


def _fields(event: LiveEvent) -> Any:
    return {"name": event.name, "id": event.id, "channel": event.channel, "user": event.user_id}


@dataclass(frozen=True)
class Entry:
    """An event at its place."""

    id: str
    event: LiveEvent

    @property
    def place(self) -> tuple[int, int]:
        return place_of(self.id)


def place_of(entry_id: str) -> tuple[int, int]:
    """What entries are ordered by."""
    milliseconds, number = entry_id.split("-")
    return int(milliseconds), int(number)


class JournalAwayError(Exception):
    """Redis is not reached just now."""


class Reader:
    """Reads journals for all that is open in this process, over a few connections."""

    CONNECTIONS = 4
    AWAY_SECONDS = 1.0

    def __init__(self) -> None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL,
            max_connections=self.CONNECTIONS,
            timeout=5,
            socket_timeout=2,
            socket_connect_timeout=0.5,
            decode_responses=True,
        )
        self._redis = redis.asyncio.Redis.from_pool(pool)
        self._away_until = 0.0

    async def close(self) -> None:
        await self._redis.aclose()

    async def tip(self, workspace_id: str) -> str:
        """The last entry's id. An empty journal gets an entry to go on from.

        Raises: JournalAwayError.
        """
        key = key_of(workspace_id)
        last = await self._ask(self._redis.xrevrange, key, count=1)
        if last:
            return str(last[0][0])
        mark = await self._ask(self._redis.xadd, key, _fields(MARK))
        await self._ask(self._redis.expire, key, KEPT_SECONDS)
        return str(mark)

    async def after(self, workspace_id: str, entry_id: str) -> list[Entry] | None:
        """What came behind an entry, marks left out; None if that entry is not kept.

        Raises: JournalAwayError.
        """
        if not ENTRY_ID.fullmatch(entry_id):
            return None
        found = await self._ask(self._redis.xrange, key_of(workspace_id), min=entry_id)
        if not found or found[0][0] != entry_id:
            return None
        return [Entry(place, _event(fields)) for place, fields in islice(found, 1, None)]

    async def _ask(self, command: Any, *args: Any, **options: Any) -> Any:
        """After a failure Redis is left alone for a moment, so that many who ask do not queue."""
        if time.monotonic() < self._away_until:
            raise JournalAwayError
        try:
            return await command(*args, **options)
        except (redis.RedisError, OSError) as failure:
            self._away_until = time.monotonic() + self.AWAY_SECONDS
            raise JournalAwayError from failure


def _event(fields: dict[str, str]) -> LiveEvent:
    return LiveEvent(fields["name"], fields["id"], fields["channel"], fields["user"])
