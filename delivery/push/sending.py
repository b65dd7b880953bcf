"""Sending what is due: many calls in the air, one thread that writes down what came of them."""

import functools
import logging
import os
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.db import connection
from django.utils import timezone

from accounts.encryption import UndecryptableError
from delivery import egress
from delivery.models import Push
from delivery.push.envelope import request_for
from delivery.push.queue import claim, give_up, record

logger = logging.getLogger(__name__)

PLACES = 16
LOOK_SECONDS = 1.0

type Flights = dict[Future[egress.Result], Push]


def send_due() -> None:
    """Send until nothing is due and nothing is in the air.

    A push service that is slow takes one place and keeps nobody else waiting. No transaction is
    open during a call.
    """
    flights: Flights = {}
    with ThreadPoolExecutor(PLACES, thread_name_prefix="push") as pool:
        while True:
            for push in claim(limit=PLACES - len(flights)):
                _start(push, pool, flights)
            if not flights:
                return
            ended, _others = wait(flights, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for flight in ended:
                _land(flights.pop(flight), flight)


def _start(push: Push, pool: ThreadPoolExecutor, flights: Flights) -> None:
    try:
        request = request_for(push, now=timezone.now())
    except (UndecryptableError, egress.EgressRefusedError) as failure:
        give_up(push, str(failure))
    else:
        flights[pool.submit(egress.send, request)] = push


def _land(push: Push, flight: Future[egress.Result]) -> None:
    try:
        record(push, flight.result(), now=timezone.now())
    except egress.EgressRefusedError as refused:
        give_up(push, str(refused))


class Sender:
    """Sends in a thread of its own, one at a time: who wakes it never waits for a push service."""

    def __init__(self) -> None:
        self._busy = threading.Lock()

    def wake(self) -> None:
        """Start sending, unless that is going on. A wake that comes too late is a tick's delay."""
        if self._busy.acquire(blocking=False):
            threading.Thread(target=self._run, name="push", daemon=True).start()

    def _run(self) -> None:
        try:
            send_due()
        except Exception:  # what was claimed is due again later
            logger.exception("push")
        finally:
            connection.close()
            self._busy.release()


@functools.cache
def running_sender() -> Sender:
    """This process's sender."""
    return Sender()


# A copy of a process has none of its threads, but perhaps a lock that one of them holds.
os.register_at_fork(after_in_child=running_sender.cache_clear)
