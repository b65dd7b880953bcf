"""Rows of the lists: reviews in groups that say how urgent they are, and channels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Workspace
from inbox.models import Channel, Sender
from reviews.models import ReviewRequest
from web.conversation import channels_by_activity
from web.looks import Look, look_of, state_look
from web.origins import foreign_name
from web.queries import minutes_left
from web.text.titles import title_in, title_of

URGENT, TODAY, YESTERDAY, EARLIER = range(4)


@dataclass(frozen=True)
class Row:
    review: ReviewRequest
    title: str
    kind: Look
    state: Look
    minutes_left: int | None
    file_count: int
    unread: bool


@dataclass(frozen=True)
class ChannelRow:
    channel: Channel
    last: str
    last_at: datetime
    open_reviews: int


@dataclass(frozen=True)
class Group:
    label: str
    urgent: bool
    rows: Sequence[Row]


def grouped(reviews: Iterable[ReviewRequest], now: datetime) -> list[Group]:
    """Groups in the order of their urgency; within one, the order of the page."""
    ranked = sorted(((_rank(review, now), row_of(review, now)) for review in reviews), key=_first)
    return [
        Group(_label(rank), rank == URGENT, [row for _rank_again, row in members])
        for rank, members in groupby(ranked, key=_first)
    ]


def row_of(review: ReviewRequest, now: datetime) -> Row:
    return Row(
        review=review,
        title=title_of(review),
        kind=look_of(review),
        state=state_look(review),
        minutes_left=minutes_left(review, now),
        file_count=getattr(review, "file_count", 0),
        unread=review.is_pending and not getattr(review, "is_read", True),
    )


def channel_rows(workspace: Workspace, only: Channel | None = None) -> list[ChannelRow]:
    return [
        ChannelRow(entry, _last_words(entry), entry.last_at, entry.open_reviews)
        for entry in channels_by_activity(workspace, only)
    ]


def _last_words(entry: Any) -> str:
    if entry.last_sender is None:
        return _("No message yet")
    title = title_in(entry.last_text) or _("A request without words")
    if entry.last_sender == Sender.SYSTEM:
        return _("Note: %(text)s") % {"text": title}
    if entry.last_sender == Sender.AGENT:
        return title
    if not entry.last_source:
        return _("Person: %(text)s") % {"text": title}
    return f"{foreign_name(entry.last_author_name, entry.last_author)}: {title}"


def _first(pair: tuple[int, Row]) -> int:
    return pair[0]


def _rank(review: ReviewRequest, now: datetime) -> int:
    if minutes_left(review, now) is not None:
        return URGENT
    today = timezone.localtime(now).date()
    day = timezone.localtime(review.created_at).date()
    if day >= today:
        return TODAY
    return YESTERDAY if day == today - timedelta(days=1) else EARLIER


def _label(rank: int) -> str:
    return {
        URGENT: _("Expiring within the hour"),
        TODAY: _("Today"),
        YESTERDAY: _("Yesterday"),
        EARLIER: _("Earlier"),
    }[rank]
