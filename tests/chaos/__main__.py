"""`python -m tests.chaos [long | again]`: every promise on both databases at the same time.

Each database has a pytest of its own; most of a scene is waiting, so two share a machine well.
Lines are printed as they are known, and all of them at the end. Exits non-zero if one is broken.
`again` repeats the scenes that were broken the last time.
"""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

DATABASES = ("sqlite", "postgresql")
LINE = re.compile(r"[DTHFN]\d* (sqlite|postgresql): ")
SHORT, LONG = "chaos and not long", "chaos"
NOTHING = pytest.ExitCode.NO_TESTS_COLLECTED
AGAIN = ("--last-failed", "--last-failed-no-failures", "none")


class Run:
    """One database's pytest."""

    def __init__(self, database: str, *, long: bool, again: bool, seed: str) -> None:
        self.output: list[str] = []
        environment = {"CHAOS_DATABASES": database, "CHAOS": "long" if long else "", "SEED": seed}
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-m", LONG if long else SHORT, "tests/chaos"),
                *("-o", f"cache_dir=.pytest_cache/chaos-{database}"),
                *(AGAIN if again else ()),
            ],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            known = line in self.output
            self.output.append(line)
            if LINE.match(line) and not known:
                print(line, end="", flush=True)

    def wait(self) -> int:
        self._reader.join()
        return self._process.wait()

    def interrupt(self) -> None:
        """As Ctrl-C does: it ends what it started."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    @property
    def lines(self) -> list[str]:
        return sorted({line.rstrip() for line in self.output if LINE.match(line)}, key=_place)


def _place(line: str) -> tuple[int, int]:
    """D1 to D12, T1 to T4, H1 and H2, F3, then the random ones."""
    letter, digits = line[0], re.match(r"\d*", line[1:])
    return "DTHFN".index(letter), int((digits and digits[0]) or 0)


def main() -> int:
    long, again = "long" in sys.argv[1:], "again" in sys.argv[1:]
    seed = os.environ.get("SEED") or str(random.randrange(10**6))  # noqa: S311  # repeatable on purpose
    started = time.monotonic()
    if long:
        print(f"SEED={seed}", flush=True)
    runs = {database: Run(database, long=long, again=again, seed=seed) for database in DATABASES}
    try:
        codes = {database: run.wait() for database, run in runs.items()}
    except KeyboardInterrupt:
        for run in runs.values():
            run.interrupt()
        codes = {database: run.wait() for database, run in runs.items()}
    if again and set(codes.values()) != {NOTHING}:  # one of them may have had nothing to repeat
        codes = {database: code for database, code in codes.items() if code != NOTHING}
    for database, code in codes.items():
        if code:
            print(f"\n{database}:\n{''.join(runs[database].output)}")
    print("\nAll promises:" if not any(codes.values()) else "\nBROKEN:")
    print("\n".join(sorted((line for run in runs.values() for line in run.lines), key=_place)))
    print(f"{time.monotonic() - started:.0f} s" + (f", SEED={seed}" if long else ""))
    return max(codes.values())


if __name__ == "__main__":
    sys.exit(main())
