"""D4, as properties: when the next attempt may begin, whatever a receiver asks for."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import example, given
from hypothesis import strategies as st

from delivery.backoff import (
    JITTER,
    LONGEST_RETRY_AFTER,
    OVERLOADED_FLOOR,
    next_delay,
    retry_after,
)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
# A delay is kept in whole microseconds.
ROUNDING = timedelta(microseconds=1)

schedules = st.lists(st.floats(0, 200_000), min_size=1, max_size=12)
chances = st.integers().map(random.Random)
wishes = st.none() | st.timedeltas(timedelta(0), LONGEST_RETRY_AFTER)
days = "Mon, 16 Nov 2026 09:00:00"
garbage = st.text(max_size=64) | st.from_regex(
    r"\A(Mon, )?\d{1,6} (Jan|Nov|Foo) -?\d{1,9} \d{1,9}:\d{1,4}(:\d{1,4})? ([+-]\d{1,40}|GMT|Z)\Z"
)


@given(schedule=schedules, data=st.data(), chance=chances)
def test_delay_stays_inside_the_jitter_window(
    schedule: list[float], data: st.DataObject, chance: random.Random
) -> None:
    attempts = data.draw(st.integers(1, len(schedule)))
    delay = next_delay(schedule, attempts=attempts, chance=chance)
    assert delay is not None
    planned = timedelta(seconds=schedule[attempts - 1])
    assert planned * (1 - JITTER) - ROUNDING <= delay <= planned * (1 + JITTER) + ROUNDING


@given(schedule=st.just([]) | schedules, beyond=st.integers(1, 50), wish=wishes)
def test_there_is_one_attempt_more_than_the_schedule_has_waits(
    schedule: list[float], beyond: int, wish: timedelta | None
) -> None:
    assert next_delay(schedule, attempts=len(schedule) + beyond, wish=wish) is None


@given(schedule=schedules, data=st.data(), wish=wishes, seed=st.integers())
def test_a_wish_only_ever_makes_the_wait_longer(
    schedule: list[float], data: st.DataObject, wish: timedelta | None, seed: int
) -> None:
    attempts = data.draw(st.integers(1, len(schedule)))
    first, again = map(random.Random, (seed, seed))
    without = next_delay(schedule, attempts=attempts, chance=first)
    delay = next_delay(schedule, attempts=attempts, wish=wish, chance=again)
    assert without is not None
    assert delay == max(without, wish or timedelta(0))


@given(schedule=schedules, data=st.data())
def test_an_overloaded_receiver_gets_a_minute_or_the_longest_wait(
    schedule: list[float], data: st.DataObject
) -> None:
    attempts = data.draw(st.integers(1, len(schedule)))
    delay = next_delay(schedule, attempts=attempts, overloaded=True)
    assert delay is not None
    assert delay >= min(OVERLOADED_FLOOR, timedelta(seconds=max(schedule)))


@given(garbage)
@example(f"{days} +99999999999999999999")
@example(f"{days} -9999999999999")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("9" * 64)
@example("²")
def test_whatever_stands_in_retry_after_is_a_bounded_wish_or_none(header: str) -> None:
    wish = retry_after(header, now=NOW)
    assert wish is None or timedelta(0) <= wish <= LONGEST_RETRY_AFTER


@given(st.integers(0, 10**12))
def test_seconds_are_taken_as_they_are_up_to_six_hours(seconds: int) -> None:
    wanted = timedelta(seconds=min(seconds, 10**6))
    assert retry_after(str(seconds), now=NOW) == min(wanted, LONGEST_RETRY_AFTER)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))  # noqa: DTZ001  # a zone follows
def test_a_date_is_taken_up_to_six_hours_and_a_past_one_is_no_wish(at: datetime) -> None:
    at = at.replace(tzinfo=UTC, microsecond=0)
    wish = retry_after(format_datetime(at, usegmt=True), now=NOW)
    assert wish == (min(at - NOW, LONGEST_RETRY_AFTER) if at > NOW else None)
