"""Pages of the operators' lists, whose tables may have millions of rows."""

from functools import cached_property

from django.core.paginator import Paginator

MOST_LISTED = 10_000


class FirstPages(Paginator):  # type: ignore[type-arg]  # not subscriptable
    """Counts no further than MOST_LISTED, and there the pages end: who wants more has to search."""

    @cached_property
    def count(self) -> int:
        return int(self.object_list.order_by()[:MOST_LISTED].count())
