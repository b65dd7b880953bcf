"""D10 and D12: Redis and the database go away in the middle, and nothing is lost."""

import statistics
import time
from collections.abc import Callable

import pytest

from tests.chaos.history import Told
from tests.chaos.nemeses import (
    LOCKED_SECONDS,
    deciding,
    flush_each_second,
    hang_redis,
    hurt_database,
    pass_time,
    stop_redis,
)
from tests.chaos.scene import Scene
from tests.chaos.stack import WORKSPACES
from tests.polling import happens_within

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

type Open = Callable[[str], Scene]
MOST_PRESS_SECONDS = 0.5
MOST_RECOVERY_SECONDS = 15.0
SWEEP_SECONDS = 5.0
SLACK_SECONDS = 1.5


def p99(act: Scene) -> float:
    """Of the respond requests, in seconds."""
    seconds = [call.seconds for call in act.calls.all() if call.kind == "decide"]
    return statistics.quantiles(seconds, n=100)[98]


def slowest_arrival(act: Scene, since: float) -> float:
    """The longest time from an event that was stored since then to its receiver."""
    rows = act.ledger("events").events
    stored = {row["id"]: row["created_at"].timestamp() for row in rows}
    came = {entry.event_id: entry.at for entry in reversed(act.entries())}
    waits: list[float] = [came[event] - at for event, at in stored.items() if at >= since]
    return max(waits)


def test_D10_events_survive_a_broker_that_forgets_dies_or_hangs(scene: Open, *, full: bool) -> None:
    act = scene("D10")
    receiver = act.receiver()
    channels = [act.channel(receiver, workspace) for workspace in WORKSPACES]
    delays = {}
    for nemesis in (flush_each_second, stop_redis, hang_redis):
        begun = time.time()
        with deciding(act, channels):
            nemesis(act, 20 if full else 7)
        assert happens_within(20, act.is_quiet)
        delays[nemesis.__name__] = slowest_arrival(act, begun)
    slow = p99(act)
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in delays.items())
    act.end(note=f"p99 of respond {slow * 1000:.0f} ms; slowest delivery: {told}")
    assert slow < MOST_PRESS_SECONDS
    assert max(delays.values()) <= SWEEP_SECONDS + SLACK_SECONDS
    assert all(call.told is Told.YES for call in act.calls.all() if call.kind == "decide")


def test_D12_events_survive_restarts_of_the_database(scene: Open, *, full: bool) -> None:
    act = scene("D12")
    receiver = act.receiver()
    channels = [act.channel(receiver, workspace) for workspace in WORKSPACES]
    times = 3 if full or act.stack.postgres else 1
    recoveries = []
    with deciding(act, channels):
        for _ in range(times):
            pass_time(5 if full else 1)
            hurt_database(act)
            recoveries.append(seconds_until_working(act))
    what = "restarted at once" if act.stack.postgres else f"locked for {LOCKED_SECONDS:g} s"
    unanswered = sum(call.told is Told.NOTHING for call in act.calls.all())
    act.end(
        within=40,
        note=f"{act.stack.database} {what}, {times}x; {unanswered} calls without an answer; "
        f"deliveries again after {', '.join(f'{s:.1f}' for s in recoveries)} s",
    )
    assert max(recoveries) <= MOST_RECOVERY_SECONDS


def seconds_until_working(act: Scene) -> float:
    """Until a decision that was made after the blow has arrived."""
    begun, seen = time.monotonic(), act.receivers[0].accepted()
    about = {call.about for call in act.calls.acked("decide")}

    def works() -> bool:
        new = {call.about for call in act.calls.acked("decide")} - about
        came = [entry for entry in list(act.receivers[0].entries) if entry.event_id not in seen]
        return any(review_id.encode() in entry.body for entry in came for review_id in new)

    assert happens_within(60, works)
    return time.monotonic() - begun
