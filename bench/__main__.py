"""Run every benchmark for three rounds, and print one table: `python -m bench`, at most 15 minutes.

Each round is a process of its own that starts with a new database: a durable PostgreSQL where one
is installed, else SQLite. Programs that seed a million messages run once, and measure three times.
The table has the median of the rounds, the least and the greatest. Names of programs choose some
of them (`python -m bench callbacks expire`); `--out` writes the table to a file as well.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from bench.figures import KEPT_IN, YARDSTICK, Figure, readable

ROUNDS = 3
PROGRAMS = {  # how often each is started
    "post_message": 1,
    "throughput": 1,
    "hold_waiters": ROUNDS,
    "callbacks": ROUNDS,
    "embedded": ROUNDS,
    "expire": ROUNDS,
    "memory": ROUNDS,
    "lists": 1,
}
LONGEST = 300  # seconds of one program
PACKAGES = ["django", "djangorestframework", "celery", "granian", "uvicorn", "psycopg"]


def main() -> None:
    chosen = arguments()
    os.environ.setdefault("BENCH_DATABASE", "postgresql" if has_postgresql() else "sqlite")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[KEPT_IN] = str(Path(folder) / "figures")
        for name in chosen.programs or PROGRAMS:
            for _ in range(PROGRAMS[name]):
                run(name)
        lines = Path(os.environ[KEPT_IN]).read_text().splitlines()
    figures = [Figure(**json.loads(line)) for line in lines]
    written = "\n".join(table(figures, minutes=(time.monotonic() - started) / 60)) + "\n"
    print(written)
    if chosen.out:
        chosen.out.write_text(written)


def run(name: str) -> None:
    """Run a program. One that takes too long is interrupted, so that it ends what it started."""
    command = [sys.executable, "-m", f"bench.{name}"]
    with subprocess.Popen(command) as process:  # noqa: S603  # our own programs
        try:
            code = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            raise
    if code:
        raise SystemExit(f"{name} ended with {code}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="*", choices=[*PROGRAMS, []])
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def has_postgresql() -> bool:
    from tests.postgres import binaries

    try:
        return (binaries() / "initdb").exists()
    except ImportError:
        return False


def table(figures: Sequence[Figure], *, minutes: float) -> Iterator[str]:
    yield f"Measured {time.strftime('%Y-%m-%d')} in {minutes:.0f} minutes: {machine()}."
    yield ""
    yield "| # | what | median | least to greatest | target | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for same in grouped(figures):
        yield row(same)


def grouped(figures: Sequence[Figure]) -> list[list[Figure]]:
    """Figures of the same thing; yardsticks come last."""
    found: dict[tuple[str, str], list[Figure]] = {}
    for figure in sorted(figures, key=lambda each: (each.target == YARDSTICK, each.target)):
        found.setdefault((figure.target, figure.what), []).append(figure)
    return list(found.values())


def row(same: Sequence[Figure]) -> str:
    values = [figure.value for figure in same]
    median = replace(same[0], value=statistics.median(values))
    spread = f"{readable(min(values))} to {readable(max(values))}" if len(values) > 1 else ""
    verdict = {True: "met", False: "missed", None: ""}[median.met]
    shown = f"{readable(median.value)} {median.unit}".rstrip()
    return f"| {median.target} | {median.what} | {shown} | {spread} | {median.goal} | {verdict} |"


def machine() -> str:
    """Processors, memory, and the versions of what was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} processors, {memory:.0f} GiB, {platform.system()} on "
        f"{platform.machine()}; Python {platform.python_version()}, {packages}; "
        f"{os.environ['BENCH_DATABASE']}"
    )


if __name__ == "__main__":
    main()
