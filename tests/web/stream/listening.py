"""A browser's tab that listens: reads an event stream as htmx does, and can stop reading."""

import http.client
import json
import queue
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client

from accounts.models import User
from web.stream.app import PATH

ENDED = "(the stream ended)"


@dataclass(frozen=True)
class Heard:
    name: str
    data: Any = None
    id: str = ""
    retry: int | None = None


def cookie_of(user: User) -> str:
    """The Cookie header of a browser in which this person has signed in."""
    browser = Client()
    browser.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"


class Tab:
    """`with Tab(url, cookie) as tab:` is open by then, and past `hello` or `resync`."""

    def __init__(self, url: str, cookie: str, *, last: str = "", reads: bool = True) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=15)
        self.headers = {"Cookie": cookie, "Accept": "text/html, text/event-stream"}
        if last:
            self.headers["Last-Event-ID"] = last
        self.last, self.reads = last, reads
        self._heard: queue.Queue[Heard] = queue.Queue()
        self.beats = 0

    def __enter__(self) -> Self:
        self.connection.request("GET", PATH, headers=self.headers)
        self.socket = self.connection.sock  # which the response takes over
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        if self.reads:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()
            self.first = self.next()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        if self.reads:
            self._reader.join(timeout=5)
        self.response.close()
        self.connection.close()
        self.socket.close()

    def _read(self) -> None:
        lines: list[str] = []
        with suppress(OSError, http.client.HTTPException, ValueError):
            while raw := self.response.readline():
                line = raw.decode().rstrip("\n")
                if line:
                    lines.append(line)
                else:
                    self._take(lines)
                    lines = []
        self._heard.put(Heard(ENDED))

    def _take(self, lines: list[str]) -> None:
        if lines == [":"]:
            self.beats += 1
            return
        fields = dict(line.split(": ", 1) for line in lines)
        self.last = fields.get("id", self.last)
        retry = fields.get("retry")
        self._heard.put(
            Heard(
                fields["event"],
                json.loads(fields["data"]),
                fields.get("id", ""),
                None if retry is None else int(retry),
            )
        )

    def next(self, *, seconds: float = 10, counts: bool = False) -> Heard:
        """The next event; numbers only if asked for."""
        while True:
            heard = self._heard.get(timeout=seconds)
            if counts or heard.name != "counts":
                return heard

    def until(self, name: str, *, seconds: float = 10) -> list[Heard]:
        """Everything up to an event of that name, without the numbers."""
        found = [self.next(seconds=seconds)]
        while found[-1].name != name:
            found.append(self.next(seconds=seconds))
        return found
