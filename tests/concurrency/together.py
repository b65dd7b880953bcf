"""Simultaneous calls."""

import threading
from collections.abc import Callable

from django.db import connection

MANY = 20


def at_once[T](calls: list[Callable[[], T]]) -> list[T]:
    """Run calls in as many threads, released together; results in the order of the calls."""
    gate = threading.Barrier(len(calls))
    results: dict[int, T] = {}

    def run(index: int) -> None:
        try:
            gate.wait()
            results[index] = calls[index]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[index] for index in sorted(results)]
