"""What each person has seen."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from inbox.models import Channel
from inbox.services.messages import delete_message
from reviews.models import ReviewRead
from reviews.queries import reviews_of
from reviews.reading import (
    mark_all_read,
    mark_all_unread,
    mark_read,
    mark_unread,
    unread_by,
    with_read_state,
)
from reviews.signals import read_changed
from tests.factories import make_person, make_review

pytestmark = pytest.mark.django_db


@pytest.fixture
def announced() -> Iterator[list[tuple[object, list[object]]]]:
    """Whose reading of which reviews was announced."""
    heard: list[tuple[object, list[object]]] = []

    def hear(reviews: list[Any], user_id: object, **_: object) -> None:
        heard.append((user_id, [review.pk for review in reviews]))

    read_changed.connect(hear)
    yield heard
    read_changed.disconnect(hear)


def test_review_is_unread_until_somebody_saw_it(
    channel: Channel, person: User, now: datetime
) -> None:
    seen, unseen = make_review(channel=channel), make_review(channel=channel)
    assert mark_read(review=seen, user=person, now=now)
    rows = with_read_state(reviews_of(channel.workspace), person)
    assert {row.pk: row.is_read for row in rows} == {seen.pk: True, unseen.pk: False}  # type: ignore[attr-defined]
    assert [row.pk for row in unread_by(reviews_of(channel.workspace), person)] == [unseen.pk]


def test_list_with_read_state_is_one_statement(
    channel: Channel,
    person: User,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    reviews = [make_review(channel=channel) for _ in range(5)]
    mark_all_read(reviews=reviews[:2], user=person, now=now)
    with django_assert_num_queries(1):
        rows = list(with_read_state(reviews_of(channel.workspace), person))
    assert sum(row.is_read for row in rows) == 2  # type: ignore[attr-defined]


def test_one_persons_reading_is_nobody_elses(channel: Channel, person: User, now: datetime) -> None:
    review, colleague = make_review(channel=channel), make_person(channel.workspace)
    mark_read(review=review, user=person, now=now)
    assert list(unread_by(reviews_of(channel.workspace), colleague)) == [review]
    assert not mark_unread(review=review, user=colleague)
    assert not unread_by(reviews_of(channel.workspace), person).exists()


def test_second_look_changes_nothing_and_costs_one_statement(
    channel: Channel,
    person: User,
    now: datetime,
    announced: list[Any],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    review = make_review(channel=channel)
    assert mark_read(review=review, user=person, now=now)
    with django_assert_num_queries(1):
        assert not mark_read(review=review, user=person, now=now)
    assert announced == [(person.pk, [review.pk])]


def test_review_can_be_unread_again(
    channel: Channel, person: User, now: datetime, announced: list[Any]
) -> None:
    review = make_review(channel=channel)
    mark_read(review=review, user=person, now=now)
    assert mark_unread(review=review, user=person)
    assert not mark_unread(review=review, user=person)
    assert list(unread_by(reviews_of(channel.workspace), person)) == [review]
    assert len(announced) == 2


def test_many_are_marked_at_once(
    channel: Channel, person: User, now: datetime, announced: list[Any]
) -> None:
    reviews = [make_review(channel=channel) for _ in range(5)]
    mark_read(review=reviews[0], user=person, now=now)
    assert mark_all_read(reviews=reviews, user=person, now=now) == 4
    assert announced[-1] == (person.pk, [review.pk for review in reviews[1:]])
    assert mark_all_unread(reviews=reviews, user=person) == 5
    assert mark_all_read(reviews=[], user=person, now=now) == 0
    assert mark_all_unread(reviews=[], user=person) == 0


def test_review_that_is_gone_is_left_out(channel: Channel, person: User, now: datetime) -> None:
    gone, there = make_review(channel=channel), make_review(channel=channel)
    delete_message(type(gone.message).objects.get(pk=gone.pk))
    assert mark_all_read(reviews=[gone, there], user=person, now=now) == 1


def test_marks_go_with_their_review(channel: Channel, person: User, now: datetime) -> None:
    review = make_review(channel=channel)
    mark_read(review=review, user=person, now=now)
    delete_message(review.message)
    assert not ReviewRead.objects.exists()
