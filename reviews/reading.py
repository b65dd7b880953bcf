"""What each person has seen. Never part of a decision: only what is bold in their list."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from inbox.models import Channel
from reviews.models import ReviewRead, ReviewRequest
from reviews.signals import read_changed


def with_read_state(reviews: QuerySet[ReviewRequest], user: User) -> QuerySet[ReviewRequest]:
    """The same rows with `is_read`, in the same statement."""
    mine = ReviewRead.objects.filter(review=OuterRef("pk"), user=user)
    return reviews.annotate(is_read=Exists(mine))


def unread_by(reviews: QuerySet[ReviewRequest], user: User) -> QuerySet[ReviewRequest]:
    """Those that the person has not seen."""
    return reviews.exclude(Exists(ReviewRead.objects.filter(review=OuterRef("pk"), user=user)))


def mark_read(*, review: ReviewRequest, user: User, now: datetime) -> bool:
    """Returns whether it was unread."""
    return bool(mark_all_read(reviews=[review], user=user, now=now))


def mark_unread(*, review: ReviewRequest, user: User) -> bool:
    """Returns whether it was read."""
    return bool(mark_all_unread(reviews=[review], user=user))


def mark_all_read(*, reviews: Collection[ReviewRequest], user: User, now: datetime) -> int:
    """Mark what is unread and still there. Returns how many that were; one look if none."""
    read = _read_ids(reviews, user)
    wanted = [review for review in reviews if review.pk not in read]
    return _mark(wanted, user, now) if wanted else 0


def _read_ids(reviews: Collection[ReviewRequest], user: User) -> set[uuid.UUID]:
    marks = ReviewRead.objects.filter(user=user, review__in=[review.pk for review in reviews])
    return set(marks.values_list("review_id", flat=True))


@transaction.atomic
def _mark(wanted: Collection[ReviewRequest], user: User, now: datetime) -> int:
    """Channels and messages are locked first, in the order in which who deletes them locks.

    Else a mark could appear behind the back of a deletion, and make its commit fail.
    """
    held = Channel.objects.filter(pk__in={review.channel_id for review in wanted})
    list(held.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    rows = ReviewRequest.objects.filter(pk__in=[review.pk for review in wanted]).order_by("pk")
    there = list(rows.select_related("message").select_for_update(of=("message",), no_key=True))
    read = _read_ids(there, user)  # the same person in another window
    unread = [review for review in there if review.pk not in read]
    if unread:
        marks = [ReviewRead(user=user, review=review, read_at=now) for review in unread]
        ReviewRead.objects.bulk_create(marks, ignore_conflicts=True)
        _announce(unread, user)
    return len(unread)


@transaction.atomic
def mark_all_unread(*, reviews: Collection[ReviewRequest], user: User) -> int:
    """Returns how many of them were read."""
    marks = ReviewRead.objects.filter(user=user, review__in=[review.pk for review in reviews])
    locked = marks.select_for_update().order_by("pk")
    read = set(locked.values_list("review_id", flat=True))
    if read:
        ReviewRead.objects.filter(user=user, review__in=read).delete()
        _announce([review for review in reviews if review.pk in read], user)
    return len(read)


def _announce(reviews: list[ReviewRequest], user: User) -> None:
    read_changed.send(sender=ReviewRead, reviews=reviews, user_id=user.pk)
