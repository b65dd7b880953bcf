"""A receiver that writes every request to a file before it answers, and answers as told."""

import contextlib
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from tests.chaos.history import Entry

REASON = {200: "OK", 404: "Not Found", 410: "Gone", 429: "Too Many Requests", 500: "Oops"}
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


@dataclass(frozen=True)
class Answer:
    """What to say. Without a status nothing valid is said; `raw` replaces all of it."""

    status: int | None = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    after: float = 0.0
    late: bool = False
    reset: bool = False
    raw: Callable[[socket.socket, threading.Event], None] | None = None


@dataclass(frozen=True)
class Hit:
    """A request, and how many times its event and anything at all came before it."""

    path: str
    event_id: str
    time_of_event: int
    time_of_all: int


type Behaviour = Callable[[Hit], Answer]


def ok(_: Hit) -> Answer:
    return Answer()


def always(status: int, **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Answer(status, named, b"no")


def failing_first(times: int) -> Behaviour:
    """500 this many times for each event, then 200."""
    return lambda hit: Answer(500, body=b"not yet") if hit.time_of_event < times else Answer()


def hanging(seconds: float) -> Behaviour:
    """Says nothing for so long that we are gone."""
    return lambda _: Answer(None, after=seconds)


def resetting(_: Hit) -> Answer:
    return Answer(None, reset=True)


def garbage(_: Hit) -> Answer:
    return Answer(None, raw=lambda sock, _: sock.sendall(b"\x00\xff\x16\x03 what?\r\n\r\n"))


class Receiver(ThreadingTCPServer):
    """One origin. `behave` can be changed at any time; paths tell scenes' channels apart."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, log: Path, behave: Behaviour = ok) -> None:
        self.log, self.behave = log, behave
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.entries: list[Entry] = []
        self._seen: Counter[str] = Counter()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def accepted(self) -> set[str]:
        with self.lock:
            return {entry.event_id for entry in self.entries if entry.accepted}

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Write the request down, in memory and on disk; returns what to answer."""
        event_id = headers.get("webhook-id", "")
        with self.lock:
            hit = Hit(path, event_id, self._seen[event_id], len(self.entries))
            answer = self.behave(hit)
            entry = Entry(time.time(), path, headers, body, answer.status, answer.late)
            self._seen[event_id] += 1
            self.entries.append(entry)
            with self.log.open("a") as log:
                log.write(json.dumps(vars(entry) | {"body": body.decode("latin-1")}) + "\n")
        return answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed breaks its connection; that is no error here."""


class _Handler(StreamRequestHandler):
    server: Receiver
    request: socket.socket

    def handle(self) -> None:
        path, headers = self._head()
        if not path:
            return
        length = int(headers.get("content-length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            return  # its sender died in the middle
        answer = self.server.take(path, headers, body)
        if answer.after and self.server.closing.wait(answer.after):
            return
        with contextlib.suppress(OSError):
            self._say(answer)

    def _head(self) -> tuple[str, dict[str, str]]:
        words = self.rfile.readline().decode("latin-1").split()
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return (words[1] if len(words) > 1 else ""), headers

    def _say(self, answer: Answer) -> None:
        if answer.raw:
            answer.raw(self.request, self.server.closing)
        elif answer.reset:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.request.close()
        elif answer.status is not None:
            head = [f"HTTP/1.1 {answer.status} {REASON.get(answer.status, 'So')}"]
            lengths = {"Content-Length": str(len(answer.body)), "Connection": "close"}
            head += [f"{name}: {value}" for name, value in (lengths | dict(answer.headers)).items()]
            self.request.sendall("\r\n".join([*head, "", ""]).encode() + answer.body)
