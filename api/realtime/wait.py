"""`GET /api/v1/reviews/{id}/wait`: one look, then silence until something happened.

No thread and no statement while waiting. A call looks when it comes, when the bus says that the
review closed or went away, when the review's deadline passes, and when its own time is up. Calls
that look at the same moment share a turn of a thread, and its statements.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
from django.utils import timezone
from rest_framework.exceptions import APIException, AuthenticationFailed, Throttled

from accounts.addresses import address_of_scope
from accounts.models import ApiKey
from accounts.queries import keys_for_clear_texts
from api import call_log
from api.authentication import authenticate_headers, key_in_headers
from api.placet.errors import error_body, headers_of, judge
from api.placet.outbound import review_topic
from api.realtime.looks import Closed, Found, Look, Open, Target, look, look_again
from api.realtime.places import OpenCalls
from api.realtime.turns import Turns
from api.throttling import count_call
from delivery.listener import Listener
from inbox.errors import DomainError
from inbox.queries import MessageNotFoundError, require_channel

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

LONGEST_MS = 30_000
SHORTEST_SLEEP_SECONDS = 0.1  # the database's clock may reach a deadline later than ours
ROUTE = "api/v1/reviews/<str:message_id>/wait"
LEFT = 499  # as proxies write down a client that did not wait for its answer
TIMEOUT = orjson.dumps({"status": "timeout"})


@dataclass(frozen=True, slots=True)
class Call:
    """A waiting call that was let in."""

    key_id: uuid.UUID
    target: Target
    headers: dict[str, str]


type Arrival = tuple[Call, Look]


@dataclass(slots=True)
class Visit:
    """A call as the log of calls will show it. `key` is known once it was let in."""

    message_id: str
    scope: Message
    started: float
    key: ApiKey | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]
        }

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)

    @property
    def milliseconds(self) -> int:
        return timeout_ms(self.query.get("timeout", [""])[-1])

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


class ClientLeftError(Exception):
    """Nobody waits any more."""


class Sleeper:
    """A call's sleep, which ends when something happens to what it waits for."""

    __slots__ = ("_pause", "_woken")

    def __init__(self) -> None:
        self._woken = False
        self._pause: asyncio.Timeout | None = None

    def wake(self) -> None:
        """Now, or before it falls asleep the next time."""
        self._woken = True
        if self._pause is not None:
            self._pause.reschedule(0)
            self._pause = None

    async def sleep(self, receive: Receive, seconds: float) -> None:
        """Until it is woken, and at most so long.

        Raises: ClientLeftError.
        """
        if not self._woken:
            try:
                async with asyncio.timeout(seconds) as self._pause:
                    await gone(receive)
                    raise ClientLeftError
            except TimeoutError:
                pass
            finally:
                self._pause = None
        self._woken = False


class Waiting:
    """The waiting calls of this process."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._arrivals: Turns[Visit, Arrival] = Turns(_first_looks)
        self._looks: Turns[Target, Look] = Turns(look_again)
        self.open_calls = OpenCalls()

    async def answer(self, message_id: str, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one call, or stop when its client has gone."""
        visit = Visit(message_id, scope, time.perf_counter())
        try:
            body, headers = await self._outcome(visit, receive)
        except ClientLeftError:
            visit.note(LEFT, told={"message": "The client left before there was an answer"})
        except Exception as failure:  # noqa: BLE001  # every one has its answer
            await _send_failure(send, visit, failure)
        else:
            visit.note(200, answered=body)
            await send_body(send, 200, body, headers)

    async def _outcome(self, visit: Visit, receive: Receive) -> tuple[bytes, dict[str, str]]:
        topic, sleeper = review_topic(visit.message_id.lower()), Sleeper()
        until = time.monotonic() + visit.milliseconds / 1000
        self._listener.call_on(topic, sleeper.wake)
        try:
            call, found = await self._arrivals.join(visit)
            if isinstance(found, Open):
                with self.open_calls.one_of_few(call.key_id):
                    found = await self._later_looks(call, found, sleeper, receive, until)
            return found.outcome if isinstance(found, Closed) else TIMEOUT, call.headers
        finally:
            self._listener.no_more(topic, sleeper.wake)

    async def _later_looks(
        self, call: Call, found: Look, sleeper: Sleeper, receive: Receive, until: float
    ) -> Look:
        """Sleep and look in turns, until there is an outcome or the time is up."""
        while isinstance(found, Open) and (left := until - time.monotonic()) > 0:
            to_deadline = max(_seconds_to(found.expires_at), SHORTEST_SLEEP_SECONDS)
            await sleeper.sleep(receive, min(left, to_deadline))
            try:
                found = await self._looks.join(call.target)
            except MessageNotFoundError:
                break
        return found


def timeout_ms(text: str) -> int:
    """Milliseconds to wait: 30 s at most, and for anything that is no positive number."""
    if not (text.isascii() and text.isdigit()) or int(text[:9]) == 0:
        return LONGEST_MS
    return min(int(text[:9]), LONGEST_MS)


def _first_looks(visits: Sequence[Visit]) -> list[Arrival | Exception]:
    """In one turn of a thread: who calls, and how their reviews stand."""
    now = timezone.now()
    shown = [clear for clear in map(_shown_by, visits) if clear]
    keys = keys_for_clear_texts(shown, now=now)
    calls = [_admitted(visit, keys, now) for visit in visits]
    let_in = [call for call in calls if isinstance(call, Call)]
    looks = iter(look([call.target for call in let_in]))
    return [_arrival(call, next(looks)) if isinstance(call, Call) else call for call in calls]


def _arrival(call: Call, found: Found) -> Arrival | Exception:
    return found if isinstance(found, Exception) else (call, found)


def _shown_by(visit: Visit) -> str | None:
    try:
        return key_in_headers(visit.headers)
    except AuthenticationFailed:
        return None


def _admitted(visit: Visit, keys: Mapping[str, ApiKey], now: datetime) -> Call | Exception:
    """The call, or AuthenticationFailed, Throttled, ChannelNotYoursError."""
    address = address_of_scope(visit.scope)
    try:
        visit.key = key = authenticate_headers(
            visit.headers, address=address, now=now, find=lambda clear, **_: keys.get(clear)
        )
        counted = count_call(key, method="GET")
        if counted is not None and not counted.allowed:
            raise Throttled(wait=counted.reset_seconds)
        wanted = visit.query.get("channel", [None])[-1]
        channel = None if wanted is None else require_channel(key.workspace, wanted)
    except (APIException, DomainError) as failure:
        return failure
    target = Target((key.workspace, channel), visit.message_id)
    return Call(key.pk, target, {} if counted is None else counted.headers)


def _seconds_to(moment: datetime) -> float:
    return (moment - timezone.now()).total_seconds()


async def gone(receive: Receive) -> None:
    """Ends when the client left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_failure(send: Send, visit: Visit, failure: Exception) -> None:
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
