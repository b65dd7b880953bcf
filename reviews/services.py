"""The one door through which a review is asked, answered, expired or withdrawn."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from accounts.inserts import insert
from accounts.models import User
from delivery import faults
from delivery.clock import ClockTimestamp, StatementTimestamp
from inbox.errors import DomainError
from inbox.models import Message
from reviews.kinds import InvalidAnswerError, check_feedback, read_question
from reviews.models import Closer, ReviewRequest, Status
from reviews.signals import reviews_closed


class PastDeadlineError(DomainError):
    """A review that could never be answered."""

    code = "past_deadline"


@dataclass(frozen=True)
class Callback:
    """Where the answer goes when neither message nor channel names an address."""

    url: str
    method: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class ReviewSpec:
    """What the agent asks. `payload_json` is its own text; `expires_at` is None for the default."""

    kind: str
    payload_json: str | None = None
    callback: Callback | None = None
    expires_at: datetime | None = None


def deadline(wanted: datetime | None, *, now: datetime) -> datetime:
    """The time an answer is due: the wanted one, cut to the longest wait, or the default.

    Raises: PastDeadlineError.
    """
    if wanted is None:
        return now + settings.REVIEW_DEFAULT_WAIT
    if wanted <= now:
        raise PastDeadlineError("Review expiration must be in the future", path=("review",))
    return min(wanted, now + settings.REVIEW_LONGEST_WAIT)


def request_review(message: Message, *, spec: ReviewSpec, now: datetime) -> ReviewRequest:
    """Put a question on a message."""
    callback = spec.callback
    review = ReviewRequest(
        message=message,
        workspace_id=message.workspace_id,
        channel_id=message.channel_id,
        kind=spec.kind,
        payload_json=spec.payload_json,
        callback_url=callback.url if callback else "",
        callback_method=callback.method if callback else "",
        callback_headers_json=json.dumps(dict(callback.headers)) if callback else None,
        expires_at=deadline(spec.expires_at, now=now),
        created_at=now,
    )
    insert(review)
    return review


class ReviewClosedError(DomainError):
    """Somebody or something closed the review first. `review` is how it stands now."""

    code = "review_closed"

    def __init__(self, review: ReviewRequest) -> None:
        super().__init__("Review already responded")
        self.review = review


class ReviewExpiredError(ReviewClosedError):
    """The deadline came first."""


class ReviewChangedError(DomainError):
    """The question changed since the person saw it."""

    code = "review_changed"

    def __init__(self, review: ReviewRequest) -> None:
        super().__init__(_("This request changed since you opened it. Look again."))
        self.review = review


class ReviewWithdrawnError(DomainError):
    """The message was deleted while somebody was about to answer it."""

    code = "message_not_found"


@dataclass(frozen=True)
class Answer:
    """What a person decided.

    `seen_revision` is the revision that was on the screen. `form_token` names one rendering of
    the form: the same token again is the same decision, not a second one. `carrying` is done with
    the decision, in its transaction, and what it raises undoes both.
    """

    response: Mapping[str, Any]
    by: User
    via: Closer
    feedback: str = ""
    modified_file_ids: Mapping[str, str] | None = None
    seen_revision: int | None = None
    form_token: str = ""
    carrying: Callable[[], object] | None = None


def answer_review(review: ReviewRequest, *, answer: Answer) -> ReviewRequest:
    """Decide a review.

    1. State is judged before content: an answer to a closed review is refused whatever it says.
    2. The answer is checked against the question.
    3. One UPDATE that only matches a pending, unchanged review before its deadline decides. The
       losers of a race learn who won.

    Raises: ReviewClosedError, ReviewExpiredError, ReviewChangedError, ReviewWithdrawnError,
    InvalidAnswerError.
    """
    if not review.is_pending:
        return _settle(review, answer)
    try:
        read_question(review.kind, review.payload).check(answer.response)
        check_feedback(answer.response, answer.feedback)
    except InvalidAnswerError:
        if _closed_meanwhile(review):
            return _settle(review, answer)
        raise
    if _decide(review, answer):
        faults.hit("decide.after_commit")
        return review
    return _settle(review, answer)


def _closed_meanwhile(review: ReviewRequest) -> bool:
    expire_review(review.pk)
    return not ReviewRequest.objects.filter(pk=review.pk, status=Status.PENDING).exists()


@transaction.atomic
def _decide(review: ReviewRequest, answer: Answer) -> bool:
    """The conditional UPDATE. True means that this answer is the decision."""
    unchanged = review.revision if answer.seen_revision is None else answer.seen_revision
    open_now = ReviewRequest.objects.filter(
        pk=review.pk,
        status=Status.PENDING,
        revision=unchanged,
        expires_at__gt=ClockTimestamp(),
    )
    won = open_now.update(
        status=Status.COMPLETED,
        response_json=json.dumps(answer.response, ensure_ascii=False),
        feedback=answer.feedback,
        modified_file_ids=dict(answer.modified_file_ids) if answer.modified_file_ids else None,
        form_token=answer.form_token,
        revision=F("revision") + 1,
        **_closed_by(answer.via, answer.by),
    )
    if won:
        if answer.carrying:
            answer.carrying()
        faults.hit("decide.after_update")
        review.refresh_from_db()
        reviews_closed.send(sender=ReviewRequest, reviews=[review])
        faults.hit("decide.before_commit")
    return bool(won)


def _closed_by(via: Closer, by: User | None = None) -> dict[str, Any]:
    return {"decided_at": ClockTimestamp(), "decided_by": by, "decided_via": via}


def _settle(review: ReviewRequest, answer: Answer) -> ReviewRequest:
    """Say why an answer did not become the decision; a resubmitted form is told that it did."""
    expire_review(review.pk)
    whole = ReviewRequest.objects.select_related("decided_by", "message", "channel")
    current = whole.filter(pk=review.pk).first()
    if current is None:
        raise ReviewWithdrawnError("Message not found")
    if current.is_pending:
        raise ReviewChangedError(current)
    if current.status == Status.EXPIRED:
        raise ReviewExpiredError(current)
    same_form = bool(answer.form_token) and current.form_token == answer.form_token
    if same_form and current.decided_by_id == answer.by.pk:
        return current
    raise ReviewClosedError(current)


def expire_review(review_id: uuid.UUID) -> bool:
    """Expire one review if its deadline has passed; waiting calls and late answers come here."""
    return bool(_expire(ReviewRequest.objects.filter(pk=review_id), limit=1, wait=True))


def expire_due(*, limit: int) -> int:
    """Expire up to `limit` reviews whose deadline has passed, the longest overdue first."""
    return _expire(ReviewRequest.objects.all(), limit=limit, wait=False)


@transaction.atomic
def _expire(candidates: QuerySet[ReviewRequest], *, limit: int, wait: bool) -> int:
    """Close what is pending and due by the database's clock, and announce each.

    PostgreSQL locks the rows: a sweep leaves those that somebody else holds, a call about one
    review waits for them. On SQLite the IMMEDIATE transaction is the lock. Either way an answer
    that came first stays.
    """
    moment = ClockTimestamp() if wait else StatementTimestamp()
    due = candidates.filter(status=Status.PENDING, expires_at__lte=moment)
    due = due.select_for_update(skip_locked=not wait)
    ids = list(due.order_by("expires_at").values_list("pk", flat=True)[:limit])
    if not ids:
        return 0
    expired = ReviewRequest.objects.filter(pk__in=ids, status=Status.PENDING)
    expired.update(status=Status.EXPIRED, revision=F("revision") + 1, **_closed_by(Closer.CLOCK))
    faults.hit("expire.after_update")
    closed = ReviewRequest.objects.filter(pk__in=ids).select_related("message", "channel")
    reviews_closed.send(sender=ReviewRequest, reviews=list(closed))
    return len(ids)
