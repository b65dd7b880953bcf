"""Signs of life of the processes that send and expire, judged from the database.

A Celery worker can lose its broker connection and stay up without taking any more tasks. Then the
process says nothing, its beat gets old, and it ends itself so that its supervisor starts another.
"""

import functools
import logging
import os
import socket
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path

from redis.exceptions import RedisError

from delivery import bus
from delivery.clock import ClockTimestamp
from delivery.models import EngineBeat, Lane

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(days=1)
DEAF_AFTER_SECONDS = 60.0
EXIT_DEAF = 70


def heard() -> None:
    """A tick came: this worker is not deaf."""
    _watch().seen_at = time.monotonic()


def seconds_since_heard() -> float:
    return time.monotonic() - _watch().seen_at


def beat(token: uuid.UUID) -> None:
    """Leave a sign of life, from which readiness is judged, and look after dead neighbours."""
    pid, born = os.getpid(), _born(os.getpid())
    EngineBeat.objects.update_or_create(
        name=f"{socket.gethostname()}:{pid}:{born}",
        defaults={
            "seen_at": ClockTimestamp(),
            "place": _place(),
            "pid": pid,
            "born": born,
            "token": token,
        },
    )
    EngineBeat.objects.filter(seen_at__lt=ClockTimestamp() - FORGOTTEN_AFTER).delete()
    free_lanes_of_the_dead()


def free_lanes_of_the_dead() -> int:
    """Give back what killed processes of this machine held, without waiting for their leases.

    Only where it is certain: same machine, same container, and no such process any more. Returns
    how many lanes were freed.
    """
    freed, place = 0, _place()
    for neighbour in EngineBeat.objects.filter(place=place).exclude(place="") if place else ():
        if _born(neighbour.pid) == neighbour.born:
            continue
        held = Lane.objects.filter(lease_token=neighbour.token).exclude(lease_token=None)
        freed += held.update(lease_until=ClockTimestamp(), lease_token=None)
        neighbour.delete()
    if freed:
        logger.warning("%d lanes of a process that was killed are free again", freed)
    return freed


@functools.cache
def _place() -> str:
    """This boot of this machine, and its namespace of process ids; empty where nobody can tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _born(pid: int) -> int:
    """When a process started, in the kernel's ticks since boot; 0 if there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    state, *fields = status.rpartition(")")[2].split()
    return 0 if state == "Z" else int(fields[18])


class Watch:
    """Ends a worker that gets no ticks although the broker answers."""

    def __init__(self) -> None:
        self.seen_at = time.monotonic()

    def is_deaf(self) -> bool:
        """Nothing was heard for a minute, and Redis is there."""
        if time.monotonic() - self.seen_at < DEAF_AFTER_SECONDS:
            return False
        try:
            return bool(bus.client().ping())
        except (RedisError, OSError):
            return False

    def run(self) -> None:
        while not self.is_deaf():
            time.sleep(DEAF_AFTER_SECONDS / 4)
        logger.critical("no tick for %d s although Redis answers; ending", DEAF_AFTER_SECONDS)
        os._exit(EXIT_DEAF)


@functools.cache
def _watch() -> Watch:
    return Watch()


def start_watch() -> None:
    """Call it once in a worker, when it is ready."""
    threading.Thread(target=_watch().run, name="watch", daemon=True).start()
