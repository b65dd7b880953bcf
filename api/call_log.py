"""Noting agents' calls without making them wait: into memory here, into the database by a thread.

1. `note` adds a tuple to a bounded list. When that is full, the call is dropped and counted.
2. A thread, started by the first call of a process, writes what has gathered: after a second, or
   as soon as a batch is full. One batch is one short transaction; on SQLite others wait for it.
3. What cannot be written is dropped, with a warning that says how many. It is a log: a process
   that is killed loses up to a second of it, and nothing else.
"""

import atexit
import logging
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models import F
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_400_BAD_REQUEST

from accounts.addresses import address_of_request
from accounts.ids import uuid7
from accounts.models import ApiKey
from api.models import LONGEST_ERROR, LONGEST_PATH, Call, UnnamedCalls

logger = logging.getLogger(__name__)

BATCH = 200
MOST_WAITING = 5000
GATHER_SECONDS = 1.0
LAST_SECONDS = 2.0


class Noted(NamedTuple):
    """A finished call. `key` is None where no good one was shown."""

    at: datetime
    key: ApiKey | None
    meta: dict[str, Any]
    path: str
    route: str
    status: int
    seconds: float
    answer: object


class CallLog:
    """Calls that wait to be written, and the thread that writes them."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Empty and without a thread, as a process that was just forked has to be."""
        self._waiting: deque[Noted] = deque()
        self._dropped = 0
        self._lock = threading.Lock()
        self._full = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, call: Noted) -> None:
        """Never waits and never fails."""
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(call)
        if len(self._waiting) >= BATCH:
            self._full.set()
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="call log", daemon=True)
                self._thread.start()
                atexit.register(self.finish)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._full.wait(GATHER_SECONDS)
            self._full.clear()
            close_old_connections()
            self.flush()
        connection.close()

    def flush(self) -> None:
        """Write all that waits, a batch at a time."""
        while batch := self._take():
            try:
                write(batch)
            except Exception:  # the thread must not end with its first surprise
                self._dropped += len(batch)
                logger.warning("call log: a batch was not written", exc_info=True)
        if self._dropped:
            logger.warning("call log: %d calls were dropped", self._dropped)
            self._dropped = 0

    def _take(self) -> list[Noted]:
        return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def finish(self) -> None:
        """At the end of a process: write the rest, in a time that nobody minds."""
        self._ending.set()
        self._full.set()
        if self._thread is not None:
            self._thread.join(LAST_SECONDS)


call_log = CallLog()
os.register_at_fork(after_in_child=call_log.begin)


def note(request: Request, response: Response, *, started: float) -> None:
    """Note a finished call, as API_LOG says. `started` is of `time.perf_counter`."""
    status = response.status_code
    failed = status >= HTTP_400_BAD_REQUEST
    if settings.API_LOG == "off" or (settings.API_LOG == "errors" and not failed):
        return
    match = request.resolver_match
    call_log.add(
        Noted(
            at=timezone.now(),
            key=getattr(request, "_auth", None),  # `auth` would authenticate a second time
            meta=request.META,
            path=request.path,
            route=match.route if match else "",
            status=status,
            seconds=time.perf_counter() - started,
            answer=response.data if failed else None,
        )
    )


def write(batch: Sequence[Noted]) -> None:
    named = [_row(call, call.key) for call in batch if call.key is not None]
    unnamed = Counter(_hour(call.at) for call in batch if call.key is None)
    with transaction.atomic():
        Call.objects.bulk_create(named)
        for hour, number in unnamed.items():
            _count_unnamed(hour, number)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _count_unnamed(hour: datetime, number: int) -> None:
    hours = UnnamedCalls.objects.filter(pk=hour)
    if not hours.update(number=F("number") + number):
        UnnamedCalls.objects.bulk_create([UnnamedCalls(hour=hour)], ignore_conflicts=True)
        hours.update(number=F("number") + number)


def _row(call: Noted, key: ApiKey) -> Call:
    length = call.meta.get("CONTENT_LENGTH") or ""
    return Call(
        id=uuid7(call.at - timedelta(seconds=call.seconds)),
        created_at=call.at - timedelta(seconds=call.seconds),
        workspace_id=key.workspace_id,
        key_id=key.pk,
        key_prefix=key.key_prefix,
        method=_storable(call.meta.get("REQUEST_METHOD", ""), 10),
        route=_storable(call.route, 200),
        path=_storable(call.path, LONGEST_PATH),
        status=call.status,
        duration_ms=round(call.seconds * 1000),
        request_bytes=int(length[:15]) if length.isascii() and length.isdigit() else 0,
        address=address_of_request(call.meta),
        error=_storable(error_in(call.answer), LONGEST_ERROR),
    )


def _storable(text: str, most: int) -> str:
    """PostgreSQL stores neither NUL nor half a surrogate pair, and an agent may send both."""
    return text[:most].replace("\0", "\ufffd").encode(errors="replace").decode()


def error_in(answer: object) -> str:
    """The first line of what an agent was told, with the first fault and its place."""
    if not isinstance(answer, dict):
        return ""
    message = str(answer.get("message", ""))
    for each in answer.get("errors") or []:
        place = ".".join(str(part) for part in each.get("path", []))
        detail = f"{place}: {each['message']}" if place else str(each["message"])
        message = detail if each["message"] == message else f"{message}: {detail}"
        break
    return next(iter(message.splitlines()), "")
