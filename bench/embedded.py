"""P4 as `make serve` does it: SQLite and a small Valkey of its own, no service around it.

150 reviews are decided at 20 a second by another process on the same data directory; taken is the
time from the commit to the arrival at the receiver. Stops by itself after about 25 seconds.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.asked import percentile
from bench.callbacks import soon
from bench.figures import record
from bench.receivers import receivers
from bench.stage import child, owner
from tests.postgres import free_port

START_SECONDS = 60
SOON_P50 = 10


def main() -> None:
    with receivers(1) as running, served():
        import django

        django.setup()
        taken = soon(owner().memberships.get().workspace, running)
    record("P4", "commit to callback, embedded, p50", percentile(taken, 50), "ms", at_most=SOON_P50)
    record("P4", "commit to callback, embedded, p99", percentile(taken, 99), "ms")


@contextlib.contextmanager
def served() -> Iterator[None]:
    """The product as it starts by default; this process and its children use its data directory."""
    with tempfile.TemporaryDirectory() as name:
        os.environ.pop("DATABASE_URL", None)
        os.environ.pop("REDIS_URL", None)
        os.environ |= {
            "SECRET_KEY": "bench",
            "DATA_DIR": name,
            "PORT": str(free_port()),
            "LOG_LEVEL": "ERROR",
            "EGRESS_ALLOW": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        manage = str(Path(__file__).parents[1] / "manage.py")
        with child(sys.executable, manage, "serve", stdout=subprocess.DEVNULL):
            wait_until_healthy()
            yield


def wait_until_healthy() -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(
                f"http://127.0.0.1:{os.environ['PORT']}/health", timeout=1
            ).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
