"""The engine's turns: leases, breakers, receivers switched off, and what the dead leave."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from delivery.engine import Engine, deliver_due
from delivery.lanes import enable
from delivery.models import Attempt, Delivery, Event, GoneUrl, Lane, State
from delivery.outbox import Target, send_again
from delivery.retention import clean_up
from inbox.models import Channel, DeliveryStatus, Message
from inbox.services.channels import Webhook, delete_channel, set_webhook
from tests.delivery.decisions import LONG_PAST, decide, fails, land, let_time_come
from tests.factories import make_channel
from tests.receiver import Received, Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def hooked(channel: Channel, receiver: Receiver) -> Channel:
    return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))


def test_lane_is_held_by_one_engine_and_given_back(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    decide(hooked, person)
    first, second = Engine(), Engine()
    first.turn()
    second.turn()
    assert (first.made, second.made) == (1, 0)
    assert Lane.objects.get().lease_token == first.token
    first.run_until_idle()
    assert Lane.objects.get().lease_token is None
    assert len(receiver.received) == 1


def test_attempt_is_in_the_database_before_its_request_leaves(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    go_on = threading.Event()

    def hold(_: Received) -> tuple[int, dict[str, str], bytes]:
        go_on.wait(5)
        return 200, {}, b""

    receiver.answer = hold
    decide(hooked, person)
    engine = Engine()
    engine.turn()
    assert Attempt.objects.get().ended_at is None
    assert Delivery.objects.get().state == State.SENDING
    go_on.set()
    engine.run_until_idle()
    assert Attempt.objects.get().ended_at is not None


def test_what_a_dead_sender_left_is_due_again_once_its_lease_ended(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    decide(hooked, person)
    dead = Engine()
    dead.turn()
    land(dead)
    assert deliver_due() == 0
    Lane.objects.update(lease_until=LONG_PAST)
    deliver_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == (State.PENDING, 1)
    assert "not known" in delivery.last_error
    let_time_come()
    deliver_due()
    assert Delivery.objects.get().state == State.DELIVERED
    assert [row.ended_at is None for row in Attempt.objects.order_by("number")] == [True, False]


def test_sender_that_lost_its_lease_does_not_overrule_the_new_holder(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    review = decide(hooked, person)
    paused = Engine()
    paused.turn()
    land(paused)
    other = uuid.uuid4()
    Lane.objects.update(lease_token=other)
    paused.turn()
    assert Delivery.objects.get().state == State.SENDING
    assert Message.objects.get(pk=review.pk).delivery_status == DeliveryStatus.SENT
    assert Lane.objects.get().lease_token == other
    assert paused.lanes == {}


def test_lease_is_extended_while_a_receiver_takes_its_time(
    hooked: Channel, person: User, receiver: Receiver, settings: Settings
) -> None:
    settings.DELIVERY_LEASE_SECONDS = 5
    decide(hooked, person)
    engine = Engine()
    engine.turn()
    lapsed = Lane.objects.get().lease_until
    settings.DELIVERY_LEASE_SECONDS = 60
    for hold in engine.lanes.values():
        hold.extended = 0.0
    engine.turn()
    assert Lane.objects.get().lease_until > lapsed + timedelta(seconds=50)
    engine.run_until_idle()


def test_one_lane_sends_one_after_the_other_and_lanes_send_at_once(
    person: User, receiver: Receiver
) -> None:
    while Lane.objects.count() < 2:
        channel = make_channel(person.memberships.get().workspace)
        set_webhook(channel, webhook=Webhook(url=receiver.url))
        decide(channel, person, 2)
    engine = Engine()
    engine.turn()
    assert len(engine.in_air) == len({flight.delivery.lane_id for flight in engine.in_air.values()})
    assert len(engine.in_air) == 2
    engine.run_until_idle()
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.DELIVERED}


def test_places_bound_what_is_in_the_air(
    person: User, receiver: Receiver, workspace: object
) -> None:
    for _ in range(8):
        channel = make_channel(person.memberships.get().workspace)
        set_webhook(channel, webhook=Webhook(url=receiver.url))
        decide(channel, person)
    engine = Engine(places=1)
    engine.turn()
    assert len(engine.in_air) == 1
    assert engine.run_until_idle() == 8


class TestBreaker:
    """A receiver that fails is left alone for a while, and that costs no tries."""

    def test_three_failures_open_it_and_what_is_due_waits(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        receiver.answer = fails
        decide(hooked, person, 5)
        deliver_due()
        assert len(receiver.received) == 3
        lane = Lane.objects.get()
        pause = lane.open_until - timezone.now()
        assert timedelta(seconds=25) < pause <= timedelta(seconds=30)
        assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1, 1, 1]

    def test_half_open_it_lets_one_through_and_closes_on_success(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        receiver.answer = fails
        decide(hooked, person, 5)
        deliver_due()
        let_time_come()
        deliver_due()
        assert len(receiver.received) == 4
        pause = Lane.objects.get().open_until - timezone.now()
        assert timedelta(seconds=110) < pause <= timedelta(seconds=120)
        receiver.answer = lambda _: (200, {}, b"")
        let_time_come()
        deliver_due()
        assert set(Delivery.objects.values_list("state", flat=True)) == {State.DELIVERED}
        assert Lane.objects.get().fail_streak == 0

    def test_what_policy_refuses_does_not_open_it(
        self, hooked: Channel, person: User, settings: Settings
    ) -> None:
        decide(hooked, person, 5)
        settings.EGRESS_ALLOW = ""
        deliver_due()
        assert Lane.objects.get().fail_streak == 0
        assert set(Delivery.objects.values_list("state", flat=True)) == {State.BLOCKED}


class TestDisabling:
    """D8: a receiver that only failed for days is switched off, and can be switched on again."""

    def failing(self, hooked: Channel, person: User, receiver: Receiver, **lane: object) -> Lane:
        receiver.answer = fails
        decide(hooked, person)
        Lane.objects.update(**lane)
        deliver_due()
        return Lane.objects.get()

    def test_only_failures_for_the_whole_window_switch_it_off(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        now = timezone.now()
        since = {"failing_since": now - timedelta(days=6), "last_failed_at": now}
        lane = self.failing(hooked, person, receiver, fail_streak=9, **since)
        assert lane.disabled_at is not None
        let_time_come()
        assert deliver_due() == 0
        receiver.answer = lambda _: (200, {}, b"")
        assert enable(Lane.objects.all()) == 1
        deliver_due()
        assert Delivery.objects.get().state == State.DELIVERED

    def test_too_few_failures_do_not(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        now = timezone.now()
        since = {"failing_since": now - timedelta(days=6), "last_failed_at": now}
        assert self.failing(hooked, person, receiver, fail_streak=8, **since).disabled_at is None

    def test_failures_of_long_ago_are_forgiven(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        old = timezone.now() - timedelta(days=11)
        lane = self.failing(
            hooked, person, receiver, fail_streak=9, failing_since=old, last_failed_at=old
        )
        assert lane.disabled_at is None
        assert lane.fail_streak == 1

    def test_what_waits_behind_it_ends_visibly_when_its_time_is_over(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        review = decide(hooked, person)
        Lane.objects.update(disabled_at=timezone.now())
        Delivery.objects.update(give_up_at=LONG_PAST)
        clean_up()
        assert Delivery.objects.get().state == State.EXHAUSTED
        assert Message.objects.get(pk=review.pk).delivery_status == DeliveryStatus.FAILED


class TestUnknownOutcome:
    """A resume address that was reached by an attempt of unknown end answers 404 afterwards."""

    def test_two_404_after_it_count_as_delivered(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        decide(hooked, person)
        dead = Engine()
        dead.turn()
        land(dead)
        Lane.objects.update(lease_until=LONG_PAST)
        deliver_due()
        receiver.answer = lambda _: (404, {}, b"")
        for state in (State.PENDING, State.DELIVERED):
            let_time_come()
            deliver_due()
            assert Delivery.objects.get().state == state
        assert "probably" in Delivery.objects.get().last_error

    def test_404_without_it_is_a_failure_like_others(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        receiver.answer = lambda _: (404, {}, b"")
        decide(hooked, person)
        for _ in range(4):
            let_time_come()
            deliver_due()
        assert Delivery.objects.get().state == State.PENDING


class TestSendingAgain:
    def test_keeps_the_event_id_and_the_bytes(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        decide(hooked, person)
        deliver_due()
        event = Event.objects.get()
        again = send_again(event, target=Target(url=str(hooked.webhook_url)), now=timezone.now())
        deliver_due()
        first, second = receiver.received
        assert (first.event_id, first.body) == (second.event_id, second.body)
        assert again is not None
        assert Delivery.objects.get(pk=again.pk).replay_of is not None

    def test_closes_a_breaker_and_forgets_a_410(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        receiver.answer = lambda _: (410, {}, b"")
        decide(hooked, person)
        deliver_due()
        assert GoneUrl.objects.exists()
        Lane.objects.update(
            fail_streak=5, open_until=timezone.now() + timedelta(hours=1), disabled_at=LONG_PAST
        )
        receiver.answer = lambda _: (200, {}, b"")
        send_again(
            Event.objects.get(), target=Target(url=str(hooked.webhook_url)), now=timezone.now()
        )
        deliver_due()
        assert Delivery.objects.filter(state=State.DELIVERED).count() == 1


def test_nothing_more_is_sent_for_a_channel_that_was_deleted(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    decide(hooked, person)
    delete_channel(hooked)
    assert deliver_due() == 0
    assert Delivery.objects.get().state == State.CANCELLED
    assert receiver.received == []


class TestRetention:
    def test_bodies_go_after_thirty_days_and_nothing_that_waits(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        decide(hooked, person)
        Event.objects.update(created_at=timezone.now() - timedelta(days=31))
        clean_up()
        assert Event.objects.get().body is not None
        deliver_due()
        clean_up()
        assert Event.objects.get().body is None
        assert Delivery.objects.get().headers_json is None
        assert Attempt.objects.count() == 1

    def test_attempts_go_after_ninety_days_and_events_after_a_year(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        decide(hooked, person)
        deliver_due()
        Attempt.objects.update(started_at=timezone.now() - timedelta(days=91))
        clean_up()
        assert not Attempt.objects.exists()
        Event.objects.update(created_at=timezone.now() - timedelta(days=366))
        clean_up()
        clean_up()
        assert not Event.objects.exists()
        assert not Delivery.objects.exists()
