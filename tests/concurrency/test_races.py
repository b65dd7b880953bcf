"""Simultaneous calls on committed rows: one clean result, whoever comes first."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from api.placet.errors import judge
from delivery.engine import deliver_due
from delivery.models import Delivery, Event
from inbox.models import Channel, Message
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer, ReviewRequest, Status
from reviews.services import Answer, ReviewClosedError, answer_review, expire_due
from tests.concurrency.together import MANY, at_once
from tests.conftest import Agent
from tests.factories import make_channel, make_key, make_person, make_review, make_workspace
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def channel(receiver: Receiver) -> Channel:
    channel = make_channel(make_workspace())
    return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))


def test_twenty_answers_to_one_review_make_one_decision(
    channel: Channel, receiver: Receiver
) -> None:
    review = make_review(channel=channel)
    people = [make_person(channel.workspace, Role.REVIEWER) for _ in range(MANY)]

    def answer(index: int) -> str:
        option = "approve" if index % 2 else "reject"
        mine = Answer(response={"selectedOption": option}, by=people[index], via=Closer.PAGE)
        try:
            answer_review(ReviewRequest.objects.get(pk=review.pk), answer=mine)
        except ReviewClosedError as late:
            assert late.review.decided_by_id is not None
            status, message, _ = judge(late)
            return f"{status} {message}"
        return "won"

    outcomes = at_once([lambda index=index: answer(index) for index in range(MANY)])  # type: ignore[misc]
    assert Counter(outcomes) == {"won": 1, "403 Review already responded": MANY - 1}
    winner = people[outcomes.index("won")]
    review.refresh_from_db()
    assert (review.status, review.decided_by) == (Status.COMPLETED, winner)
    assert Event.objects.filter(reference=str(review.pk)).count() == 1
    assert Delivery.objects.count() == 1
    at_once([deliver_due, deliver_due, deliver_due, deliver_due])
    (callback,) = receiver.received
    assert callback.json["response"] == review.response


def test_twenty_posts_with_one_client_id_make_one_message(channel: Channel) -> None:
    agent = Agent(make_key(channel.workspace).clear)
    body = {
        "channelId": str(channel.pk),
        "text": "once",
        "clientId": "c-1",
        "review": {"type": "approval"},
    }
    answers = at_once([lambda: agent.post("/api/v1/messages", body)] * MANY)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Message.objects.count() == 1
    assert ReviewRequest.objects.count() == 1
    replayed = [answer for answer in answers if "Idempotency-Replayed" in answer]
    assert len(replayed) == MANY - 1


def test_parallel_revisions_are_numbered_without_gap_or_double(channel: Channel) -> None:
    agent = Agent(make_key(channel.workspace).clear)
    first = make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    body = {"channelId": str(channel.pk), "text": "v", "iterationOf": str(first.pk)}
    answers = at_once([lambda: agent.post("/api/v1/messages", body)] * 8)
    assert sorted(answer.json()["iteration"] for answer in answers) == list(range(2, 10))


def test_answers_and_sweeps_at_the_deadline_close_each_review_once(channel: Channel) -> None:
    person = make_person(channel.workspace)
    count = 60
    reviews = [make_review(channel=channel) for _ in range(count)]
    soon = timezone.now() + timedelta(milliseconds=200)
    for index, review in enumerate(reviews):
        ReviewRequest.objects.filter(pk=review.pk).update(
            expires_at=soon + timedelta(milliseconds=10 * index)
        )
    done = threading.Event()

    def answer_all() -> int:
        won = 0
        for review in reviews:
            mine = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.API)
            try:
                answer_review(ReviewRequest.objects.get(pk=review.pk), answer=mine)
                won += 1
            except ReviewClosedError:
                pass
            done.wait(0.01)
        return won

    def sweep() -> int:
        expired, until = 0, soon + timedelta(milliseconds=10 * count + 500)
        while timezone.now() < until:
            expired += expire_due(limit=5)
            done.wait(0.005)
        return expired

    first, second, *_ = at_once([answer_all, answer_all, sweep, sweep])
    statuses = Counter(ReviewRequest.objects.values_list("status", flat=True))
    # Late answers expire a review themselves, so only the answers are counted at both ends.
    assert statuses[Status.COMPLETED] == first + second
    assert statuses[Status.EXPIRED] == count - first - second
    events = Counter(Event.objects.values_list("reference", flat=True))
    assert set(events.values()) == {1}
    assert len(events) == count
