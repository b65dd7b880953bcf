"""`GET /api/v1/reviews/{id}/wait`: one look, then silence until something happened.

No thread and no statement while waiting. A call looks when it comes, when the bus says that the
review closed or went away, when the review's deadline passes, and when its own time is up.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
from django.utils import timezone
from rest_framework.exceptions import Throttled

from accounts.addresses import address_of_scope
from accounts.models import ApiKey
from api import call_log
from api.authentication import authenticate_headers
from api.placet.errors import error_body, headers_of, judge
from api.placet.outbound import review_topic
from api.realtime import looks
from api.realtime.looks import Look, Looks, Target
from api.realtime.places import OpenCalls
from api.throttling import count_call
from delivery.listener import Listener
from delivery.threads import in_thread
from inbox.queries import MessageNotFoundError, require_channel

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

LONGEST_MS = 30_000
SHORTEST_SLEEP_SECONDS = 0.1  # the database's clock may reach a deadline later than ours
ROUTE = "api/v1/reviews/<str:message_id>/wait"
LEFT = 499  # as proxies write down a client that did not wait for its answer
TIMEOUT = orjson.dumps({"status": "timeout"})


@dataclass(frozen=True)
class Call:
    """A waiting call that was let in."""

    key_id: uuid.UUID
    target: Target
    headers: dict[str, str]


@dataclass
class Visit:
    """A call as the log of calls will show it. `key` is known once it was let in."""

    message_id: str
    scope: Message
    started: float
    key: ApiKey | None = None

    def note(self, status: int, *, answered: bytes = b"", told: object = None) -> None:
        call_log.note_waiting(
            self.scope,
            self.key,
            route=ROUTE,
            about={"message_id": self.message_id},
            status=status,
            started=self.started,
            answered=answered,
            told=told,
        )


class Waiting:
    """The waiting calls of this process."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._looks = Looks(listener)
        self.open_calls = OpenCalls()

    async def answer(self, message_id: str, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one call, or stop when its client has gone."""
        visit = Visit(message_id, scope, time.perf_counter())
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        until = time.monotonic() + timeout_ms(query.get("timeout", [""])[-1]) / 1000
        waiting = asyncio.ensure_future(self._outcome(visit, query, until))
        leaving = asyncio.ensure_future(gone(receive))
        done, _ = await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if waiting not in done:
            waiting.cancel()
            visit.note(LEFT, told={"message": "The client left before there was an answer"})
            return
        failure = waiting.exception()
        if failure is not None:
            await _send_failure(send, visit, failure)
            return
        body, headers = waiting.result()
        visit.note(200, answered=body)
        await send_body(send, 200, body, headers)

    async def _outcome(
        self, visit: Visit, query: Mapping[str, list[str]], until: float
    ) -> tuple[bytes, dict[str, str]]:
        channel_id = query.get("channel", [None])[-1]
        with self._listener.waiting_for(review_topic(visit.message_id.lower())) as woken:
            call, look = await in_thread(_first_look, visit, channel_id)
            if look.outcome is None:
                with self.open_calls.one_of_few(call.key_id):
                    look = await self._later_looks(call, look, woken, until)
            return look.outcome or TIMEOUT, call.headers

    async def _later_looks(
        self, call: Call, look: Look, woken: asyncio.Event, until: float
    ) -> Look:
        """Sleep and look in turns, until there is an outcome or the time is up."""
        while look.outcome is None and time.monotonic() < until:
            await _sleep_until_reason(woken, look, until)
            woken.clear()
            try:
                look = await self._looks.join(call.target)
            except MessageNotFoundError:
                break
        return look


def timeout_ms(text: str) -> int:
    """Milliseconds to wait: 30 s at most, and for anything that is no positive number."""
    if not (text.isascii() and text.isdigit()) or int(text[:9]) == 0:
        return LONGEST_MS
    return min(int(text[:9]), LONGEST_MS)


def _admitted(visit: Visit, channel_id: str | None) -> Call:
    """Raises: AuthenticationFailed, Throttled, ChannelNotYoursError."""
    headers = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in visit.scope["headers"]
    }
    address = address_of_scope(visit.scope)
    key = authenticate_headers(headers, address=address, now=timezone.now())
    visit.key = key
    counted = count_call(key, method="GET")
    if counted is not None and not counted.allowed:
        raise Throttled(wait=counted.reset_seconds)
    channel = None if channel_id is None else require_channel(key.workspace, channel_id)
    target = Target(key.workspace, channel, visit.message_id)
    return Call(key.pk, target, {} if counted is None else counted.headers)


def _first_look(visit: Visit, channel_id: str | None) -> tuple[Call, Look]:
    """In one turn of a thread: who calls, and how the review stands.

    Raises: what `_admitted` raises, MessageNotFoundError, NoReviewError.
    """
    call = _admitted(visit, channel_id)
    return call, looks.look(call.target)


async def _sleep_until_reason(woken: asyncio.Event, look: Look, until: float) -> None:
    """Sleep until woken, the review's deadline, or the end of the call."""
    to_deadline = _seconds_to(look.expires_at)
    seconds = min(until - time.monotonic(), max(to_deadline, SHORTEST_SLEEP_SECONDS))
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await woken.wait()
    except TimeoutError:
        return


def _seconds_to(moment: datetime) -> float:
    return (moment - timezone.now()).total_seconds()


async def gone(receive: Receive) -> None:
    """Ends when the client left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_failure(send: Send, visit: Visit, failure: BaseException) -> None:
    if not isinstance(failure, Exception):
        raise failure
    scope = visit.scope
    status, message, errors = judge(failure)
    query = scope["query_string"].decode("latin-1")
    path = f"{scope['path']}?{query}" if query else scope["path"]
    body = error_body(status, message, path=path, now=timezone.now(), errors=errors)
    visit.note(status, answered=orjson.dumps(body), told=body)
    await send_json(send, status, body, headers_of(failure, status))


async def send_json(
    send: Send, status: int, body: dict[str, Any], more: Mapping[str, str] | None = None
) -> None:
    await send_body(send, status, orjson.dumps(body), more or {})


async def send_body(send: Send, status: int, body: bytes, more: Mapping[str, str]) -> None:
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((name.lower().encode(), value.encode()) for name, value in more.items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
