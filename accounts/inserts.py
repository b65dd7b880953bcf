"""Storing a new row where it has to be quick: the statement is built once, not for each row."""

import functools
from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model


def insert(row: Model) -> None:
    """Store a new row, as `row.save(force_insert=True)` does, at a third of its cost.

    For models whose columns all have their values before they are stored: nothing is computed by
    the database or by a field's `pre_save`. The signals of `save` are not sent.
    """
    database, stored = connections[DEFAULT_DB_ALIAS], row.__dict__
    fields, statement = _insert_into(type(row), database.vendor)
    values = [
        None
        if (value := stored[field.attname]) is None
        else field.get_db_prep_save(value, database)
        for field in fields
    ]
    with database.cursor() as cursor:
        cursor.execute(statement, values)
    row._state.adding, row._state.db = False, database.alias  # noqa: SLF001  # what `save` leaves


@functools.cache
def _insert_into(model: type[Model], vendor: str) -> tuple[Sequence["Field[Any, Any]"], str]:
    """The columns of a model and its INSERT. A process may meet both databases, hence `vendor`."""
    quote, options = connections[DEFAULT_DB_ALIAS].ops.quote_name, model._meta  # noqa: SLF001  # Django documents it
    fields = options.concrete_fields
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return fields, f"INSERT INTO {quote(options.db_table)} ({columns}) VALUES ({places})"  # noqa: S608  # our names
