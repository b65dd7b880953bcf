"""Several engines on one database, some of which die, while people press buttons."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from delivery import engine as module
from delivery import faults
from delivery.engine import Engine
from delivery.models import FINAL_STATES, Attempt, Delivery, Event, Lane, State, long_ago
from delivery.outbox import Target, send_again
from delivery.retention import clean_up
from delivery.statements import claim_lanes
from inbox.models import Channel
from inbox.services.channels import Webhook, delete_channel, set_webhook
from tests.delivery.decisions import decide, land
from tests.factories import make_channel, make_person, make_workspace
from tests.polling import happens_within
from tests.receiver import Answer, Received, Receiver

pytestmark = pytest.mark.django_db(transaction=True)

STRAIGHT_ON = threading.Event()


def wait_a_moment(seconds: float) -> None:
    STRAIGHT_ON.wait(seconds)


@pytest.fixture
def quick(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of retries in seconds."""
    settings.DELIVERY_SCHEDULE = [0.05] * 40
    settings.DELIVERY_BREAKER = [0.05, 0.1]
    monkeypatch.setattr(module, "TURN_OF_A_LANE_SECONDS", 0.1)


@dataclass
class Chaos:
    """Engines, people and receivers whose luck comes from one seed."""

    seed: int
    channels: list[Channel]
    over: threading.Event = field(default_factory=threading.Event)
    abandoned: Counter[str] = field(default_factory=Counter)
    failures: list[BaseException] = field(default_factory=list)
    answered_well: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answers(self) -> Callable[[Received], Answer]:
        chance = random.Random(self.seed)  # noqa: S311  # no secret

        def answer(request: Received) -> Answer:
            with self._lock:
                luck, pause = chance.random(), chance.uniform(0, 0.02)
                self.answered_well[request.event_id] += luck < 0.6
            wait_a_moment(pause)
            if luck < 0.6:
                return 200, {}, b""
            return chance.choice([500, 503, 404]), {"retry-after": "0"}, b""

        return answer

    def engine(self, number: int) -> None:
        """Take turns; die now and then with requests in the air, to be followed by another."""
        chance = random.Random(self.seed * 100 + number)  # noqa: S311  # no secret
        engine = Engine(places=4)
        while not self.over.is_set():
            if not engine.in_air:
                engine.wake()
                wait_a_moment(0.03)
            engine._await_calls(0.05)
            engine.turn()
            if chance.random() < 0.05:
                self.abandon(engine)
                engine = Engine(places=4)
        engine.stop()
        engine.run()

    def abandon(self, engine: Engine) -> None:
        flights = [*engine.in_air.values(), *engine.landed]
        with self._lock:
            self.abandoned.update(flight.delivery.event_id for flight in flights)
        Lane.objects.filter(lease_token=engine.token).update(lease_until=long_ago())

    def person(self) -> None:
        """Somebody presses "Send again" wherever he likes, and deletes a channel."""
        chance = random.Random(self.seed + 1)  # noqa: S311  # no secret
        for _ in range(15):
            event = chance.choice(list(Event.objects.all()))
            delivery = event.deliveries.latest("replay_no")
            send_again(event, target=Target(url=delivery.url), now=timezone.now())
            wait_a_moment(0.03)
        delete_channel(self.channels[0])
        clean_up()

    def thread(self, work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as failure:  # noqa: BLE001  # judged by the test
                self.failures.append(failure)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    with Receiver() as one, Receiver() as two, Receiver() as three:
        yield [one, two, three]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_events_end_visibly_and_double_only_where_an_engine_died(
    seed: int, quick: None, receivers: list[Receiver]
) -> None:
    workspace = make_workspace()
    person = make_person(workspace)
    channels = [make_channel(workspace) for _ in range(9)]
    for index, channel in enumerate(channels):
        set_webhook(channel, webhook=Webhook(url=f"{receivers[index % 3].url}/{index}"))
        decide(channel, person, 5)
    chaos = Chaos(seed, channels)
    for receiver in receivers:
        receiver.answer = chaos.answers()
    engines = [chaos.thread(lambda n=number: chaos.engine(n)) for number in range(3)]  # type: ignore[misc]
    people = chaos.thread(chaos.person)
    people.join(timeout=40)
    unfinished = Delivery.objects.exclude(state__in=FINAL_STATES)
    ended = happens_within(40, lambda: chaos.failures or not unfinished.exists())
    chaos.over.set()
    for thread in engines:
        thread.join(timeout=20)
    assert chaos.failures == []
    assert ended
    judge(chaos, receivers)


def heard(receivers: list[Receiver]) -> int:
    return sum(len(receiver.received) for receiver in receivers)


def judge(chaos: Chaos, receivers: list[Receiver]) -> None:
    """The promises, from what the receivers heard and what the database says."""
    assert chaos.abandoned
    assert not Lane.objects.exclude(lease_token=None).exists()
    assert not Delivery.objects.exclude(state__in=FINAL_STATES).exists()
    # Requests of engines that died may still be on their way.
    assert happens_within(10, lambda: heard(receivers) == Attempt.objects.count())
    unknown = Counter(
        Attempt.objects.filter(ended_at=None).values_list("delivery__event_id", flat=True)
    )
    assert unknown == chaos.abandoned
    deliveries = Counter(Delivery.objects.values_list("event_id", flat=True))
    for event_id, times in chaos.answered_well.items():
        assert times <= deliveries[event_id] + chaos.abandoned[event_id]
    for delivery in Delivery.objects.filter(state=State.DELIVERED, last_error=""):
        assert chaos.answered_well[delivery.event_id]


@pytest.fixture
def hooked(receiver: Receiver) -> Channel:
    return set_webhook(make_channel(make_workspace()), webhook=Webhook(url=receiver.url))


@pytest.fixture
def person(hooked: Channel) -> User:
    return make_person(hooked.workspace)


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    chaos = Chaos(0, [])
    return chaos.thread(work), chaos.failures


def needs_rows_locked_one_by_one() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def test_decision_does_not_wait_for_an_engine_in_the_middle_of_its_turn(
    hooked: Channel, person: User
) -> None:
    needs_rows_locked_one_by_one()
    decide(hooked, person)
    claimed, go_on = threading.Event(), threading.Event()

    def claim() -> None:
        with transaction.atomic():
            assert claim_lanes(Engine().token, most=1)
            claimed.set()
            go_on.wait(20)

    holder, failures = in_thread(claim)
    try:
        assert claimed.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")
        decide(hooked, person)
    finally:
        go_on.set()
        holder.join()
    assert failures == []
    assert Delivery.objects.count() == 2


class Halfway:
    """Stops the first turn that has written its results down, before its commit."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, point: str, about: object = "") -> None:
        if point == "finish.before_commit" and not self.reached.is_set():
            self.reached.set()
            self.go_on.wait(20)


@pytest.fixture
def halfway(monkeypatch: pytest.MonkeyPatch) -> Halfway:
    needs_rows_locked_one_by_one()
    halfway = Halfway()
    monkeypatch.setattr(faults, "hit", halfway)
    return halfway


def test_sender_that_was_taken_for_dead_may_finish_writing_its_end_down(
    hooked: Channel, person: User, halfway: Halfway
) -> None:
    decide(hooked, person)
    slow = Engine()
    slow.turn()
    land(slow)
    turn, failures = in_thread(slow.turn)
    assert halfway.reached.wait(10)
    Lane.objects.update(lease_until=long_ago())
    successor, others = in_thread(Engine().turn)
    try:
        successor.join(timeout=5)
        assert not successor.is_alive()
    finally:
        halfway.go_on.set()
        turn.join()
        successor.join()
    assert failures + others == []
    assert Delivery.objects.get().state == State.DELIVERED


def test_channel_is_deleted_while_its_results_are_written_down(
    hooked: Channel, person: User, halfway: Halfway
) -> None:
    decide(hooked, person, 3)
    engine = Engine()
    engine.turn()
    land(engine)
    turn, failures = in_thread(engine.turn)
    assert halfway.reached.wait(10)
    deleting, others = in_thread(lambda: delete_channel(hooked))
    try:
        assert happens_within(10, somebody_waits_for_a_lock)
    finally:
        halfway.go_on.set()
        turn.join()
        deleting.join()
    assert failures + others == []
    engine.run_until_idle()
    ends = set(Delivery.objects.values_list("state", flat=True))
    assert ends <= {State.DELIVERED, State.CANCELLED}
    assert not Channel.objects.exists()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_person_who_presses_send_again_and_an_engine_do_not_wait_in_a_circle(
    hooked: Channel, person: User, seed: int, quick: None, receivers: list[Receiver]
) -> None:
    """Breakers open and close, addresses change, and the buttons are pressed all the time."""
    chaos = Chaos(seed, [])
    channels = [make_channel(hooked.workspace) for _ in range(8)]
    for receiver in receivers:
        receiver.answer = lambda _: (500, {}, b"")
    for index, channel in enumerate(channels):
        set_webhook(channel, webhook=Webhook(url=receivers[index % 3].url))
        decide(channel, person, 2)

    def press(number: int) -> None:
        chance = random.Random(number)  # noqa: S311  # no secret
        for _ in range(25):
            event = chance.choice(list(Event.objects.all()))
            url = chance.choice(receivers).url
            send_again(event, target=Target(url=url), now=timezone.now())

    engines = [chaos.thread(lambda n=number: chaos.engine(n)) for number in range(2)]  # type: ignore[misc]
    people = [chaos.thread(lambda n=number: press(n)) for number in range(3)]  # type: ignore[misc]
    for thread in people:
        thread.join(timeout=40)
    chaos.over.set()
    for thread in engines:
        thread.join(timeout=20)
    assert chaos.failures == []
