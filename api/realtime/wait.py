"""`GET /api/v1/reviews/{id}/wait`: one look, then silence until something happened.

No thread and no statement while waiting. A call looks when it comes, when the bus says that the
review closed or went away, when the review's deadline passes, and when its own time is up.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
from django.utils import timezone

from accounts.models import Workspace
from api.authentication import authenticate_headers
from api.placet.errors import error_body, judge
from api.placet.outbound import review_topic
from api.placet.views.reviews import current_review, outcome_body
from api.realtime.listener import Listener
from api.realtime.threads import in_thread
from inbox.models import Channel
from inbox.queries import MessageNotFoundError, require_channel

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

LONGEST_MS = 30_000
SHORTEST_SLEEP_SECONDS = 0.1  # the database's clock may reach a deadline later than ours
TIMEOUT = {"status": "timeout"}


@dataclass(frozen=True)
class Look:
    """What a look found: an outcome to answer with, or the deadline to look again at."""

    outcome: bytes | None
    expires_at: datetime


@dataclass(frozen=True)
class Call:
    """Who waits for what."""

    workspace: Workspace
    channel: Channel | None
    message_id: str


async def answer_wait(
    message_id: str, scope: Message, receive: Receive, send: Send, *, listener: Listener
) -> None:
    """Answer one waiting call, or stop when its client has gone."""
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    until = time.monotonic() + timeout_ms(query.get("timeout", [""])[-1]) / 1000
    waiting = asyncio.ensure_future(_outcome(message_id, scope, query, until, listener))
    leaving = asyncio.ensure_future(_gone(receive))
    done, _ = await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if waiting not in done:
        waiting.cancel()
        return
    failure = waiting.exception()
    if failure is None:
        await send_body(send, 200, waiting.result())
    else:
        await _send_failure(send, scope, failure)


def timeout_ms(text: str) -> int:
    """Milliseconds to wait: 30 s at most, and for anything that is no positive number."""
    if not (text.isascii() and text.isdigit()) or int(text[:9]) == 0:
        return LONGEST_MS
    return min(int(text[:9]), LONGEST_MS)


async def _outcome(
    message_id: str,
    scope: Message,
    query: dict[str, list[str]],
    until: float,
    listener: Listener,
) -> bytes:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    channel_id = query.get("channel", [None])[-1]
    call = await in_thread(_open_call, headers, channel_id, message_id)
    with listener.waiting_for(review_topic(message_id.lower())) as woken:
        look = await in_thread(_look, call)
        while look.outcome is None and time.monotonic() < until:
            await _sleep_until_reason(woken, look.expires_at, until)
            woken.clear()
            try:
                look = await in_thread(_look, call)
            except MessageNotFoundError:
                break
        return look.outcome or orjson.dumps(TIMEOUT)


async def _sleep_until_reason(woken: asyncio.Event, expires_at: datetime, until: float) -> None:
    """Sleep until woken, the review's deadline, or the end of the call."""
    to_deadline = (expires_at - timezone.now()).total_seconds()
    seconds = min(until - time.monotonic(), max(to_deadline, SHORTEST_SLEEP_SECONDS))
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await woken.wait()
    except TimeoutError:
        return


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _open_call(headers: dict[str, str], channel_id: str | None, message_id: str) -> Call:
    key = authenticate_headers(headers, now=timezone.now())
    channel = None if channel_id is None else require_channel(key.workspace, channel_id)
    return Call(key.workspace, channel, message_id)


def _look(call: Call) -> Look:
    review = current_review(call.workspace, call.message_id, call.channel)
    outcome = None if review.is_pending else orjson.dumps(outcome_body(review))
    return Look(outcome, review.expires_at)


async def _send_failure(send: Send, scope: Message, failure: BaseException) -> None:
    if not isinstance(failure, Exception):
        raise failure
    status, message, errors = judge(failure)
    query = scope["query_string"].decode("latin-1")
    path = f"{scope['path']}?{query}" if query else scope["path"]
    body = error_body(status, message, path=path, now=timezone.now(), errors=errors)
    await send_json(send, status, body)


async def send_json(send: Send, status: int, body: dict[str, Any]) -> None:
    await send_body(send, status, orjson.dumps(body))


async def send_body(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
