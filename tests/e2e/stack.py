"""The product as an operator starts it: `serve` in a process of its own, on a free port."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import requests

from tests import migrated
from tests.e2e.carded import gather_plugins
from tests.polling import happens_within
from tests.postgres import free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
EMAIL = "owner@example.org"
KEY = "hp_" + "5ca1ab1e" * 6


@dataclass
class Stack:
    """Use as a context manager: it starts, waits until it is ready, and ends what it started."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    migrated: bool = False  # begins with a copy of a migrated database, which takes 3 seconds less

    def __enter__(self) -> Self:
        if self.migrated:
            migrated.copy_sqlite(self.folder / "licet.sqlite3")
        self.process = self.launch()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait_until_ready()
        self.url = f"http://localhost:{self.port}"
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @staticmethod
    def missing() -> str:
        """What has to be installed first."""
        return ""

    def launch(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "PORT": str(self.port),
            "DATA_DIR": str(self.folder),
            "PLUGINS_DIR": str(gather_plugins()),
            "ADMIN_EMAIL": EMAIL,
            "ADMIN_PASSWORD": PASSWORD,
            "BOOTSTRAP_API_KEY": KEY,
            "EGRESS_ALLOW": "127.0.0.1",
            "RATE_LIMITS": "off",
            "EGRESS_ATTEMPT_SECONDS": "2",
            "DELIVERY_LEASE_SECONDS": "4",
            "DELIVERY_SCHEDULE": "0.5,1,1,1,1",
            **self.environment,
        }

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip("\n"))

    def wait_until_ready(self) -> None:
        self.wait_for_line("ready at", seconds=60)

    def wait_for_line(self, text: str, seconds: float) -> None:
        def said_or_dead() -> bool:
            return self.has_said(text) or self.process.poll() is not None

        happens_within(seconds, said_or_dead)
        assert self.has_said(text), "\n".join(["the server is not ready:", *self.lines])

    def has_said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def find(self, pattern: str) -> list[str]:
        return [match[1] for line in self.lines if (match := re.search(pattern, line))]

    def children(self) -> dict[int, str]:
        """Every process below the parent: pid and command line."""
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "pid=,ppid=,args="],  # noqa: S607  # wherever it is
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()]
        found: dict[int, str] = {}
        for pid, parent, command in rows:
            if int(parent) == self.process.pid or int(parent) in found:
                found[int(pid)] = command
        return found

    def child(self, word: str) -> int:
        """The pid of the child whose command line has this word."""
        (pid,) = [pid for pid, command in self.children().items() if word in command]
        return pid

    def stop(self) -> float:
        """SIGTERM; returns the seconds it took."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        self.reader.join(timeout=5)
        return time.monotonic() - started

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(
            method, f"{self.url}{path}", json=body, headers={"x-api-key": KEY}, timeout=40
        )

    @property
    def channel(self) -> str:
        """The id of the agent that the API lists first, which `ask` writes for: the newest."""
        return str(self.call("GET", "/api/v1/agents").json()[0]["id"])

    @property
    def secret(self) -> str:
        """What signs the events of that agent."""
        shown = self.call("GET", f"/api/v1/agents/{self.channel}/signing-secrets").json()
        return str(shown["secrets"][0]["secret"])

    def ask(self, review: Mapping[str, object], **message: object) -> str:
        """Post a request for review; returns its id."""
        body = {"channelId": self.channel, "text": "Deploy version 2?", "review": review} | message
        answer = self.call("POST", "/api/v1/messages", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def wait_for(self, review_id: str, timeout: int = 30_000) -> dict[str, object]:
        answer = self.call("GET", f"/api/v1/reviews/{review_id}/wait?timeout={timeout}")
        found: dict[str, object] = answer.json()
        return found
