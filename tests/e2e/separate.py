"""The processes that the compose file names, started by hand on loopback.

Commands come from the compose file itself; only addresses and ports are replaced. PostgreSQL,
Redis and Caddy are the installed ones.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.e2e.stack import ROOT, Stack
from tests.polling import happens_within
from tests.postgres import Postgres, free_port

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
BINARIES = Path(sys.executable).parent


class Separate(Stack):
    """Everything on its own, behind Caddy."""

    @staticmethod
    def missing() -> str:
        return " ".join(name for name in ("redis-server", "caddy") if not shutil.which(name))

    def launch(self) -> "subprocess.Popen[str]":
        """Returns the proxy, the last process to start."""
        self.started: list[subprocess.Popen[Any]] = []
        self.postgres = Postgres()
        try:
            return self._launch()
        except BaseException:
            self._end()
            raise

    def _launch(self) -> "subprocess.Popen[str]":
        self.web, self.realtime, redis = free_port(), free_port(), free_port()
        self.environment = {
            "DATABASE_URL": self.postgres.start(),
            "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
            "PUBLIC_URL": f"http://localhost:{self.port}",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            "LICET_SITE": f"http://localhost:{self.port}",
            "LICET_WEB": f"127.0.0.1:{self.web}",
            "LICET_REALTIME": f"127.0.0.1:{self.realtime}",
        }
        self._start(["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", ""])
        setup = self._run(self._command("setup"))
        self.lines += setup.stdout.splitlines()
        for name in ("web", "realtime", "worker", "beat"):
            self._start(self._command(name))
        proxy = ["caddy", "run", "--config", str(ROOT / "config/Caddyfile")]
        return self._start([*proxy, "--adapter", "caddyfile"])

    def _command(self, name: str) -> list[str]:
        """A service's command, on loopback and on our ports."""
        program, *words = SERVICES[name]["command"]
        ports = {"0.0.0.0": "127.0.0.1", "8000": str(self.web), "8001": str(self.realtime)}  # noqa: S104
        return [str(BINARIES / program), *(ports.get(word, word) for word in words)]

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE,
            check=True,
        )

    def _start(self, command: list[str]) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE if command[0] == "caddy" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        self.started.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"PATH": os.environ["PATH"], "HOME": str(self.folder)}

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            address = f"http://localhost:{self.port}/health/ready"
            return requests.get(address, timeout=2).ok

        assert happens_within(60, ready), "the separate processes are not ready"

    def stop(self) -> float:
        begun = time.monotonic()
        self._end()
        self.reader.join(timeout=5)
        return time.monotonic() - begun

    def _end(self) -> None:
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.wait(timeout=20)
        self.postgres.stop()
