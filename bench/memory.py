"""What `make serve` holds in memory when nothing happens.

Starts it as `make serve` does, with a new data directory, its own Valkey and SQLite; waits until
it is ready and has been idle for some seconds, and adds up its processes. Printed: what is resident
of each (RSS), its proportional share (PSS: what several processes have in common counts once in
all), and CPU time while idle. Takes about a quarter of a minute and stops by itself.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.figures import record
from bench.stage import answers, child, cpu_seconds, free_port

MOST_MB = 350
IDLE_SECONDS = 8
OURS = ("DATA_DIR", "DATABASE_URL", "REDIS_URL", "PORT", "HOST", "LOG_LEVEL")


@dataclass(frozen=True)
class Held:
    """What one process holds, in kilobytes."""

    name: str
    rss: int
    pss: int
    private: int


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as parent:
        time.sleep(IDLE_SECONDS / 2)
        family = [parent, *descendants(parent)]
        before = sum(cpu_seconds(pid) for pid in family)
        time.sleep(IDLE_SECONDS / 2)
        busy = sum(cpu_seconds(pid) for pid in family) - before
        held = [memory(pid) for pid in family]
    for each in held:
        record("P8", f"{each.name}, resident", each.rss / 1024, "MB")
        print(f"    PSS {each.pss / 1024:.1f} MB, private {each.private / 1024:.1f} MB")
    record("P8", "CPU while idle", 100 * busy / (IDLE_SECONDS / 2), "% of a processor")
    record("P8", "`make serve` idle, PSS of all", total(each.pss for each in held), "MB")
    resident = total(each.rss for each in held)
    record("P8", "`make serve` idle, resident in all", resident, "MB", at_most=MOST_MB)


def total(kilobytes: Iterable[int]) -> float:
    return sum(kilobytes) / 1024


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[int]:
    """The product's own start, which ends its children when it ends. Yields its process's id."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment |= {"DATA_DIR": str(folder), "PORT": str(port)}
    with (folder / "said").open("wb") as said:
        command = [sys.executable, "manage.py", "serve"]
        with child(*command, env=environment, stdout=said, stderr=said) as process:
            # Ready once a tick was worked off, which takes all processes.
            if not answers(f"http://127.0.0.1:{port}/health/ready"):
                raise TimeoutError((folder / "said").read_text())
            yield process.pid


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # a thread, or a child, that ended meanwhile
            for name in (task / "children").read_text().split():
                found += [int(name), *descendants(int(name))]
    return found


def memory(pid: int) -> Held:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(size.split()[0]) for name, size in (row.split(":") for row in rows)}
    private = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return Held(name_of(pid), sizes["Rss"], sizes["Pss"], private)


def name_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    for name in ("uvicorn", "worker", "beat", "serve"):
        if name in words:
            return name
    return "valkey"


if __name__ == "__main__":
    main()
