"""The database's clock. It, not the caller's, judges deadlines, leases and due times."""

from typing import Any

from django.db.models import DateTimeField, Func
from django.db.models.sql.compiler import SQLCompiler


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
