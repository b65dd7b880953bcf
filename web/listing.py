"""The list of reviews, as the inbox and an open review show it."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from web.access import MemberRequest
from web.queries import Filters, page_of_reviews
from web.receivers import notices_for
from web.rows import grouped


@dataclass(frozen=True)
class StatusLink:
    label: str
    query: str
    current: bool


def list_context(request: MemberRequest) -> dict[str, Any]:
    """Raises: ChannelNotFoundError, BadCursorError."""
    filters = Filters.read(request.GET, request.workspace)
    page = page_of_reviews(request.workspace, request.user, filters)
    groups = grouped(page.reviews, timezone.now())
    return {
        "section": "inbox",
        "filters": filters,
        "query": filters.query(),
        "status_links": _status_links(filters),
        "groups": groups,
        "reviews": [row.review for group in groups for row in group.rows],
        "newest": max((str(review.pk) for review in page.reviews), default=filters.cursor),
        "select_query": filters.query(select="" if filters.selecting else "1"),
        "notices": notices_for(request.membership),
        "next_page": filters.query(cursor=page.next_cursor) if page.next_cursor else "",
    }


def _status_links(filters: Filters) -> list[StatusLink]:
    labels = {
        "pending": _("Pending"),
        "done": _("Done"),
        "expired": _("Expired"),
        "all": _("All"),
    }
    return [
        StatusLink(label, filters.query(status=status) or "?", status == filters.status)
        for status, label in labels.items()
    ]
