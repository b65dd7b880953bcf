"""Who is told what about which review: derived from the database, whenever a worker looks."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Role, User
from delivery.models import Push, PushSubscription
from delivery.push.queue import claim
from delivery.push.subscriptions import note_visible
from inbox.models import Channel
from inbox.services.messages import delete_message
from inbox.services.mutes import mute_channel
from reviews.models import Closer, ReviewRequest
from reviews.reading import mark_read
from reviews.services import Answer, answer_review, expire_due
from tests.conftest import Agent
from tests.factories import make_channel, make_message, make_person, make_review, make_workspace
from tests.push import make_device
from web.notices import news
from web.notifying import MOST_SHOWN, NEWS_FOR, tell_devices

ENDPOINT = "https://push.example"
LONG_AGO = timedelta(days=1)


@pytest.fixture
def device(person: User, now: datetime) -> PushSubscription:
    return add_device(person, now)


def add_device(user: User, now: datetime) -> PushSubscription:
    device = make_device(user, f"{ENDPOINT}/{user.pk}", now)
    PushSubscription.objects.filter(pk=device.pk).update(created_at=now - LONG_AGO)
    return device


def tell() -> None:
    tell_devices(now=timezone.now())


def told(device: PushSubscription) -> list[dict[str, Any]]:
    pushes = Push.objects.filter(subscription=device).order_by("about")
    return [json.loads(push.payload) for push in pushes]


def sent() -> None:
    """As if everything that waits had been sent."""
    Push.objects.update(due_at=None, sent_at=timezone.now(), attempts=1)


def answer(review: ReviewRequest, by: User) -> None:
    response = {"selectedOption": "approve"}
    answer_review(review, answer=Answer(response=response, by=by, via=Closer.PAGE))


class TestNews:
    def test_new_review_is_told_with_its_channel_and_kind_and_no_more(
        self, device: PushSubscription, channel: Channel
    ) -> None:
        review = make_review(channel=channel, text="# Fire the CEO?")
        tell()
        assert told(device) == [
            {
                "id": str(review.pk),
                "type": "approval",
                "channel": "Atlas",
                "text": "Approval",
                "pending": 1,
            }
        ]
        push = Push.objects.get()
        assert push.expires_at == review.expires_at
        assert push.workspace == channel.workspace
        assert push.is_urgent

    def test_title_is_told_where_the_person_allows_it(
        self, device: PushSubscription, channel: Channel
    ) -> None:
        PushSubscription.objects.update(show_titles=True)
        make_review(channel=channel, text="# Fire the\u202e CEO?\n\nNow.")
        tell()
        assert told(device)[0]["title"] == "Fire the CEO?"

    def test_nothing_is_told_twice(self, device: PushSubscription, channel: Channel) -> None:
        make_review(channel=channel)
        tell()
        sent()
        tell()
        assert Push.objects.count() == 1
        assert claim(limit=5) == []

    def test_who_muted_a_channel_is_not_told(
        self, device: PushSubscription, channel: Channel, person: User
    ) -> None:
        mute_channel(channel, user=person, now=timezone.now())
        make_review(channel=channel)
        tell()
        assert told(device) == []

    def test_message_without_a_question_is_not_told(
        self, device: PushSubscription, channel: Channel
    ) -> None:
        make_message(channel)
        tell()
        assert told(device) == []

    def test_every_member_is_told_and_no_stranger(
        self, device: PushSubscription, channel: Channel, now: datetime
    ) -> None:
        colleague = add_device(make_person(channel.workspace, Role.REVIEWER), now)
        stranger = add_device(make_person(), now)
        make_review(channel=channel)
        tell()
        assert len(told(device)) == len(told(colleague)) == 1
        assert told(stranger) == []

    def test_only_the_workspace_that_the_pages_show_is_told(
        self, device: PushSubscription, person: User
    ) -> None:
        second = make_workspace("Second")
        Membership.objects.create(workspace=second, user=person, role=Role.OWNER)
        make_review(channel=make_channel(second))
        tell()
        assert told(device) == []

    def test_person_who_may_not_sign_in_or_left_is_not_told(
        self, device: PushSubscription, person: User, channel: Channel
    ) -> None:
        make_review(channel=channel)
        User.objects.filter(pk=person.pk).update(is_active=False)
        tell()
        User.objects.filter(pk=person.pk).update(is_active=True)
        Membership.objects.all().delete()
        tell()
        assert told(device) == []

    def test_what_was_asked_before_the_device_was_there_is_not_told(
        self, person: User, channel: Channel, now: datetime
    ) -> None:
        make_review(channel=channel, now=now - timedelta(minutes=1))
        device = make_device(person, ENDPOINT, now)
        tell()
        assert told(device) == []

    def test_worker_that_comes_back_tells_what_is_young(
        self, device: PushSubscription, channel: Channel, now: datetime
    ) -> None:
        make_review(channel=channel, now=now - NEWS_FOR - timedelta(seconds=5))
        young = make_review(channel=channel, now=now - NEWS_FOR + timedelta(seconds=30))
        tell()
        assert [each["id"] for each in told(device)] == [str(young.pk)]

    def test_review_that_is_over_or_overdue_is_not_told(
        self, device: PushSubscription, channel: Channel, person: User
    ) -> None:
        answer(make_review(channel=channel), person)
        make_review(channel=channel, expires_in=-timedelta(seconds=5))
        tell()
        assert told(device) == []

    def test_device_that_shows_the_pages_is_told_once_nobody_looks_any_more(
        self, device: PushSubscription, channel: Channel, now: datetime
    ) -> None:
        note_visible([device.pk], until=now + timedelta(minutes=1))
        make_review(channel=channel)
        tell()
        assert told(device) == []
        note_visible([device.pk], until=now - timedelta(seconds=1))
        tell()
        assert len(told(device)) == 1

    def test_device_with_as_many_as_anybody_reads_is_left_in_peace(
        self, device: PushSubscription, channel: Channel
    ) -> None:
        for _ in range(MOST_SHOWN + 2):
            make_review(channel=channel)
        tell()
        tell()
        assert len(told(device)) == MOST_SHOWN

    def test_payload_fits_into_a_push_however_long_the_names_are(self, channel: Channel) -> None:
        Channel.objects.update(name="\U0001f600" * 200)
        review = make_review("\U0001f600" * 200, channel=channel, text="\U0001f600" * 5000)
        assert len(news(review, with_title=True, pending=10**6).encode()) < 3000


class TestEndings:
    def test_device_that_was_told_is_told_who_answered(
        self, device: PushSubscription, channel: Channel, now: datetime
    ) -> None:
        review = make_review(channel=channel)
        tell()
        sent()
        colleague = make_person(channel.workspace, display_name="Ines Moreau")
        theirs = add_device(colleague, now)
        Push.objects.create(
            subscription=theirs,
            workspace=channel.workspace,
            about=review.pk,
            payload="{}",
            sent_at=now,
            due_at=None,
            attempts=1,
            expires_at=review.expires_at,
        )
        answer(review, colleague)
        tell()
        (said,) = told(device)
        assert said == {
            "id": str(review.pk),
            "closed": True,
            "channel": "Atlas",
            "text": "Answered by Ines Moreau",
            "pending": 0,
        }
        assert told(theirs)[0]["text"] == "You answered this"
        assert not Push.objects.filter(is_urgent=True).exists()
        assert len(claim(limit=5)) == 2

    def test_device_that_was_not_told_yet_is_told_nothing(
        self, device: PushSubscription, channel: Channel, person: User
    ) -> None:
        review = make_review(channel=channel)
        tell()
        answer(review, person)
        tell()
        assert told(device) == []

    def test_review_that_expired_is_said_to_be(
        self, device: PushSubscription, channel: Channel
    ) -> None:
        make_review(channel=channel)
        tell()
        sent()
        ReviewRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        expire_due(limit=5)
        tell()
        assert told(device)[0]["text"] == "Expired without an answer"

    def test_review_that_was_deleted_is_said_to_be_withdrawn(
        self, device: PushSubscription, channel: Channel
    ) -> None:
        review = make_review(channel=channel)
        tell()
        sent()
        delete_message(review.message)
        tell()
        (said,) = told(device)
        assert (said["id"], said["closed"]) == (str(review.pk), True)
        assert said["text"] == "Withdrawn by the agent"

    def test_ending_is_told_once(
        self, device: PushSubscription, channel: Channel, person: User
    ) -> None:
        review = make_review(channel=channel)
        tell()
        sent()
        answer(review, person)
        tell()
        assert len(claim(limit=5)) == 1
        tell()
        assert claim(limit=5) == []


def test_review_that_a_person_has_opened_is_not_told_to_them(
    device: PushSubscription, channel: Channel, person: User, now: datetime
) -> None:
    opened, other = make_review(channel=channel), make_review(channel=channel)
    mark_read(review=opened, user=person, now=now)
    tell()
    assert [push["id"] for push in told(device)] == [str(other.pk)]


class TestCost:
    def test_look_costs_two_statements_where_nobody_has_a_device(self, channel: Channel) -> None:
        make_review(channel=channel)
        with CaptureQueriesContext(connection) as captured:
            tell()
        assert len(captured) == 2

    def test_look_costs_the_same_for_any_number_of_reviews_and_devices(
        self, device: PushSubscription, channel: Channel, now: datetime
    ) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                tell()
            return len(captured)

        make_review(channel=channel)
        first, idle = cost(), cost()
        for _ in range(5):
            add_device(make_person(channel.workspace), now)
            make_review(channel=channel)
        assert (cost(), cost()) == (first, idle)
        assert idle <= 5
        assert first <= 10

    def test_post_of_an_agent_pays_nothing_for_devices(
        self, agent: Agent, channel: Channel, person: User, now: datetime
    ) -> None:
        def cost() -> int:
            body = {"channelId": str(channel.pk), "review": {"type": "approval"}}
            with CaptureQueriesContext(connection) as captured:
                assert agent.post("/api/v1/messages", body).status_code == 201
            return len(captured)

        cost()
        without = cost()
        add_device(person, now)
        assert cost() == without
        assert not Push.objects.exists()


def test_button_sends_a_test_that_says_so(browser: Client, device: PushSubscription) -> None:
    browser.post("/push/test/", {"device": device.pk})
    assert told(device) == [{"text": "Notifications work on this device."}]
    (push,) = claim(limit=5)
    assert push.is_urgent
    tell()
    assert Push.objects.get().is_last
