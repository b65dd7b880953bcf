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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import Workspace

REQUESTS = 1000
CREATED = 201


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

    from accounts.models import Workspace

    call_command("migrate", verbosity=0)
    workspace = Workspace.objects.create(name="Bench")
    post = poster(workspace)
    for _ in range(20):
        post()
    print(f"database: {connection.vendor}; {REQUESTS} calls each")
    report("POST /api/v1/messages, approval", post)
    report("one-row insert", lambda: Workspace.objects.create(name="Yardstick"))
    print(f"statements a POST, without BEGIN and COMMIT: {statements_of(post)}")


def poster(workspace: "Workspace") -> Callable[[], None]:
    """A function that posts one request for approval, in-process, through all middlewares."""
    from django.test import Client
    from django.utils import timezone

    from accounts.services import issue_key
    from inbox.services.channels import create_channel

    key = issue_key(workspace=workspace, created_by=None, label="Bench").clear
    channel = create_channel(workspace=workspace, name="Bench", now=timezone.now())
    review = {"type": "approval", "payload": {"options": ["approve", "reject"]}}
    body = json.dumps({"channelId": str(channel.pk), "text": "Deploy?", "review": review})
    client = Client(headers={"x-api-key": key}, SERVER_NAME="localhost")

    def post() -> None:
        answer = client.post("/api/v1/messages", body, content_type="application/json")
        if answer.status_code != CREATED:
            raise RuntimeError(answer.content)  # else it would measure errors

    return post


def report(name: str, call: Callable[[], object]) -> None:
    taken = cpu_microseconds(call)
    lowest, median = taken[REQUESTS // 10], statistics.median(taken)
    print(f"{name:<34} {lowest:8.0f} us lowest decile {median:8.0f} us median")


def statements_of(call: Callable[[], object]) -> int:
    from django.db import connection

    statements: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        call()
    return len(statements)


if __name__ == "__main__":
    main()
