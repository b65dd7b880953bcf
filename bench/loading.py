"""Rows by the million, straight into tables: COPY on PostgreSQL, `executemany` on SQLite.

Only for databases that are made to be measured: foreign keys are not checked while it loads.
"""

import contextlib
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Row = tuple[Any, ...]


def plain_id(at: datetime, chance: random.Random) -> str:
    """A UUIDv7 as 32 digits, which both databases take; the same for the same chance."""
    milliseconds, microseconds = divmod((at - EPOCH) // MICROSECOND, 1000)
    fraction = microseconds * 4096 // 1000
    return f"{milliseconds:012x}7{fraction:03x}{(2 << 62) | chance.getrandbits(62):016x}"


def plain_time(at: datetime) -> str:
    """As SQLite keeps it; PostgreSQL reads it in the zone of the connection, which is UTC."""
    return at.isoformat(" ", "microseconds")[:26]


class Table:
    """Rows of one model that wait to be written. What is not named stays empty, or the default."""

    def __init__(self, model: type[models.Model], columns: str, **constants: Any) -> None:
        fields = {field.attname: field for field in model._meta.concrete_fields}  # noqa: SLF001
        names = columns.split()
        self._name = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001
        self._columns = ", ".join(
            connection.ops.quote_name(str(fields[name].column)) for name in [*names, *constants]
        )
        self._constants = tuple(constants.values())
        self._rows: list[Row] = []
        self.count = 0

    def add(self, *row: Any) -> None:
        self._rows.append(row + self._constants)

    def flush(self) -> None:
        rows, self._rows = self._rows, []
        self.count += len(rows)
        if not rows:
            return
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                self._copy(cursor, rows)
            else:
                self._insert(cursor, rows)

    def _insert(self, cursor: Any, rows: Sequence[Row]) -> None:
        places = ", ".join(["%s"] * len(rows[0]))
        insert = f"INSERT INTO {self._name} ({self._columns}) VALUES ({places})"  # noqa: S608
        cursor.executemany(insert, [tuple(map(_for_sqlite, row)) for row in rows])

    def _copy(self, cursor: Any, rows: Sequence[Row]) -> None:
        with cursor.copy(f"COPY {self._name} ({self._columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _for_sqlite(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value


@contextlib.contextmanager
def unchecked() -> Iterator[None]:
    """No look at foreign keys: three quarters of the time would go there."""
    if connection.vendor != "postgresql":
        with connection.constraint_checks_disabled():
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def analyze() -> None:
    """What a database learns by itself in its first minutes: how values are distributed."""
    whole = connection.vendor == "postgresql" and not connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if whole else "ANALYZE")
