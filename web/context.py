"""What every page shows around its content."""

from typing import Any

from django.http import HttpRequest

from accounts.models import Membership
from inbox.queries import channels_of
from reviews.queries import pending_reviews

PINNED = 6


def workspace(request: HttpRequest) -> dict[str, Any]:
    """The sidebar's numbers and links; nothing for pages that are not about a workspace."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {}
    return {
        "workspace": membership.workspace,
        "membership": membership,
        "may_answer": membership.may_answer,
        "pending_count": pending_reviews(membership.workspace).count(),
        "pinned_channels": list(channels_of(membership.workspace)[:PINNED]),
    }
