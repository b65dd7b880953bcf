"""The same work given to a peer: awaithumans, from PyPI, beside ours, one web process each.

`python -m bench.peers PYTHON` drives what that interpreter has installed; without it, a virtual
environment is made in a new folder and `awaithumans[server]` installed into it, which needs a
package index. Both get a database of their own on the same server (SQLite files without one), and
requests for approval over 16 connections that stay open, in turn for three rounds. Printed: posts a
second, CPU of the server's processes for each, and the ratios. Optional: no part of `bench`.
"""

import base64
import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from bench.figures import record
from bench.posts import posts
from bench.stage import answers, child, free_port, owner, stage, yardsticks
from bench.throughput import ROUNDS, http, measured, web

type Request = Callable[[], bytes]

PEER = "awaithumans"
HOUR = 3600


def main() -> None:
    with contextlib.ExitStack() as running:
        folder = running.enter_context(stage())
        python = sys.argv[1] if sys.argv[1:] else installed(folder)
        yardsticks()
        ours, _ = posts(owner().memberships.get().workspace)
        port, process = running.enter_context(web(workers=1))
        peers_port, peers_process, theirs = running.enter_context(peer(python, folder))
        for _ in range(ROUNDS):
            rate, cost = measured(port, process.pid, lambda: http(ours))
            peers_rate, peers_cost = measured(peers_port, peers_process.pid, theirs)
            record(PEER, "posts a second, ours", rate)
            record(PEER, "posts a second, theirs", peers_rate)
            record(PEER, "CPU a post, ours", cost * 1e6, "us")
            record(PEER, "CPU a post, theirs", peers_cost * 1e6, "us")
            record(PEER, "posts a second, ours : theirs", rate / peers_rate, at_least=1)


def installed(folder: Path) -> str:
    """The interpreter of a new environment that has it."""
    environment = folder / "peer"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)  # noqa: S603
    python = environment / "bin" / "python"
    # Its migrations ask a newer SQLAlchemy than it names for psycopg, which it does not name.
    wanted = [f"{PEER}[server]", "psycopg[binary]"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)  # noqa: S603
    return str(python)


@contextlib.contextmanager
def peer(python: str, folder: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]", Request]]:
    port, token = free_port(), secrets.token_urlsafe(24)
    environment = {
        **os.environ,
        "AWAITHUMANS_DATABASE_URL": database_for_peer(folder),
        "AWAITHUMANS_ADMIN_API_TOKEN": token,
        "AWAITHUMANS_PAYLOAD_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AWAITHUMANS_LOG_LEVEL": "ERROR",
    }
    for ours in ("PYTHONPATH", "DATABASE_URL"):
        environment.pop(ours, None)
    command = [
        *(python, "-m", "uvicorn", "--factory", f"{PEER}.server.app:create_app"),
        *("--port", str(port), "--no-access-log", "--log-level", "error"),
    ]
    log = folder / "peer.log"
    with (
        log.open("wb") as said,
        child(*command, cwd=folder, env=environment, stdout=said, stderr=said) as process,
    ):
        if not answers(f"http://127.0.0.1:{port}/api/health"):
            raise SystemExit(f"the peer does not answer:\n{log.read_text()}")
        yield port, process, approvals(token)


def database_for_peer(folder: Path) -> str:
    """A database beside ours on the same server, else a file."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return f"sqlite:///{folder}/peer.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE peer")
    return os.environ["DATABASE_URL"].rpartition("/")[0] + "/peer"


def approvals(token: str) -> Request:
    """Each call gives another request for approval: they tell repeats by a key in the body."""
    numbers = count()

    def request() -> bytes:
        fields = {
            "task": "Deploy?",
            "payload": {"text": "Deploy?"},
            "payload_schema": {"type": "object"},
            "response_schema": {
                "type": "object",
                "properties": {"selected": {"enum": ["approve", "reject"]}},
            },
            "timeout_seconds": 24 * HOUR,
            "idempotency_key": f"bench-{next(numbers)}",
        }
        body = json.dumps(fields).encode()
        head = (
            "POST /api/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    return request


if __name__ == "__main__":
    main()
