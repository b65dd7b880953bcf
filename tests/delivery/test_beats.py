"""Signs of life, and what is done about neighbours that give none."""

import os
import subprocess
import sys
import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from delivery import beats, bus
from delivery.beats import DEAF_AFTER_SECONDS, Watch, beat, free_lanes_of_the_dead
from delivery.models import EngineBeat, Lane
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


def lane_of(token: uuid.UUID) -> Lane:
    """A lane under a lease that has long to run."""
    return Lane.objects.create(
        workspace=make_workspace(),
        origin="http://127.0.0.1:1",
        slot=0,
        lease_token=token,
        lease_until=timezone.now() + timedelta(hours=1),
    )


def neighbour(pid: int, token: uuid.UUID, **over: object) -> EngineBeat:
    values = {"seen_at": timezone.now(), "place": beats._place(), "born": beats._born(pid)}
    return EngineBeat.objects.create(name=f"n:{pid}", pid=pid, token=token, **values | over)


def test_beat_is_kept_once_for_each_process() -> None:
    token = uuid.uuid4()
    beat(token)
    beat(token)
    assert EngineBeat.objects.get().pid == os.getpid()


@ON_LINUX
def test_lanes_of_a_killed_neighbour_are_free_at_once() -> None:
    token = uuid.uuid4()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        neighbour(process.pid, token)
        lane = lane_of(token)
        assert free_lanes_of_the_dead() == 0
        process.kill()
    beat(uuid.uuid4())
    lane.refresh_from_db()
    assert lane.lease_token is None
    assert lane.lease_until <= timezone.now()
    assert EngineBeat.objects.get().pid == os.getpid()


@ON_LINUX
@pytest.mark.parametrize("place", ["", "another machine"])
def test_who_lives_elsewhere_is_not_judged(place: str) -> None:
    token = uuid.uuid4()
    neighbour(2**22 + 1, token, place=place, born=1)
    lane_of(token)
    assert free_lanes_of_the_dead() == 0
    assert Lane.objects.get().lease_token == token


@ON_LINUX
def test_process_that_has_the_pid_of_a_dead_one_does_not_keep_its_lanes() -> None:
    token = uuid.uuid4()
    neighbour(os.getpid(), token, born=1)
    lane_of(token)
    assert free_lanes_of_the_dead() == 1


class TestWatch:
    def test_worker_that_hears_nothing_although_redis_answers_is_deaf(self) -> None:
        watch = Watch()
        assert not watch.is_deaf()
        watch.seen_at = time.monotonic() - DEAF_AFTER_SECONDS - 1
        assert watch.is_deaf()

    def test_worker_whose_redis_is_away_is_not(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        monkeypatch.setattr(bus, "client", bus.client.__wrapped__)
        watch = Watch()
        watch.seen_at = time.monotonic() - DEAF_AFTER_SECONDS - 1
        assert not watch.is_deaf()
