"""What `POST /api/v1/messages` with an approval costs in-process, beside a yardstick.

Calls the application as the web server does, through all middlewares. Prints CPU microseconds a
request (lowest decile and median), statements a request with BEGIN and COMMIT, and a plain
insert-and-commit on the same database in the same minute, and the same post as most would write it
(`bench.idiomatic`). `--profile` shows where the time goes.
"""

import argparse
import cProfile
import io
import pstats
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.figures import record
from bench.posts import Post, posts

REQUESTS = 500
ROUNDS = 3
WARM_UP = 50
CREATED = "201 Created"
POST = "POST /api/v1/messages, approval"
SHOWN = 25


def cpu_microseconds(call: Callable[[], object]) -> list[float]:
    """CPU time of each call in this process, sorted."""
    taken = []
    for _ in range(REQUESTS):
        started = time.process_time_ns()
        call()
        taken.append((time.process_time_ns() - started) / 1000)
    return sorted(taken)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--profile", action="store_true", help="show where the time goes")
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = arguments.parse_args()
    from bench.stage import stage

    with stage():
        measure(rounds=chosen.rounds, profiled=chosen.profile)


def measure(*, rounds: int, profiled: bool) -> None:
    from django.conf import settings
    from django.db import connection

    from accounts.models import Workspace

    settings.ROOT_URLCONF = "bench.idiomatic"  # our routes, and one more
    post, plain = map(poster, posts(Workspace.objects.create(name="Bench")))
    for _ in range(WARM_UP):
        post()
        plain()
    print(f"database: {connection.vendor}; {rounds} rounds of {REQUESTS} calls each")
    for _ in range(rounds):
        report("one-row insert", lambda: Workspace.objects.create(name="Yardstick"))
        idiomatic, ours = report("the same, idiomatic", plain), report(POST, post)
        record("P1", "CPU a post, in-process, lowest decile", ours, "us", at_most=600)
        record("P1", "CPU a post, in-process, idiomatic : ours", idiomatic / ours)
    statements = len(statements_of(post))
    record("P1", "statements a post, with BEGIN and COMMIT", statements, at_most=4)
    print(f"statements of the idiomatic one: {len(statements_of(plain))}")
    if profiled:
        profile(post)


def poster(what: Post) -> Callable[[], None]:
    """A function that posts this in-process, through all middlewares."""
    from config.wsgi import application

    environ = request_environ(what.path, what.key, length=len(what.body))

    def post() -> None:
        answered: list[str] = []
        answer: Any = application(
            {**environ, "wsgi.input": io.BytesIO(what.body)},
            lambda status, _: answered.append(status),
        )
        content = b"".join(answer)
        answer.close()
        if answered != [CREATED]:
            raise RuntimeError(content)  # else it would measure errors

    return post


def request_environ(path: str, key: str, *, length: int) -> dict[str, Any]:
    """What a web server hands on of a POST with a JSON body."""
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(length),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:8000",
        "HTTP_ACCEPT": "*/*",
        "HTTP_USER_AGENT": "bench",
        "HTTP_X_API_KEY": key,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def report(name: str, call: Callable[[], object]) -> float:
    """Print what a call costs. Returns the lowest decile."""
    taken = cpu_microseconds(call)
    lowest, median = taken[REQUESTS // 10], statistics.median(taken)
    print(f"{name:<34} {lowest:8.0f} us lowest decile {median:8.0f} us median")
    return lowest


def statements_of(call: Callable[[], object]) -> list[str]:
    """What a call asks of the database on this thread's connection, BEGIN and COMMIT included."""
    from django.db import connection, reset_queries
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        call()
    statements = [query["sql"] for query in captured.captured_queries]
    reset_queries()
    return statements


def profile(call: Callable[[], object]) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(REQUESTS):
        call()
    profiler.disable()
    for order in ("tottime", "cumulative"):
        pstats.Stats(profiler).sort_stats(order).print_stats(SHOWN)


if __name__ == "__main__":
    main()
