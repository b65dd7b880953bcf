"""Processes that may be hurt: each with its own environment, each started again when it dies."""

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.polling import happens_within

LOOK_SECONDS = 0.05


@dataclass
class Process:
    """One process of the product.

    `plan` holds the FAULTS of its next starts, one for each; after them, FAULTS in `extra` count.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    extra: dict[str, str] = field(default_factory=dict)
    plan: deque[str] = field(default_factory=deque)
    faults: str = ""
    struck: list[str] = field(default_factory=list)
    killed: int = 0
    wanted: bool = False
    running: "subprocess.Popen[bytes] | None" = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def start(self) -> None:
        """Start it, with the next faults of the plan."""
        with self.lock:
            self.faults = self.plan.popleft() if self.plan else self.extra.get("FAULTS", "")
            with self.log.open("ab") as log:
                self.running = subprocess.Popen(
                    self.command,
                    cwd=self.log.parent,
                    env={**self.environment, **self.extra, "FAULTS": self.faults},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            self.wanted = True

    @property
    def pid(self) -> int:
        assert self.running is not None, f"{self.name} was not started"
        return self.running.pid

    @property
    def alive(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def signal(self, number: signal.Signals) -> None:
        with self.lock, contextlib.suppress(ProcessLookupError):
            if self.alive:
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL. The supervisor starts it again."""
        with self.lock:
            if self.alive and self.running is not None:
                self.running.kill()
                self.running.wait()

    @property
    def paused(self) -> bool:
        """A fault or somebody stopped it with SIGSTOP."""
        stat = Path(f"/proc/{self.pid}/stat").read_text() if self.alive else ""
        return stat.rpartition(")")[2].split()[:1] == ["T"]

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it politely, by force after ten seconds; it stays down."""
        with self.lock:
            self.wanted = False
            if self.running is None:
                return
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            if not happens_within(10, lambda: not self.alive):
                self.running.kill()
            self.running.wait()

    def restart(self, **extra: str) -> None:
        """A clean stop and a start with other settings."""
        self.stop()
        self.extra = extra
        self.start()

    def calm(self) -> None:
        """Back to the stack's own settings, without faults; what is down stays down."""
        self.plan.clear()
        if self.wanted and (self.extra or self.faults):
            self.restart()

    def revive(self) -> None:
        """What a supervisor does: start what died."""
        with self.lock:
            if not self.wanted or self.alive or self.running is None:
                return
            if self.running.returncode == -signal.SIGKILL:
                self.killed += 1
                if self.faults:
                    self.struck.append(self.faults)
            self.start()


class Supervisor:
    """Looks after processes in a thread of its own until it is closed."""

    def __init__(self, processes: Callable[[], Sequence[Process]]) -> None:
        self._processes = processes
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            for process in self._processes():
                process.revive()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
