"""What ten hostile receivers cost the sender that meets them.

Each receiver gets a sender in a process of its own, whose memory holds nothing else; all ten run at
once, with the real limit of 15 seconds. Printed, a line each: seconds, growth of memory at its
highest, outcome. Takes about 20 seconds and stops by itself. Needs Linux.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from tests.delivery.hostile import TEN, Hostile, Memory

LONGEST_SECONDS = 40
SENDER = "--sender"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        environment = os.environ | {
            "SECRET_KEY": "bench",
            "DATA_DIR": folder,
            "EGRESS_ALLOW": "127.0.0.1",
            "EGRESS_ATTEMPT_SECONDS": "15",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        senders = {}
        for name, answer in TEN.items():
            receiver = running.enter_context(Hostile(answer))
            senders[name] = start_sender(receiver.url, environment)
        for name, sender in senders.items():
            output, _ = sender.communicate(timeout=LONGEST_SECONDS)
            print(f"{name:<28}{output.strip()}", flush=True)


def start_sender(url: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.hostile_receivers", SENDER, url]
    return subprocess.Popen(  # noqa: S603  # our own command line
        command, env=environment, stdout=subprocess.PIPE, text=True
    )


def meet(url: str) -> None:
    """Send once to somebody harmless, so that what is loaded once is loaded; then measure."""
    import django

    django.setup()
    from delivery.egress import Request, send

    with harmless() as address:
        send(Request(url=address, method="POST", headers={}, body=b"{}"))
    memory, started = Memory(), time.monotonic()
    result = send(Request(url=url, method="POST", headers={}, body=b"{}"))
    taken = time.monotonic() - started
    outcome = f"status {result.status}, {len(result.head)} characters kept"
    print(f"{taken:6.2f} s {memory.growth():6.2f} MB   {result.error or outcome}")


@contextlib.contextmanager
def harmless() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.handle_request, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.server_close()


if __name__ == "__main__":
    if sys.argv[1:2] == [SENDER]:
        meet(sys.argv[2])
    else:
        main()
