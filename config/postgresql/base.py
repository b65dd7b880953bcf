"""Django's PostgreSQL, but for large statements and for how often connections are asked."""

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.base import CursorMixin

ASKED_EVERY_SECONDS = 1.0
MOST_PARAMETERS = 65_535  # the protocol counts them in two bytes


class Cursor(CursorMixin, psycopg.Cursor[Any]):
    """Django's cursor that lets the server place values, as long as that takes so many.

    Django deletes what hangs on an agent with one statement for all of its messages.
    """

    def execute(  # type: ignore[override]  # one of its two forms; Django uses no other
        self, query: Any, params: Sequence[Any] | None = None, **options: Any
    ) -> Any:
        if params is not None and len(params) > MOST_PARAMETERS:
            query, params = psycopg.ClientCursor(self.connection).mogrify(query, params), None
        return super().execute(query, params, **options)


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks a connection for a sign of life once a second at most, not before each request.

    That would be one of four round trips of an agent's post. If the server ends meanwhile, a
    request fails as it would have, had the server ended a moment later; the next one reconnects.
    """

    _asked_at = 0.0

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if parameters["cursor_factory"] is base.ServerBindingCursor:
            parameters["cursor_factory"] = Cursor
        return parameters

    def close_if_health_check_failed(self) -> None:
        """Judged once a request, before its first statement: never inside a transaction."""
        now = time.monotonic()
        if now - self._asked_at < ASKED_EVERY_SECONDS:
            self.health_check_done = True
        if not self.health_check_done:
            super().close_if_health_check_failed()
            self._asked_at = now
