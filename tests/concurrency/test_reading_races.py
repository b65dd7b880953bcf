"""Marks of reading, when the same person looks in many windows and messages go meanwhile."""

from functools import partial

import pytest
from django.utils import timezone

from inbox.models import Message
from inbox.services.channels import delete_channel
from inbox.services.messages import delete_message
from reviews.models import ReviewRead
from reviews.reading import mark_all_read, mark_all_unread, mark_read
from tests.concurrency.together import MANY, at_once
from tests.factories import make_channel, make_person, make_review

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_look_in_many_windows_is_one_mark() -> None:
    review = make_review()
    person = make_person(review.workspace)
    look = partial(mark_read, review=review, user=person, now=timezone.now())
    assert sum(at_once([look] * MANY)) == 1
    assert ReviewRead.objects.count() == 1


@pytest.mark.parametrize("whole_channel", [False, True])
def test_message_that_goes_while_it_is_looked_at_harms_nobody(*, whole_channel: bool) -> None:
    channel = make_channel()
    person = make_person(channel.workspace)
    reviews = [make_review(channel=channel) for _ in range(10)]

    def delete() -> None:
        if whole_channel:
            delete_channel(channel)
            return
        for review in reviews:
            delete_message(Message.objects.get(pk=review.pk))

    def look() -> None:
        for review in reviews:
            mark_read(review=review, user=person, now=timezone.now())

    at_once([delete, look, look])
    assert not ReviewRead.objects.exists()


def test_many_marked_both_ways_at_once_end_in_one_of_both() -> None:
    channel = make_channel()
    person = make_person(channel.workspace)
    reviews = [make_review(channel=channel) for _ in range(10)]
    read = partial(mark_all_read, reviews=reviews, user=person, now=timezone.now())
    unread = partial(mark_all_unread, reviews=reviews[::-1], user=person)
    at_once([read, unread] * 5)
    read()
    assert ReviewRead.objects.count() == 10
