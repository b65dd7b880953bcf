"""D2, D3, D4, D7, D8, D9 and D11: what a receiver gets, how often, and where it ends."""

import itertools
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.chaos.history import Row
from tests.chaos.receiving import Answer, Hit, always, failing_first, ok
from tests.chaos.scene import Channel, Scene, at_once, tries
from tests.chaos.stack import LEASE_SECONDS, SCHEDULE
from tests.polling import happens_within

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

type Open = Callable[[str], Scene]
SWEEP_SECONDS = 5.0
JITTER = 0.2
DISABLE_AFTER_SECONDS = 2.0


def attempts_of(act: Scene, channel: Channel) -> dict[str, list[Row]]:
    """Attempts in their order, by delivery."""
    ledger = act.ledger()
    events = {row["id"] for row in ledger.events if row["scope"] == channel.id}
    mine = [row["id"] for row in ledger.deliveries if row["event_id"] in events]
    rows = sorted(ledger.attempts, key=lambda row: (row["number"], row["started_at"]))
    return {each: [row for row in rows if row["delivery_id"] == each] for each in mine}


def states(act: Scene) -> set[str]:
    return {row["state"] for row in act.ledger("deliveries").deliveries}


def test_D2_same_id_and_same_bytes_on_every_retry_and_replay(scene: Open, *, full: bool) -> None:
    act = scene("D2")
    act.stack.worker.restart(DELIVERY_SCHEDULE="1.3,1.3,1.3")  # signed are whole seconds
    channel = act.channel(act.receiver(failing_first(2)))
    with act.hurry():
        decided = act.decide(channel, 40 if full else 6)
        assert happens_within(20, act.is_quiet)
        for call in decided:
            act.person().send_again(call.about)
        figures = act.end(note="answers 500, 500, 200; then sent again by hand")
    for same in tries(act.entries()).values():
        assert [entry.status for entry in same] == [500, 500, 200, 200]
        assert len({entry.body for entry in same}) == 1
        assert len({entry.headers["webhook-timestamp"] for entry in same[:3]}) == 3
    assert figures.distinct == figures.acked == len(decided)
    assert figures.dup == 0, "only what was asked for by hand came again"


def test_D3_killed_and_paused_senders_bound_the_duplicates(scene: Open, *, full: bool) -> None:
    act = scene("D3")
    stack, kills = act.stack, 6 if full else 2
    receiver = act.receiver()
    channels = [act.channel(receiver) for _ in range(6)]
    stack.worker.plan.extend(["send.after_response:kill@4"] * kills)
    stack.worker.plan.append("send.after_response:stop@4")
    stack.worker.restart()
    with stack.second_worker(), act.hurry():
        each = 100 if full else 10
        at_once([partial(act.write, channel, each) for channel in channels])
        assert happens_within(60, lambda: write_until_paused(act, channels, kills))
        happens_within(LEASE_SECONDS * 3, act.is_quiet)
        stack.worker.resume()
        figures = act.end(note="killed after the receiver's 2xx; one more paused past its lease")
    assert figures.distinct == figures.acked
    assert figures.dup <= figures.unknown


def write_until_paused(act: Scene, channels: list[Channel], kills: int) -> bool:
    """More work until every planned fault has struck."""
    worker = act.stack.worker
    if len(worker.struck) >= kills and worker.paused:
        return True
    for channel in channels:
        act.write(channel, 1)
    return False


def test_D4_retries_follow_the_schedule_and_then_stop(scene: Open, *, full: bool) -> None:
    act = scene("D4")
    failing = act.channel(act.receiver(always(500)))
    wishing = act.channel(act.receiver(wishes()))
    with act.hurry():
        act.write(failing, 8 if full else 4)
        act.write(wishing, len(WISHES))
        assert happens_within(20, lambda: is_parked(act))
        note = check_schedule(act, failing) + check_wishes(act, wishing)
        act.stack.inside.resend_missing(channel=wishing.id)
        act.end(note=note)
    finals = [row["state"] for row in act.ledger("deliveries").deliveries]
    assert finals.count("exhausted") == len(attempts_of(act, failing))


WISHES = ("2", "-1", "1000000000", "soon")
SIX_HOURS = timedelta(hours=6)


def wishes() -> Callable[[Hit], Answer]:
    """Each event is told once to come back later, in another way each."""
    seen: list[str] = []

    def answer(hit: Hit) -> Answer:
        if hit.event_id in seen:
            return Answer()
        seen.append(hit.event_id)
        return Answer(429, {"Retry-After": WISHES[len(seen) - 1]}, b"later")

    return answer


def is_parked(act: Scene) -> bool:
    """Only the wish for 31 years still waits."""
    return sum(row["finished_at"] is None for row in act.ledger("deliveries").deliveries) == 1


def check_schedule(act: Scene, channel: Channel) -> str:
    """Returns the smallest and greatest wait of each step."""
    waits: list[list[float]] = [[] for _ in SCHEDULE]
    for rows in attempts_of(act, channel).values():
        assert len(rows) == len(SCHEDULE) + 1
        for step, (before, after) in enumerate(itertools.pairwise(rows)):
            waits[step].append((after["started_at"] - before["ended_at"]).total_seconds())
    for planned, seen in zip(SCHEDULE, waits, strict=True):
        assert min(seen) >= planned * (1 - JITTER) - 0.01
        assert max(seen) <= planned * (1 + JITTER) + SWEEP_SECONDS
    steps = [f"{p:g}: {min(w):.2f}-{max(w):.2f} s" for p, w in zip(SCHEDULE, waits, strict=True)]
    return f"waits of {', '.join(steps)}; "


def check_wishes(act: Scene, channel: Channel) -> str:
    """Retry-After counts where it is longer than ours and no longer than six hours."""
    waiting = {row["id"]: row["next_attempt_at"] for row in act.ledger("deliveries").deliveries}
    waits = []
    for delivery, rows in attempts_of(act, channel).items():
        again = rows[1]["started_at"] if len(rows) > 1 else waiting[delivery]
        waits.append((again - rows[0]["ended_at"]).total_seconds())
    waits.sort()
    floor = max(SCHEDULE)
    assert floor - 0.01 <= waits[0] <= waits[1] <= floor * (1 + JITTER) + SWEEP_SECONDS
    assert 2 <= waits[2] <= 2 + SWEEP_SECONDS
    assert abs(waits[3] - SIX_HOURS.total_seconds()) < 5
    return f"Retry-After {', '.join(WISHES)} waited {', '.join(f'{w:.1f}' for w in waits)} s"


ELSEWHERE = "http://169.254.169.254/latest/meta-data"


def test_D7_redirects_are_never_followed(scene: Open, *, full: bool) -> None:
    act = scene("D7")
    receiver = act.receiver()
    to = {"self": f"{receiver.url}/stolen", "metadata": ELSEWHERE}
    status_of: dict[str, int] = {}
    for status in (301, 302, 307, 308):
        for name in to:
            channel = act.channel(receiver, word=name)
            status_of[channel.path] = status

    def redirect(hit: Hit) -> Answer:
        body = b"x" * (8_000_000 if hit.path.endswith("0") else 10)
        target = to[hit.path.split("/")[2]]
        return Answer(status_of[hit.path], {"Location": target}, body)

    receiver.behave = redirect
    with act.hurry():
        for channel in act.channels:
            act.write(channel, 3 if full else 1)
        act.end(note="301, 302, 307, 308 to itself and to a metadata address: visited nowhere")
    assert states(act) == {"exhausted"}
    assert {entry.path for entry in act.entries()} == set(status_of)
    assert {row["http_status"] for row in act.ledger("attempts").attempts} == set(
        status_of.values()
    )
    assert {row["ip"] for row in act.ledger("attempts").attempts} == {"127.0.0.1"}


def test_D8_gone_addresses_and_failing_receivers_are_left_alone(scene: Open, *, full: bool) -> None:
    act = scene("D8")
    act.stack.worker.restart(DELIVERY_DISABLE_AFTER_DAYS=f"{DISABLE_AFTER_SECONDS / 86400:.9f}")
    mixed = act.receiver()
    mixed.behave = lambda hit: Answer(410) if "gone" in hit.path else Answer()
    gone, beside = act.channel(mixed, word="gone"), act.channel(mixed)
    failing = act.channel(act.receiver(always(500)))
    cleared = act.channel(act.receiver(lambda hit: Answer(500 if hit.time_of_all < 9 else 200)))
    with act.hurry():
        act.write(gone, 1)
        assert happens_within(10, lambda: "gone" in states(act))
        for channel in (gone, beside, cleared):
            act.write(channel, 3)
        act.write(failing, 6)
        assert happens_within(30, lambda: lane_of(act, failing)["disabled_at"] is not None)
        disabled = lane_of(act, failing)
        failing.receiver.behave = ok
        act.write(failing, 1)
        reached = len(failing.receiver.entries)
        assert happens_within(
            10, lambda: len(attempts_of(act, cleared)) == 3 and is_idle(act, cleared)
        )
        assert len(failing.receiver.entries) == reached, "nothing goes to a disabled receiver"
        act.stack.inside.resend_missing(channel=failing.id)
        act.end(note=note_of(disabled, reached))
    assert [entry.path for entry in mixed.entries].count(gone.path) == 1
    assert len([entry for entry in mixed.entries if entry.path == beside.path]) == 3
    assert lane_of(act, cleared)["disabled_at"] is None
    assert lane_of(act, cleared)["fail_streak"] == 0


def note_of(disabled: Row, reached: int) -> str:
    lasted = (disabled["disabled_at"] - disabled["failing_since"]).total_seconds()
    assert lasted >= DISABLE_AFTER_SECONDS
    return (
        f"410: one request, then none; only failures for {lasted:.1f} s: off after "
        f"{reached} tries, on again by hand; one success clears"
    )


def lane_of(act: Scene, channel: Channel) -> Row:
    (lane,) = [row for row in act.ledger("lanes").lanes if row["origin"] == channel.receiver.url]
    return lane


def is_idle(act: Scene, channel: Channel) -> bool:
    ledger = act.ledger()
    events = {row["id"] for row in ledger.events if row["scope"] == channel.id}
    return all(row["finished_at"] for row in ledger.deliveries if row["event_id"] in events)


def test_D9_attempts_are_visible_and_failures_are_sent_again(scene: Open, *, full: bool) -> None:
    act = scene("D9")
    channel = act.channel(act.receiver())
    many = 50 if full else 6
    with act.hurry():
        act.write(channel, 5)
        assert happens_within(10, act.is_quiet)
        since = datetime.now(UTC)
        channel.receiver.behave = always(500)
        act.write(channel, many)
        assert happens_within(40, act.is_quiet)
        check_visible(act)
        failed = {
            row["event_id"]
            for row in act.ledger("deliveries").deliveries
            if row["state"] == "exhausted"
        }
        before = len(channel.receiver.entries)
        channel.receiver.behave = ok
        sent = act.stack.inside.resend_failed(channel=channel.id, since=since.isoformat())
        assert happens_within(20, act.is_quiet)
        again = act.stack.inside.resend_failed(channel=channel.id, since=since.isoformat())
        figures = act.end(
            note=f"{sent} given up, each sent again once; a second time sends {again}"
        )
    replayed = [entry.event_id for entry in channel.receiver.entries[before:]]
    assert sorted(replayed) == sorted(failed)
    assert (sent, again, len(failed)) == (many, 0, many)
    assert (figures.distinct, figures.dup) == (many + 5, 0)


def check_visible(act: Scene) -> None:
    """Each attempt tells when, where to, how it ended and what was answered."""
    for row in act.ledger("attempts").attempts:
        assert row["ended_at"] >= row["started_at"]
        assert row["ip"] == "127.0.0.1"
        assert (row["http_status"], row["response_head"]) in {(200, "ok"), (500, "no")}
        assert row["duration_ms"] is not None
    assert {row["last_error"] for row in act.ledger("deliveries").deliveries} == {
        "",
        "the receiver answered 500",
    }


def test_D11_poison_event_is_parked_and_its_lane_goes_on(scene: Open, *, full: bool) -> None:
    act = scene("D11")
    receiver = act.receiver()
    poison = act.channel(receiver, word="poison")
    others = act.channel(receiver)
    while slot_of(others) != slot_of(poison):
        others = act.channel(receiver)
    schedule = SCHEDULE if full else SCHEDULE[:2]
    act.stack.worker.restart(
        FAULTS="send.before_connect:kill@/poison/", DELIVERY_SCHEDULE=",".join(map(str, schedule))
    )
    with act.hurry():
        act.write(poison, 1)
        act.write(others, 30 if full else 8)
        figures = act.end(within=90, note="one event kills its sender each time; its lane goes on")
    (parked,) = [row for row in act.ledger("deliveries").deliveries if row["state"] == "exhausted"]
    assert parked["attempts"] == len(schedule) + 1 <= 10
    assert figures.distinct == figures.acked - 1
    assert figures.dup == 0


def slot_of(channel: Channel) -> int:
    """Channels share a lane if they share this number and the receiver's origin."""
    return zlib.crc32(channel.id.encode()) % 4
