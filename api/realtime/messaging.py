"""`POST /api/messaging/channels/{id}/messages`: stored like everywhere, and then the reply awaited.

The view of the dialect does the work, in a thread, and tells the seat that was given to it what it
stored. From then on a call costs no thread: `sync` gets one answer, `stream` events as they come.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

import orjson
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.urls import resolve
from rest_framework.response import Response
from rest_framework.status import HTTP_408_REQUEST_TIMEOUT

from api.eliza.errors import error_body
from api.eliza.waiting import AT_ONCE, STREAM
from api.eliza.wire import message_body
from api.realtime.arrival import BodyTooSlowError, arrived
from api.realtime.places import OpenCalls
from api.realtime.replies import Replies, Seat
from api.realtime.wait import LEFT, Receive, Send, gone, send_body, timeout_ms
from delivery.listener import Listener
from delivery.threads import in_thread
from inbox.models import Message

type Scope = MutableMapping[str, Any]

# Below the 30 s that the official client waits by itself.
LONGEST_SYNC = LONGEST_SILENCE = 25.0
LONGEST_STREAM = 300.0
HEARTBEAT = 15.0
# `send_body` sends these itself.
OWN_HEADERS = frozenset({"content-type", "content-length", "cache-control"})
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True)
class Caller:
    """The other end of a call."""

    scope: Scope
    receive: Receive
    send: Send

    @property
    def seconds(self) -> float:
        """How long it would wait: `?timeout=` in milliseconds."""
        query = parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return timeout_ms(query.get("timeout", [""])[-1]) / 1000


@dataclass(frozen=True)
class Held:
    """A call whose message is stored; `response` is made once it is over."""

    caller: Caller
    seat: Seat
    asked: Message
    response: Response

    @property
    def reply(self) -> dict[str, Any] | None:
        """The whole reply; None as long as there is none."""
        said = self.seat.reply
        return message_body(said) if said is not None and self.seat.is_answered else None


class WaitingCall:
    """A call as the view sees it: it asks for a place, and says what was stored."""

    def __init__(self, open_calls: OpenCalls) -> None:
        self.stored: Message | None = None
        self.mode = AT_ONCE
        self._open_calls = open_calls
        self._key_id: uuid.UUID | None = None

    def enter(self, key_id: uuid.UUID) -> None:
        """Before anything is stored.

        Raises: Throttled when the key has too many open calls.
        """
        self._open_calls.enter(key_id)
        self._key_id = key_id

    def settle(self, message: Message, mode: str) -> None:
        """What was stored, and how its sender waits for the reply."""
        self.stored, self.mode = message, mode

    def end(self) -> None:
        if self._key_id is not None:
            self._open_calls.leave(self._key_id)


class Messaging:
    """The calls of this process that wait for replies."""

    def __init__(self, listener: Listener) -> None:
        self.open_calls = OpenCalls()
        self._replies = Replies(listener)

    def leave(self) -> None:
        """The process ends: whoever waits gets its message without a reply, now."""
        for seat in self._replies.all():
            seat.dismiss()

    async def answer(self, channel_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, or stop when its client has gone."""
        try:
            body = await _whole_body(receive)
        except BodyTooSlowError:
            await _send_refusal(send, HTTP_408_REQUEST_TIMEOUT, "The body did not arrive in time.")
            return
        if body is None:
            return
        seat, call = Seat(channel_id), WaitingCall(self.open_calls)
        self._replies.take(seat)
        try:
            response = await in_thread(_stored, scope, body, call)
            if call.stored is None:
                response.render()
                await _send_response(send, response)
            else:
                seat.settle(call.stored)
                caller = Caller(scope, receive, send)
                await self._hold(Held(caller, seat, call.stored, response), call.mode)
        finally:
            self._replies.give_up(seat)
            call.end()

    async def _hold(self, held: Held, mode: str) -> None:
        """Wait until there is an answer or the client left; either is noted in the log."""
        serve = self._stream if mode == STREAM else self._sync
        serving = asyncio.ensure_future(serve(held))
        leaving = asyncio.ensure_future(gone(held.caller.receive))
        done, others = await asyncio.wait({serving, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        if serving in done:
            serving.result()
        else:
            held.response.status_code = LEFT
            held.response.render()

    async def _sync(self, held: Held) -> None:
        """One answer: the message, with the reply in its metadata, or null."""
        until = time.monotonic() + min(held.caller.seconds, LONGEST_SYNC)
        while not held.seat.is_over and (left := until - time.monotonic()) > 0:
            await _woken(held.seat, left)
        await self._finish(held)
        await _send_response(held.caller.send, held.response)

    async def _stream(self, held: Held) -> None:
        """Events: `user_message`, `chunk` for each state of a growing reply, and `done`."""
        send = held.caller.send
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        async for event in _growth(held):
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await self._finish(held)
        await send({"type": "http.response.body", "body": _event("done", held.reply)})

    async def _finish(self, held: Held) -> None:
        """A last look for what the bus may have lost; then the answer is made, and noted."""
        if not held.seat.is_over:
            await self._replies.look(held.seat)
        body = message_body(held.asked, reply=held.reply)
        held.response.data = {"success": True, "data": body}
        held.response.render()


async def _growth(held: Held) -> AsyncIterator[bytes]:
    """The stored message, and the reply as long as it grows; silence ends it."""
    yield _event("user_message", message_body(held.asked))
    seat, silence = held.seat, min(held.caller.seconds, LONGEST_SILENCE)
    until, silent_until = time.monotonic() + LONGEST_STREAM, time.monotonic() + silence
    while not seat.is_over and (left := min(until, silent_until) - time.monotonic()) > 0:
        if not await _woken(seat, min(left, HEARTBEAT)):
            yield b": waiting\n\n"
        elif seat.reply is not None and not seat.is_over:
            silent_until = time.monotonic() + silence
            yield _event("chunk", message_body(seat.reply))


async def _whole_body(receive: Receive) -> bytes | None:
    """The body, or as much of it as shows that it is too large; None if the client left.

    Raises: BodyTooSlowError.
    """
    held = await arrived(receive)
    body, more = b"", True
    while more and len(body) <= settings.LARGEST_JSON_BODY:
        event = await held()
        if event["type"] == "http.disconnect":
            return None
        body, more = body + event.get("body", b""), event.get("more_body", False)
    return body


def _stored(scope: Scope, body: bytes, call: WaitingCall) -> Response:
    """The view's answer, not rendered yet. Called in a thread."""
    request = ASGIRequest(scope, BytesIO(body))
    request.resolver_match = match = resolve(scope["path"])
    request.waiting_call = call  # type: ignore[attr-defined]  # read by the view
    response: Response = match.func(request, *match.args, **match.kwargs)
    return response


async def _woken(seat: Seat, seconds: float) -> bool:
    """Sleep until something was said, at most so long. Returns whether it was."""
    try:
        async with asyncio.timeout(seconds):
            await seat.changed.wait()
    except TimeoutError:
        return False
    seat.changed.clear()
    return True


def _event(name: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


async def _send_response(send: Send, response: Response) -> None:
    headers = {name: value for name, value in response.items() if name.lower() not in OWN_HEADERS}
    await send_body(send, response.status_code, response.content, headers)


async def _send_refusal(send: Send, status: int, message: str) -> None:
    await send_body(send, status, orjson.dumps(error_body(status, message, message)), {})
