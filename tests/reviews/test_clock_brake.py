"""A clock that jumps ahead must not expire what is not due (T3)."""

from datetime import UTC, datetime, timedelta

import pytest

from reviews import tasks
from reviews.clock_brake import ClockBrake
from reviews.models import ReviewRequest, Status
from tests.factories import make_review

START = datetime(2026, 1, 1, tzinfo=UTC)


def sweeps(*clocks: timedelta) -> list[bool]:
    """What the brake says to sweeps two seconds apart, by a clock that is wrong by so much."""
    brake = ClockBrake()
    return [
        brake.holds(START + timedelta(seconds=2 * number) + wrong, 2.0 * number)
        for number, wrong in enumerate(clocks)
    ]


RIGHT, HOUR, DAY = timedelta(), timedelta(hours=1), timedelta(days=1)


def test_clock_that_runs_as_time_does_holds_nothing() -> None:
    assert sweeps(RIGHT, RIGHT, timedelta(seconds=299), RIGHT) == [False] * 4


@pytest.mark.parametrize("step", [HOUR, DAY, timedelta(seconds=301)])
def test_step_ahead_is_believed_after_two_sweeps_that_agree(step: timedelta) -> None:
    assert sweeps(RIGHT, step, step, step, step) == [False, True, True, True, False]


def test_step_that_is_taken_back_lets_nothing_expire_by_it() -> None:
    assert sweeps(RIGHT, DAY, RIGHT, RIGHT, RIGHT, RIGHT) == [False, True, True, True, True, False]


def test_step_back_only_delays() -> None:
    assert sweeps(RIGHT, -HOUR, -HOUR, -HOUR, -HOUR) == [False, True, True, True, False]


def test_first_sweep_after_a_long_pause_is_no_step() -> None:
    brake = ClockBrake()
    assert not brake.holds(START, 0)
    assert not brake.holds(START + DAY, DAY.total_seconds())


@pytest.mark.django_db
def test_sweep_that_is_held_expires_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    make_review(expires_in=timedelta(seconds=-1))
    monkeypatch.setattr(tasks, "_brake", ClockBrake())
    clock = iter([START, START + DAY])
    monkeypatch.setattr(tasks, "database_now", lambda: next(clock))
    ReviewRequest.objects.update(expires_at=datetime(9999, 1, 1, tzinfo=UTC))
    tasks.tick_expire()
    ReviewRequest.objects.update(expires_at=START)
    tasks.tick_expire()
    assert ReviewRequest.objects.get().status == Status.PENDING
