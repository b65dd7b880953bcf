"""Django's PostgreSQL, but for how often it asks whether a kept connection still works."""

import time

from django.db.backends.postgresql import base

ASKED_EVERY_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks once a second at most, where Django asks before the first statement of each request.

    That would be one of four round trips of an agent's post. If the server ends meanwhile, a
    request fails as it would have, had the server ended a moment later; the next one reconnects.
    """

    _asked_at = 0.0

    def close_if_health_check_failed(self) -> None:
        """Judged once a request, before its first statement: never inside a transaction."""
        now = time.monotonic()
        if now - self._asked_at < ASKED_EVERY_SECONDS:
            self.health_check_done = True
        if not self.health_check_done:
            super().close_if_health_check_failed()
            self._asked_at = now
