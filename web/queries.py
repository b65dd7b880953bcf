"""Reads that show messages with their reviews and files together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils import timezone

from accounts.ids import parse_uuid
from accounts.models import User, Workspace
from attachments.models import Attachment
from attachments.models import State as FileState
from inbox.cutting import count_of, first_of
from inbox.models import Channel, Message
from inbox.queries import BadCursorError, find_channel, messages_in
from reviews.models import ReviewRequest, Status
from reviews.queries import reviews_of
from reviews.reading import with_read_state
from reviews.services import expire_review
from web.matching import mentions

PAGE = 50

STATUSES: dict[str, Q] = {
    "pending": Q(status=Status.PENDING),
    "done": Q(status__in=[Status.COMPLETED, Status.CANCELLED]),
    "expired": Q(status=Status.EXPIRED),
    "all": Q(),
}


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; it travels in the query string."""

    status: str = "pending"
    channel: Channel | None = None
    text: str = ""
    cursor: str = ""
    selecting: bool = False

    @classmethod
    def read(cls, given: QueryDict, workspace: Workspace) -> "Filters":
        """Raises: ChannelNotFoundError."""
        status = given.get("status", "pending")
        channel_id = given.get("channel", "")
        return cls(
            status=status if status in STATUSES else "pending",
            channel=find_channel(workspace, channel_id) if channel_id else None,
            text=given.get("q", "").replace("\0", "").strip()[:200],
            cursor=given.get("cursor", ""),
            selecting=given.get("select") == "1",
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.channel)

    def query(self, **over: str) -> str:
        """The query string for the same list, `?` included; without a page unless one is named."""
        values = {
            "status": "" if self.status == "pending" else self.status,
            "channel": str(self.channel.pk) if self.channel else "",
            "q": self.text,
            "select": "1" if self.selecting else "",
        } | over
        if values["status"] == "pending":
            values["status"] = ""
        present = {name: value for name, value in values.items() if value}
        return f"?{urlencode(present)}" if present else ""


@dataclass(frozen=True)
class ReviewPage:
    """One page of reviews with `file_count` and `is_read`, and where the next page begins."""

    reviews: Sequence[ReviewRequest]
    next_cursor: str


def page_of_reviews(workspace: Workspace, user: User, filters: Filters) -> ReviewPage:
    """Raises: BadCursorError."""
    matching = _matching(workspace, filters)
    if filters.cursor:
        matching = matching.filter(pk__lt=_cursor(filters.cursor))
    latest = matching.alias(newer=_newer_revision()).filter(newer=None)
    shown = first_of(latest, PAGE + 1).annotate(file_count=_file_count())
    found = list(with_read_state(shown, user))
    more = len(found) > PAGE
    return ReviewPage(found[:PAGE], str(found[PAGE - 1].pk) if more else "")


def _matching(workspace: Workspace, filters: Filters) -> QuerySet[ReviewRequest]:
    matching = reviews_of(workspace, filters.channel).filter(STATUSES[filters.status])
    return matching.filter(mentions(filters.text)) if filters.text else matching


def count_news(workspace: Workspace, filters: Filters, *, since: UUID | None) -> int:
    """Reviews of this list that are newer than the newest one it showed."""
    matching = _matching(workspace, filters)
    return count_of(matching.filter(pk__gt=since) if since else matching)


def _cursor(text: str) -> Any:
    after = parse_uuid(text)
    if after is None:
        raise BadCursorError("cursor must be a message id", path=("cursor",))
    return after


def _newer_revision() -> Subquery:
    """Looked up for each row that is shown. `NOT EXISTS` would be joined, for all rows at once."""
    own = Message.objects.filter(pk=OuterRef(OuterRef("pk")))
    newer = Message.objects.filter(
        iteration_group=Subquery(own.values("iteration_group")[:1]),
        iteration__gt=Subquery(own.values("iteration")[:1]),
        review__isnull=False,
    )
    return Subquery(newer.values("pk")[:1])


def _file_count() -> Coalesce:
    counted = (
        Attachment.objects.filter(message=OuterRef("pk"), state=FileState.READY)
        .order_by()
        .values("message")
        .annotate(number=Count("pk"))
    )
    return Coalesce(Subquery(counted.values("number")), 0)


def next_pending(
    workspace: Workspace, filters: Filters, after: ReviewRequest, *, upwards: bool = False
) -> ReviewRequest | None:
    """The next open one down the list (or up), else the newest."""
    pending = _matching(workspace, filters).filter(status=Status.PENDING)
    if upwards:
        near = pending.filter(pk__gt=after.pk).order_by("message").first()
    else:
        near = pending.filter(pk__lt=after.pk).first()
    return near or pending.first()


def settled(review: ReviewRequest) -> ReviewRequest:
    """The review as it stands now: one that is overdue is expired rather than shown as open."""
    if review.is_pending and review.expires_at <= timezone.now() and expire_review(review.pk):
        review = reviews_of(review.workspace).get(pk=review.pk)
    return review


def revisions_of(message: Message) -> list[ReviewRequest]:
    """The reviews of a chain, the first one first; nothing for a message without a chain."""
    if message.iteration_group is None:
        return []
    chain = ReviewRequest.objects.filter(
        workspace=message.workspace_id, message__iteration_group=message.iteration_group
    )
    return list(chain.select_related("message").order_by("message__iteration"))


def files_of(messages: Sequence[Message]) -> dict[Any, list[Attachment]]:
    """The files that can be read, for each message, in the agent's order."""
    found: dict[Any, list[Attachment]] = {message.pk: [] for message in messages}
    rows = Attachment.objects.filter(message__in=found, state=FileState.READY)
    for file in rows.select_related("preview").order_by("position", "id"):
        found[file.message_id].append(file)
    return found


def has_messages(workspace: Workspace) -> bool:
    return messages_in(workspace, None).exists()


def minutes_left(review: ReviewRequest, now: datetime) -> int | None:
    """Whole minutes until the deadline, when it is less than an hour away."""
    left = review.expires_at - now
    if not review.is_pending or left > timedelta(hours=1):
        return None
    return max(int(left.total_seconds() // 60), 0)
