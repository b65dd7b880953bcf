"""The engine of a worker process."""

import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from accounts.models import User
from delivery import engine as module
from delivery import faults, tasks
from delivery.engine import Engine
from delivery.models import Delivery, State
from delivery.recording import record
from delivery.sending import Flight
from inbox.models import Channel
from inbox.services.channels import Webhook, set_webhook
from tests.concurrency.together import at_once
from tests.delivery.decisions import decide
from tests.factories import make_channel, make_person, make_workspace
from tests.polling import happens_within
from tests.receiver import Receiver


@pytest.fixture
def fresh() -> Iterator[None]:
    module._started.cache_clear()
    yield
    module._started.cache_clear()


@pytest.fixture
def hooked(receiver: Receiver) -> Channel:
    return set_webhook(make_channel(make_workspace()), webhook=Webhook(url=receiver.url))


@pytest.fixture
def person(hooked: Channel) -> User:
    return make_person(hooked.workspace)


@pytest.mark.django_db(transaction=True)
def test_tasks_that_come_first_at_once_share_one_engine_that_ends_when_told(fresh: None) -> None:
    engines = at_once([module.running_engine] * 8)
    try:
        assert len(set(map(id, engines))) == 1
        threads = [thread for thread in threading.enumerate() if thread.name == "engine"]
        assert len(threads) == 1
    finally:
        engines[0].stop()
    threads[0].join(timeout=5)
    assert not threads[0].is_alive()
    module._started.cache_clear()


def test_worker_that_sent_nothing_starts_no_engine_to_end_it(fresh: None) -> None:
    tasks._give_lanes_back()
    assert module._started.cache_info().currsize == 0


UNTOLD = """
import django, threading
django.setup()
from delivery.engine import running_engine
running_engine().wake()
print("the main thread ends", flush=True)
"""


def test_process_that_ends_without_telling_its_engine_ends() -> None:
    """As a worker does after a failure that Celery calls unrecoverable."""
    command = [sys.executable, "-W", "ignore", "-c", UNTOLD]
    done = subprocess.run(command, timeout=30, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "the main thread ends\n")


FORKED = """
import django, os
django.setup()
from delivery.engine import Engine, running_engine
Engine.run = lambda self: None
first = running_engine()
child = os.fork()
if child == 0:
    os._exit(3 if running_engine().token == first.token else 0)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_copy_of_a_process_has_an_engine_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], timeout=30)
    assert done.returncode == 0


@pytest.mark.django_db(transaction=True)
class TestRunning:
    """The engine's own thread."""

    @pytest.fixture
    def engine(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
        settings.DELIVERY_SCHEDULE = [0.05] * 40
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
        monkeypatch.setattr(module, "SWEEP_SECONDS", 0.1)
        engine = Engine()
        thread = threading.Thread(target=engine.run)
        self.start = thread.start
        self.thread = thread
        yield engine
        engine.stop()
        engine.stop()
        if thread.ident:
            thread.join(timeout=10)
            assert not thread.is_alive()

    def test_finds_what_is_due_although_nobody_says_so(
        self, hooked: Channel, person: User, receiver: Receiver, engine: Engine
    ) -> None:
        self.start()
        assert happens_within(5, lambda: not engine._may_claim)
        decide(hooked, person)
        assert len(receiver.wait_for(1, seconds=10)) == 1

    def test_goes_on_at_once_after_a_commit_of_unknown_outcome(
        self,
        hooked: Channel,
        person: User,
        receiver: Receiver,
        engine: Engine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        lost = iter([True])

        def after_commit(point: str, about: object = "") -> None:
            if point == "send.after_attempt_row" and next(lost, False):
                raise OperationalError("the connection was lost")

        monkeypatch.setattr(faults, "hit", after_commit)
        decide(hooked, person)
        self.start()
        assert len(receiver.wait_for(1, seconds=10)) == 1
        done = Delivery.objects.filter(state=State.DELIVERED, attempts=2)
        assert happens_within(10, done.exists)

    def test_ends_although_the_database_stays_away(
        self, hooked: Channel, person: User, engine: Engine, settings: Settings
    ) -> None:
        settings.DELIVERY_LEASE_SECONDS = 0.3
        decide(hooked, person)
        engine.turn()

        def away() -> None:
            raise OperationalError("no database")

        engine.turn = away  # type: ignore[method-assign]
        self.start()
        engine.stop()
        self.thread.join(timeout=10)
        assert not self.thread.is_alive()

    def test_result_that_cannot_be_written_down_takes_no_others_with_it(
        self,
        hooked: Channel,
        person: User,
        engine: Engine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with Receiver() as other:
            poison = other.url

            def fussy(flights: list[Flight], token: uuid.UUID) -> set[uuid.UUID]:
                if any(flight.delivery.url == poison for flight in flights):
                    raise ValueError("what is this?")
                return record(flights, token)

            monkeypatch.setattr(module, "record", fussy)
            decide(hooked, person)
            set_webhook(hooked, webhook=Webhook(url=poison))
            decide(hooked, person)
            engine.turn()
            assert happens_within(10, lambda: engine._calls.qsize() == 2)
            self.start()
            healthy, sick = (
                Delivery.objects.exclude(url=poison),
                Delivery.objects.filter(url=poison),
            )
            assert happens_within(10, healthy.filter(state=State.DELIVERED).exists)
            assert happens_within(10, sick.filter(attempts__gt=1).exists)
            monkeypatch.setattr(module, "record", record)
            assert happens_within(10, sick.filter(state=State.DELIVERED).exists)
            assert healthy.get().attempts == 1
