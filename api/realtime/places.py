"""How many calls a key may leave open in this process."""

import contextlib
import threading
import uuid
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from rest_framework.exceptions import Throttled


class OpenCalls:
    """Counts the open calls of each key; threads and the event loop share it."""

    def __init__(self) -> None:
        self._open: Counter[uuid.UUID] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._open.total()

    def enter(self, key_id: uuid.UUID) -> None:
        """Raises: Throttled when the key has too many open calls in this process."""
        with self._lock:
            if settings.RATE_LIMITS and self._open[key_id] >= settings.OPEN_WAITS_PER_KEY:
                raise Throttled(wait=1)
            self._open[key_id] += 1

    def leave(self, key_id: uuid.UUID) -> None:
        with self._lock:
            self._open[key_id] -= 1
            if not self._open[key_id]:
                del self._open[key_id]

    @contextlib.contextmanager
    def one_of_few(self, key_id: uuid.UUID) -> Iterator[None]:
        """Raises: Throttled."""
        self.enter(key_id)
        try:
            yield
        finally:
            self.leave(key_id)
