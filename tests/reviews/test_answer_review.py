"""The one door: what closes a review, and what its losers learn."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from delivery.models import Event
from inbox.models import Channel, Message
from inbox.services.messages import delete_message
from reviews.kinds import InvalidAnswerError
from reviews.models import Closer, ReviewRequest, Status
from reviews.services import (
    Answer,
    ReviewChangedError,
    ReviewClosedError,
    ReviewExpiredError,
    ReviewWithdrawnError,
    answer_review,
    expire_due,
    expire_review,
)
from tests.factories import make_person, make_review, workspace_of

pytestmark = pytest.mark.django_db


def answer(person: User, **over: Any) -> Answer:
    fields: dict[str, Any] = {
        "response": {"selectedOption": "approve"},
        "by": person,
        "via": Closer.PAGE,
    }
    return Answer(**(fields | over))


@pytest.fixture
def review(channel: Channel) -> ReviewRequest:
    return make_review(channel=channel)


def test_answer_is_kept_with_who_when_and_how(review: ReviewRequest, person: User) -> None:
    answer_review(review, answer=answer(person, feedback="Good"))
    review.refresh_from_db()
    assert (review.status, review.decided_by, review.decided_via) == ("completed", person, "page")
    assert (review.response, review.feedback) == ({"selectedOption": "approve"}, "Good")
    assert review.decided_at is not None
    assert review.revision == 2


def test_second_answer_learns_who_was_first(review: ReviewRequest, person: User) -> None:
    answer_review(review, answer=answer(person))
    other = make_person(workspace_of(person))
    late = answer(other, response={"selectedOption": "reject"})
    with pytest.raises(ReviewClosedError) as refusal:
        answer_review(ReviewRequest.objects.get(pk=review.pk), answer=late)
    assert refusal.value.review.decided_by == person
    assert Event.objects.count() == 1


def test_stale_copy_does_not_win(review: ReviewRequest, person: User) -> None:
    stale = ReviewRequest.objects.get(pk=review.pk)
    answer_review(review, answer=answer(person))
    with pytest.raises(ReviewClosedError):
        answer_review(stale, answer=answer(person, response={"selectedOption": "reject"}))


def test_same_form_sent_again_is_the_same_decision(review: ReviewRequest, person: User) -> None:
    form = answer(person, form_token="t-1")
    answer_review(review, answer=form)
    again = answer_review(ReviewRequest.objects.get(pk=review.pk), answer=form)
    assert again.response == {"selectedOption": "approve"}
    assert Event.objects.count() == 1


def test_token_of_somebody_else_is_no_proof(review: ReviewRequest, person: User) -> None:
    answer_review(review, answer=answer(person, form_token="t-1"))
    other = make_person(workspace_of(person))
    with pytest.raises(ReviewClosedError):
        answer_review(
            ReviewRequest.objects.get(pk=review.pk), answer=answer(other, form_token="t-1")
        )


def test_answer_to_an_older_revision_is_refused(review: ReviewRequest, person: User) -> None:
    with pytest.raises(ReviewChangedError):
        answer_review(review, answer=answer(person, seen_revision=0))
    review.refresh_from_db()
    assert review.is_pending


@pytest.mark.parametrize("response", [{"selectedOption": "approve"}, {"nonsense": 1}])
def test_overdue_review_is_expired_by_the_answer_whatever_it_says(
    channel: Channel, person: User, response: dict[str, Any]
) -> None:
    overdue = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    with pytest.raises(ReviewExpiredError):
        answer_review(overdue, answer=answer(person, response=response))
    overdue.refresh_from_db()
    assert (overdue.status, overdue.response) == (Status.EXPIRED, None)
    assert Event.objects.get().type == "review:expired"


@pytest.mark.parametrize("response", [{"selectedOption": "approve"}, {"nonsense": 1}])
def test_answer_to_a_deleted_message_learns_that_it_is_gone(
    review: ReviewRequest, person: User, response: dict[str, Any]
) -> None:
    delete_message(Message.objects.get(pk=review.pk))
    with pytest.raises(ReviewWithdrawnError):
        answer_review(review, answer=answer(person, response=response))


def test_bad_answer_changes_nothing(review: ReviewRequest, person: User) -> None:
    with pytest.raises(InvalidAnswerError):
        answer_review(review, answer=answer(person, response={"selectedOption": "maybe"}))
    review.refresh_from_db()
    assert review.is_pending
    assert not Event.objects.exists()


def test_sweep_expires_what_is_due_and_nothing_else(channel: Channel) -> None:
    due = [make_review(channel=channel, expires_in=timedelta(seconds=-n)) for n in (1, 2, 3)]
    waiting = make_review(channel=channel)
    assert expire_due(limit=2) == 2
    assert expire_due(limit=2) == 1
    assert expire_due(limit=2) == 0
    waiting.refresh_from_db()
    assert waiting.is_pending
    assert Event.objects.filter(type="review:expired").count() == len(due)


def test_review_expires_once(channel: Channel) -> None:
    overdue = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    assert expire_review(overdue.pk)
    assert not expire_review(overdue.pk)
    assert Event.objects.count() == 1
