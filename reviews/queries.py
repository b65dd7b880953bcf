"""Reads about reviews. Every one starts from a workspace."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from accounts.ids import parse_uuid
from accounts.models import Workspace
from inbox.errors import DomainError
from inbox.models import Channel, Message
from inbox.queries import MessageNotFoundError, find_message, rows_in
from reviews.models import ReviewRequest, Status


class NoReviewError(DomainError):
    """The message exists and asks nothing."""

    code = "no_review"


def reviews_of(workspace: Workspace, channel: Channel | None = None) -> QuerySet[ReviewRequest]:
    """All reviews with message and channel, newest first."""
    reviews = rows_in(ReviewRequest.objects.all(), workspace, channel)
    return reviews.select_related("message", "channel", "decided_by").order_by("-message")


def pending_reviews(
    workspace: Workspace, channel: Channel | None = None
) -> QuerySet[ReviewRequest]:
    return reviews_of(workspace, channel).filter(status=Status.PENDING)


def find_review(
    workspace: Workspace, message_id: str, channel: Channel | None = None
) -> ReviewRequest:
    """Raises: MessageNotFoundError, NoReviewError."""
    wanted = parse_uuid(message_id)
    review = reviews_of(workspace, channel).filter(pk=wanted).first() if wanted else None
    if review is None:
        find_message(workspace, message_id, channel)
        raise NoReviewError("No review on this message")
    return review


class Standing(NamedTuple):
    """Whether a review is open, and until when."""

    status: str
    expires_at: datetime

    @property
    def is_pending(self) -> bool:
        return self.status == Status.PENDING


def standings(
    workspace: Workspace, ids: Collection[uuid.UUID], channel: Channel | None = None
) -> dict[uuid.UUID, Standing]:
    """How reviews stand, in one short statement. What is missing or elsewhere is left out."""
    reviews = rows_in(ReviewRequest.objects.all(), workspace, channel).filter(pk__in=ids)
    rows = reviews.values_list("pk", "status", "expires_at")
    return {pk: Standing(status, expires_at) for pk, status, expires_at in rows}


class IterationTargetError(DomainError):
    """Only a closed review of the same channel can be followed by a revision."""

    code = "iteration_target"


def require_closed_review(channel: Channel, message_id: str) -> Message:
    """The message that a revision follows.

    Raises: IterationTargetError.
    """
    try:
        message = find_message(channel.workspace, message_id, channel)
    except MessageNotFoundError:
        raise IterationTargetError(
            "iterationOf target does not exist in this channel", path=("iterationOf",)
        ) from None
    closed = ReviewRequest.objects.filter(pk=message.pk).exclude(status=Status.PENDING)
    if not closed.exists():
        raise IterationTargetError(
            "iterationOf target must have a completed or expired review", path=("iterationOf",)
        )
    return message
