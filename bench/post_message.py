"""What `POST /api/v1/messages` with an approval costs in-process, beside a yardstick.

Prints CPU microseconds a request (lowest decile and median), statements a request, and a plain
insert-and-commit on the same database in the same minute.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

REQUESTS = 1000


def cpu_microseconds(call: Callable[[], object]) -> list[float]:
    """CPU time of each call in this process, sorted."""
    taken = []
    for _ in range(REQUESTS):
        started = time.process_time_ns()
        call()
        taken.append((time.process_time_ns() - started) / 1000)
    return sorted(taken)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "SECRET_KEY": "bench",
            "DATA_DIR": folder,
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "ERROR",
        }
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        measure()


def measure() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from accounts.models import Workspace
    from accounts.services import issue_key
    from inbox.services import create_channel

    call_command("migrate", verbosity=0)
    workspace = Workspace.objects.create(name="Bench")
    key = issue_key(workspace=workspace, created_by=None, label="Bench").clear
    channel = create_channel(workspace=workspace, name="Bench", now=timezone.now())
    body = json.dumps(
        {
            "channelId": str(channel.pk),
            "text": "Deploy version 2 to production?",
            "review": {"type": "approval", "payload": {"options": ["approve", "reject"]}},
        }
    )
    client = Client(headers={"x-api-key": key}, SERVER_NAME="localhost")

    def post() -> None:
        answer = client.post("/api/v1/messages", body, content_type="application/json")
        assert answer.status_code == 201, answer.content  # noqa: S101, PLR2004  # else it measures errors

    def yardstick() -> None:
        Workspace.objects.create(name="Yardstick")

    for _ in range(20):
        post()
    with CaptureQueriesContext(
        connection,
    ) as statements:
        post()
    print(f"database: {connection.vendor}; {REQUESTS} calls each")
    for name, call in (("POST /api/v1/messages, approval", post), ("one-row insert", yardstick)):
        taken = cpu_microseconds(call)
        print(
            f"{name:<34} {taken[REQUESTS // 10]:8.0f} us lowest decile"
            f" {statistics.median(taken):8.0f} us median"
        )
    print(f"statements a POST, without BEGIN and COMMIT: {len(statements)}")


if __name__ == "__main__":
    main()
