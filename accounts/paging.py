"""Pages of the operators' lists, whose tables may have millions of rows."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

MOST_LISTED = 10_000


class FirstPages(Paginator):  # type: ignore[type-arg]  # not subscriptable
    """Counts no further than MOST_LISTED, and there the pages end: who wants more has to search."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_LISTED].count())
