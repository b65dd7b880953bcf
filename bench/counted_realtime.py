"""The realtime process with a counter beside it: what `bench.hold_waiters` starts with uvicorn.

`GET /bench/figures` tells statements sent so far, resident memory, CPU seconds and calls that wait;
`GET /bench/memory` says which lines hold the most memory, if PYTHONTRACEMALLOC was set.
"""

import gc
import json
import resource
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

from config.asgi import application as realtime

from django.db.backends.signals import connection_created  # isort: skip  # after Django's setup
from django.dispatch import receiver  # isort: skip

LINES = 40
_statements = 0


def _count(execute: Any, *statement: Any) -> Any:
    global _statements  # noqa: PLW0603  # one figure for one process
    _statements += 1
    return execute(*statement)


@receiver(connection_created)
def _counted(connection: Any, **_: Any) -> None:
    connection.execute_wrappers.append(_count)


def figures() -> dict[str, float]:
    resident = next(
        int(line.split()[1])
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "statements": _statements,
        "resident_kb": resident,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "waiting": len(realtime.waiting.open_calls),
    }


def held_by_lines() -> str:
    top = tracemalloc.take_snapshot().statistics("lineno")[:LINES]
    kinds = Counter(type(each).__qualname__ for each in gc.get_objects())
    counted = [f"{count:>8} {name}" for name, count in kinds.most_common(LINES)]
    return "\n".join([*map(str, top), *counted])


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http" or scope["path"] not in {"/bench/figures", "/bench/memory"}:
        await realtime(scope, receive, send)
        return
    is_figures = scope["path"] == "/bench/figures"
    body = (json.dumps(figures()) if is_figures else held_by_lines()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
