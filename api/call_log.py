"""Noting agents' calls without making them wait: into memory here, into the database by a thread.

1. `note` adds a tuple to a bounded list: references to what was received and answered, no copies.
   When it weighs too much, bodies are left out; when it is full, calls are dropped and counted.
2. A thread, started by the first call of a process, writes what has gathered: after a second, or
   as soon as a batch is full. It masks and cuts the bodies, too. One batch is one short
   transaction; on SQLite others wait for it.
3. What cannot be written is dropped, with a warning that says how many. It is a log: a process
   that is killed loses up to a second of it, and nothing else.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.util import Finalize
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.status import HTTP_400_BAD_REQUEST

from accounts.models import ApiKey
from api.bodies import JSON_TYPE, received_by
from api.call_rows import Noted, write

__all__ = ["CallLog", "Noted", "call_log", "note", "note_waiting", "write"]

logger = logging.getLogger(__name__)

BATCH = 200
MOST_WAITING = 5000
MOST_WAITING_BYTES = 32 * 1024 * 1024
GATHER_SECONDS = 1.0
LAST_SECONDS = 2.0


class CallLog:
    """Calls that wait to be written, and the thread that writes them."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Empty and without a thread, as a process that was just forked has to be."""
        self._waiting: deque[Noted] = deque()
        self._weight = 0
        self._dropped = 0
        self._lock = threading.Lock()
        self._full = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, call: Noted) -> None:
        """Never waits for long, and never fails."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                self._dropped += 1
                return
            if self._weight + call.weight > MOST_WAITING_BYTES:
                call = call.without_bodies()
            self._weight += call.weight
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
                # At the end of a worker process, too, which runs nothing of `atexit`.
                Finalize(None, self.finish, exitpriority=0)

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
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._weight -= sum(call.weight for call in batch)
        return batch

    def finish(self) -> None:
        """At the end of a process: write the rest, in a time that nobody minds."""
        thread = self._thread
        if thread is None:
            return
        self._ending.set()
        self._full.set()
        thread.join(LAST_SECONDS)
        if not thread.is_alive():
            self._ending.clear()  # whoever still calls starts another
            self._thread = None


call_log = CallLog()
os.register_at_fork(after_in_child=call_log.begin)


def _is_wanted(status: int) -> bool:
    failed = status >= HTTP_400_BAD_REQUEST
    return settings.API_LOG == "on" or (settings.API_LOG == "errors" and failed)


def note(request: Request, response: HttpResponseBase, *, started: float) -> None:
    """Note a call once its answer is written, as API_LOG says. `started` is of `perf_counter`."""
    if not _is_wanted(response.status_code):
        return
    add: Callable[[Any], None] = partial(_note_rendered, request, started)
    later = getattr(response, "add_post_render_callback", None)
    if later is None:
        add(response)
    else:
        later(add)


def _note_rendered(request: Request, started: float, response: Any) -> None:
    match, failed = request.resolver_match, response.status_code >= HTTP_400_BAD_REQUEST
    answered = b"" if response.streaming else response.content
    call_log.add(
        Noted(
            at=timezone.now(),
            key=getattr(request, "_auth", None),  # `auth` would authenticate a second time
            meta=request.META,
            path=request.path,
            route=match.route if match else "",
            about=match.kwargs if match else {},
            status=response.status_code,
            seconds=time.perf_counter() - started,
            told=getattr(response, "data", None) if failed else None,
            received=received_by(request._request),  # noqa: SLF001  # the same request
            answered=answered,
            answer_type=response.get("Content-Type", ""),
            answer_size=int(response.get("Content-Length", len(answered))),
        )
    )


def note_waiting(
    scope: Mapping[str, Any],
    key: ApiKey | None,
    *,
    route: str,
    about: Mapping[str, Any],
    status: int,
    started: float,
    answered: bytes = b"",
    told: object = None,
) -> None:
    """The same for a call that was answered without Django's handler."""
    if not _is_wanted(status):
        return
    call_log.add(
        Noted(
            at=timezone.now(),
            key=key,
            meta=_meta(scope),
            path=scope["path"],
            route=route,
            about=about,
            status=status,
            seconds=time.perf_counter() - started,
            told=told,
            answered=answered,
            answer_type=JSON_TYPE,
            answer_size=len(answered),
        )
    )


def _meta(scope: Mapping[str, Any]) -> dict[str, str]:
    """What the log reads of it, under WSGI's names."""
    named = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return {
        "REQUEST_METHOD": scope["method"],
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": (scope.get("client") or [""])[0],
        "HTTP_X_FORWARDED_FOR": b",".join(named).decode("latin-1"),
    }
