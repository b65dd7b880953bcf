"""The database's clock. It, not the caller's, judges deadlines, leases and due times."""

from datetime import datetime
from typing import Any, cast

from django.db import connection
from django.db.models import DateTimeField, Func
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone


def database_now() -> datetime:
    """What the database's clock says. SQLite has none of its own: it reads this machine's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return cast("datetime", now)


class ClockTimestamp(Func):
    """The moment this is evaluated, not the moment its transaction began.

    A statement that waited for a row lock must judge with the time after the wait.
    """

    output_field = DateTimeField()
    template = "%(function)s()"
    function = "clock_timestamp"

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **extra: Any) -> Any:
        # Evaluated inside BEGIN IMMEDIATE, therefore after the write lock was obtained.
        return self.as_sql(
            compiler,
            connection,
            template="strftime('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'now')",
            **extra,
        )


class StatementTimestamp(ClockTimestamp):
    """The moment its statement began, for statements that do not wait for locks.

    It stays the same throughout, so that an index can be asked for what is due. What
    `clock_timestamp()` bounds, PostgreSQL compares row by row.
    """

    function = "statement_timestamp"
