"""Few rows out of many: pages and counts that cost the same however large a table is."""

from typing import Any

from django.db.models import IntegerField, Model, QuerySet, Subquery

# Whoever has that many knows that it is many: numbers above it are not counted.
COUNTED = 1000
FEW = 100  # where it is counted for each row of a list


def first_of[M: Model](rows: QuerySet[M], number: int) -> QuerySet[M]:
    """The first rows, in one statement whose inner part chooses them by their ids alone.

    Without it PostgreSQL may join and merge whole tables in the order of their ids, because it
    takes what is wanted to lie evenly among all ids. Open reviews all lie at the end.
    """
    return rows.filter(pk__in=rows.values("pk")[:number])


def count_of(rows: QuerySet[Any]) -> int:
    """How many rows there are, up to COUNTED."""
    return rows.order_by()[:COUNTED].count()


class CountOf(Subquery):
    """The same within another statement; rows of the outer one are named by `OuterRef`."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any], *, most: int = COUNTED) -> None:
        super().__init__(rows.order_by().values("pk")[:most])
