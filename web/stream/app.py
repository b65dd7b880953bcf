"""`GET /ui/events/`: one stream for each open page, and one reader for all of them in this process.

Who is at the other end is asked when a stream opens, when a session of theirs ends, and once a
minute for all streams together.
"""

import asyncio
import json
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from accounts.ids import parse_uuid
from accounts.pause import PAUSE_SECONDS
from accounts.services.sessions import TOPIC as SESSIONS
from delivery.journal import TOPIC, Reader
from delivery.listener import Listener
from delivery.push.subscriptions import note_visible
from delivery.threads import in_thread
from web.stream.admission import Visitor, is_foreign, is_known_host, turned_away, visitor_of
from web.stream.rooms import Room
from web.stream.streams import End, Receive, Scope, Send, Stream

logger = logging.getLogger(__name__)

PATH = "/ui/events/"
MOST_STREAMS_OF_A_PERSON = 6
MARGIN_SECONDS = 15  # a check may come late

SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
    *SECURITY,
]


@dataclass(frozen=True)
class Pace:
    """How often what happens, in seconds; a stream's age is drawn between the two."""

    heartbeat: float = 15.0
    check: float = 60.0
    youngest: float = 600.0
    oldest: float = 900.0
    second_resync: float = PAUSE_SECONDS + 1


class Streams:
    """The open streams of this process."""

    def __init__(self, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self.rooms: dict[str, Room] = {}
        self._of_person: defaultdict[uuid.UUID, list[Stream]] = defaultdict(list)
        self._reader: Reader | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False
        self._ever_heard = False

    # The process

    def start(self, listener: Listener) -> None:
        self._reader = Reader()
        listener.pass_on(hear=self.hear, missed=self.missed)
        for each, seconds in ((self._beat, self.pace.heartbeat), (self.check, self.pace.check)):
            self._tasks.add(asyncio.create_task(_for_ever(each, seconds)))

    def leave(self) -> None:
        """End all streams, each with a pause of its own, and take no more."""
        self._leaving = True
        for stream in self._all():
            stream.end(End.DEPLOY)

    async def stop(self) -> None:
        self.leave()
        for task in self._tasks:
            task.cancel()
        for room in self.rooms.values():
            room.close()
        if self._reader is not None:
            await self._reader.close()

    def hear(self, notice: dict[str, Any]) -> None:
        """A notice of the bus: a workspace's journal went on, lost entries, or sessions ended."""
        if notice["topic"] == SESSIONS:
            self._check_soon(notice["user"])
        if notice["topic"] != TOPIC:
            return
        if notice["workspace"] is None:
            self._forget()
        elif notice["workspace"] in self.rooms:
            self.rooms[notice["workspace"]].look()

    def missed(self) -> None:
        """The bus is heard again. Writers may have paused: by then all of them write again, too."""
        if self._ever_heard:
            self._forget()
            asyncio.get_running_loop().call_later(self.pace.second_resync, self._forget)
        self._ever_heard = True

    def _forget(self) -> None:
        for room in self.rooms.values():
            room.forget()

    def _all(self) -> list[Stream]:
        return [stream for room in self.rooms.values() for stream in room.streams]

    async def _beat(self) -> None:
        for stream in self._all():
            stream.beat()

    def _check_soon(self, user_id: str) -> None:
        """The streams of one person; the next round comes anyway."""
        theirs = list(self._of_person.get(parse_uuid(user_id) or uuid.UUID(int=0), ()))
        task = asyncio.create_task(_forgiving(partial(self.check, theirs)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def check(self, streams: list[Stream] | None = None) -> None:
        """End the streams, of all or of these, of those who may no longer listen."""
        streams = self._all() if streams is None else streams
        if streams:
            gone = await in_thread(turned_away, {stream.visitor for stream in streams})
            for stream in streams:
                if stream.visitor in gone:
                    stream.end(End.SIGNED_OUT)
            await self._note_visible({stream.visitor.device for stream in streams})

    async def _note_visible(self, devices: Collection[uuid.UUID | None]) -> None:
        """Browsers listen while somebody looks at a page: no notification until the next check."""
        await _note(devices, seconds=self.pace.check + MARGIN_SECONDS)

    async def _note_hidden(self, device: uuid.UUID | None) -> None:
        """Unless another page of the same browser still listens here."""
        if not any(stream.visitor.device == device for stream in self._all()):
            await _note([device], seconds=0)

    # One stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        try:
            visitor = await in_thread(visitor_of, headers.get("cookie", ""))
        except Exception as failure:  # noqa: BLE001  # whatever it was, the client may come again
            logger.warning("streams: nobody can be admitted: %s", type(failure).__name__)
            await _refuse(send, 503, "Not available just now", (b"retry-after", b"2"))
            return
        if visitor is None:
            await _refuse(send, 401, "Sign in first")
        elif visitor.workspace_id is None:
            await _refuse(send, 403, "You do not belong to a workspace yet")
        else:
            await self._serve(visitor, headers.get("last-event-id", ""), receive, send)

    def _refusal(self, method: str, headers: dict[str, str]) -> tuple[Any, ...] | None:
        if method != "GET":
            return 405, "Only GET", (b"allow", b"GET")
        if not is_known_host(headers.get("host", "")):
            return 400, "Not a host name of this server"
        if is_foreign(headers):
            return 403, "Only pages of this server may listen"
        if self._leaving:
            return 503, "Restarting", (b"retry-after", b"1")
        return None

    async def _serve(self, visitor: Visitor, cursor: str, receive: Receive, send: Send) -> None:
        stream = Stream(visitor, send)
        room = self._enlist(stream)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await room.enter(stream, cursor)
            await self._note_visible([visitor.device])
            seconds = random.uniform(self.pace.youngest, self.pace.oldest)  # noqa: S311  # no secret
            await stream.serve(receive, seconds=seconds)
        finally:
            self._strike_off(stream, room)
            await self._note_hidden(visitor.device)

    def _enlist(self, stream: Stream) -> Room:
        """Give it a place. A person's oldest makes room: it may be a ghost, the newest is not."""
        mine = self._of_person[stream.visitor.user_id]
        mine.append(stream)
        for oldest in [each for each in mine if each.ending is None][:-MOST_STREAMS_OF_A_PERSON]:
            oldest.end(End.TOO_MANY)
        name = str(stream.visitor.workspace_id)
        if name not in self.rooms:
            assert self._reader is not None  # noqa: S101  # started with the process
            self.rooms[name] = Room(name, self._reader)
        self.rooms[name].streams.add(stream)
        return self.rooms[name]

    def _strike_off(self, stream: Stream, room: Room) -> None:
        room.streams.discard(stream)
        if not room.streams:
            room.close()
            self.rooms.pop(room.workspace_id, None)
        mine = self._of_person[stream.visitor.user_id]
        mine.remove(stream)
        if not mine:
            del self._of_person[stream.visitor.user_id]


async def _note(devices: Collection[uuid.UUID | None], *, seconds: float) -> None:
    """Only a notification too many or too late hangs on it."""
    known = [device for device in devices if device]
    if not known:
        return
    try:
        await in_thread(note_visible, known, until=timezone.now() + timedelta(seconds=seconds))
    except Exception as failure:  # noqa: BLE001  # the stream goes on
        logger.warning("streams: devices were not noted: %s", type(failure).__name__)


async def _for_ever(call: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await _forgiving(call)


async def _forgiving(call: Callable[[], Awaitable[None]]) -> None:
    try:
        await call()
    except Exception as failure:  # noqa: BLE001  # the next round tries again
        logger.warning("streams: a round failed: %s", type(failure).__name__)


def _headers(scope: Scope) -> dict[str, str]:
    """By lower-case name; a browser may send cookies in several lines."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}; {value}" if name in found else value
    return found


async def _refuse(send: Send, status: int, detail: str, *more: tuple[bytes, bytes]) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *SECURITY,
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
