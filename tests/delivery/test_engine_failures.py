"""What goes wrong around a turn costs what it touches, and nothing else."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from delivery import engine as module
from delivery import faults
from delivery.engine import Engine, deliver_due
from delivery.faults import parse_faults
from delivery.keys import ensure_secret
from delivery.lanes import enable
from delivery.models import Attempt, Delivery, Event, Lane, State
from delivery.outbox import Target, send_again
from delivery.retention import clean_up
from delivery.statements import take_next
from inbox.models import Channel
from inbox.services.channels import Webhook, delete_channel, set_webhook
from tests.delivery.decisions import LONG_PAST, decide, fails, land, let_time_come
from tests.factories import make_channel, make_person, make_workspace
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def hooked(channel: Channel, receiver: Receiver) -> Channel:
    return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))


@pytest.fixture
def other() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def states() -> list[str]:
    return sorted(Delivery.objects.values_list("state", flat=True))


class TestBreakerIsThatOfTheDatabase:
    def test_failure_counts_once_although_the_turn_that_counted_it_was_undone(
        self, hooked: Channel, person: User, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        receiver.answer = fails
        decide(hooked, person)
        engine = Engine()
        engine.turn()
        land(engine)

        def database_goes_away(*_: object) -> None:
            raise OperationalError("gone")

        with monkeypatch.context() as patch:
            patch.setattr(module, "release", database_goes_away)
            with pytest.raises(OperationalError):
                engine.turn()
        engine.turn()
        assert Lane.objects.get().fail_streak == 1

    def test_person_who_switches_a_receiver_on_is_not_overruled_by_what_is_in_the_air(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        receiver.answer = fails
        decide(hooked, person)
        now = timezone.now()
        Lane.objects.update(fail_streak=5, failing_since=now, last_failed_at=now)
        engine = Engine()
        engine.turn()
        enable(Lane.objects.all())
        land(engine)
        engine.turn()
        lane = Lane.objects.get()
        assert (lane.fail_streak, lane.open_until <= timezone.now()) == (1, True)


class TestCalledOff:
    def test_what_was_in_the_air_for_a_deleted_channel_is_not_tried_again(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        receiver.answer = fails
        decide(hooked, person, 2)
        engine = Engine()
        engine.turn()
        delete_channel(hooked)
        land(engine)
        engine.run_until_idle()
        assert states() == [State.CANCELLED, State.EXHAUSTED]
        let_time_come()
        assert deliver_due() == 0
        assert len(receiver.received) == 1

    def test_what_was_in_the_air_for_another_address_is_not_tried_again(
        self, hooked: Channel, person: User, receiver: Receiver, other: Receiver
    ) -> None:
        receiver.answer = fails
        decide(hooked, person)
        engine = Engine()
        engine.turn()
        send_again(Event.objects.get(), target=Target(url=other.url), now=timezone.now())
        land(engine)
        engine.run_until_idle()
        let_time_come()
        deliver_due()
        assert states() == [State.DELIVERED, State.EXHAUSTED]
        assert (len(receiver.received), len(other.received)) == (1, 1)

    def test_what_a_dead_sender_left_on_a_receiver_that_is_off_ends_visibly(
        self, hooked: Channel, person: User
    ) -> None:
        decide(hooked, person)
        Engine().turn()
        Lane.objects.update(disabled_at=timezone.now())
        Delivery.objects.update(give_up_at=LONG_PAST)
        clean_up()
        assert states() == [State.SENDING]
        Lane.objects.update(lease_until=LONG_PAST)
        clean_up()
        assert states() == [State.EXHAUSTED]


def test_sending_again_gives_what_waited_too_long_its_whole_time_again(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    decide(hooked, person)
    Delivery.objects.update(give_up_at=LONG_PAST)
    send_again(Event.objects.get(), target=Target(url=str(hooked.webhook_url)), now=timezone.now())
    clean_up()
    deliver_due()
    assert states() == [State.DELIVERED]


class TestUnreadable:
    """One row that no key opens costs its own delivery tries, and others nothing."""

    @pytest.fixture
    def decide_elsewhere(self, other: Receiver) -> Callable[[], object]:
        channel = set_webhook(make_channel(make_workspace()), webhook=Webhook(url=other.url))
        return partial(decide, channel, make_person(channel.workspace))

    def only_one_failed(self, other: Receiver) -> None:
        deliver_due()
        assert len(other.received) == 1
        failed = Delivery.objects.defer("headers_json").get(state=State.PENDING)
        assert "SECRET_KEY" in failed.last_error
        assert (failed.attempts, failed.lane.fail_streak) == (1, 0)

    def test_body_and_headers(
        self,
        hooked: Channel,
        person: User,
        other: Receiver,
        decide_elsewhere: Callable[[], object],
        settings: Settings,
    ) -> None:
        decide(hooked, person)
        settings.SECRET_KEY = "another"
        decide_elsewhere()
        self.only_one_failed(other)

    def test_signing_secret(
        self,
        hooked: Channel,
        person: User,
        other: Receiver,
        decide_elsewhere: Callable[[], object],
        settings: Settings,
    ) -> None:
        key, settings.SECRET_KEY = settings.SECRET_KEY, "another"
        ensure_secret(workspace_id=hooked.workspace_id, scope=str(hooked.pk))
        settings.SECRET_KEY = key
        decide(hooked, person)
        decide_elsewhere()
        self.only_one_failed(other)

    def test_what_a_dead_sender_left(
        self,
        hooked: Channel,
        person: User,
        other: Receiver,
        decide_elsewhere: Callable[[], object],
        settings: Settings,
    ) -> None:
        decide(hooked, person)
        Engine().turn()
        Lane.objects.update(lease_until=LONG_PAST)
        settings.SECRET_KEY = "another"
        decide_elsewhere()
        deliver_due()
        assert len(other.received) == 1
        assert states() == [State.DELIVERED, State.PENDING]


def test_receiver_cannot_break_a_turn_by_what_it_asks_for(
    hooked: Channel, person: User, receiver: Receiver
) -> None:
    wish = "Mon, 16 Nov 2026 09:00:00 +99999999999999999999"
    receiver.answer = lambda _: (503, {"retry-after": wish}, b"")
    decide(hooked, person)
    deliver_due()
    assert states() == [State.PENDING]


def test_engine_does_not_take_what_its_successor_is_sending(hooked: Channel, person: User) -> None:
    decide(hooked, person)
    late, successor = Engine(), Engine()
    successor.turn()
    assert states() == [State.SENDING]
    assert take_next(late.token, [Lane.objects.get().pk]) == []
    successor.run_until_idle()


@pytest.mark.parametrize("point", ["send.before_connect", "send.after_response"])
def test_flight_that_fails_in_an_unforeseen_way_lands(
    hooked: Channel,
    person: User,
    point: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(faults, "_faults", parse_faults(f"{point}:raise"))
    decide(hooked, person)
    assert deliver_due() == 1
    assert states() == [State.PENDING]


def test_flights_share_the_threads_there_are(
    person: User, receiver: Receiver, other: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnlyOne(threading.Thread):
        started = 0

        def start(self) -> None:
            OnlyOne.started += self.name == "send"
            if OnlyOne.started > 1 and self.name == "send":
                raise RuntimeError("can't start new thread")
            super().start()

    channel = make_channel(person.memberships.get().workspace)
    for hook in (receiver, other):
        set_webhook(channel, webhook=Webhook(url=hook.url))
        decide(channel, person)
    monkeypatch.setattr(threading, "Thread", OnlyOne)
    assert Engine().run_until_idle() == 2
    assert states() == [State.DELIVERED, State.DELIVERED]


def test_turn_needs_as_many_statements_for_twenty_deliveries_as_for_one(
    person: User, settings: Settings
) -> None:
    with contextlib.ExitStack() as running:
        channels = []
        for _ in range(20):
            receiver = running.enter_context(Receiver())
            channel = make_channel(person.memberships.get().workspace)
            channels.append(set_webhook(channel, webhook=Webhook(url=receiver.url)))

        def counted(count: int) -> list[int]:
            for channel in channels[:count]:
                decide(channel, person)
            engine = Engine()
            with CaptureQueriesContext(connection) as starting:
                engine.turn()
            land(engine, count)
            with CaptureQueriesContext(connection) as ending:
                engine.turn()
            assert engine.made == count
            engine.run_until_idle()
            return [len(starting), len(ending)]

        counted(20)  # makes secrets, which is done once for each channel
        one, twenty = counted(1), counted(20)
    assert one == twenty
    assert set(states()) == {State.DELIVERED}
    assert Attempt.objects.count() == 41
