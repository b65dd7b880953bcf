"""T1 to T4: deadlines are kept, in bulk, through downtime, wrong clocks and races."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.chaos.history import Row, Told
from tests.chaos.scene import Scene, at_once
from tests.polling import happens_within

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

type Open = Callable[[str], Scene]
LATEST_SECONDS = 10.0
LONGEST_WRITE_MS = 250.0
BULK_SECONDS = 60.0


def lateness(reviews: list[Row]) -> list[float]:
    """Seconds from deadline to expiry, ascending."""
    return sorted((row["decided_at"] - row["expires_at"]).total_seconds() for row in reviews)


def all_expired(act: Scene) -> bool:
    return {row["status"] for row in act.ledger("reviews").reviews} == {"expired"}


def test_T1_deadlines_that_passed_while_all_was_down_are_kept(scene: Open, *, full: bool) -> None:
    act = scene("T1")
    stack, channel = act.stack, act.channel(act.receiver())
    many = 50 if full else 20
    alive = stack.inside.make_reviews(channels=[channel.id], count=many, seconds=0.3, spread=1)
    assert happens_within(20, lambda: all_expired(act))
    punctual = lateness(act.ledger("reviews").reviews)
    for process in (stack.web, stack.worker, stack.beat):
        process.stop()
    stack.inside.make_reviews(channels=[channel.id], count=many, seconds=0.1, spread=1)
    assert happens_within(10, lambda: is_past(act))
    started = datetime.now(UTC)
    for process in (stack.web, stack.worker, stack.beat):
        process.start()
    assert happens_within(30, lambda: all_expired(act))
    rows = [row for row in act.ledger("reviews").reviews if row["message_id"] not in alive]
    after = max((row["decided_at"] - started).total_seconds() for row in rows)
    figures = act.end(
        note=f"{punctual[0]:.2f} to {punctual[-1]:.2f} s late while alive; {many} passed while "
        f"all was down: expired {after:.1f} s after the start"
    )
    assert punctual[0] >= 0
    assert max(punctual[-1], after) <= LATEST_SECONDS
    assert lateness(rows)[0] >= 0
    assert figures.acked == figures.distinct == 2 * many
    stack.wait_for_web()


def is_past(act: Scene) -> bool:
    return all(row["expires_at"] < datetime.now(UTC) for row in act.ledger("reviews").reviews)


def test_T2_many_reviews_due_in_the_same_second_expire_in_short_transactions(
    scene: Open, *, full: bool
) -> None:
    act = scene("T2")
    receivers = [act.receiver() for _ in range(4)]
    channels = [act.channel(receiver).id for receiver in receivers for _ in range(4)]
    many = 10_000 if full else 1_000
    act.stack.inside.make_reviews(channels=channels, count=many, seconds=0.5)
    watch = watch_sqlite if act.stack.postgres is None else watch_postgres
    with watch(act) as longest:
        assert happens_within(90, lambda: all_expired(act))
    rows = act.ledger("reviews").reviews
    late = lateness(rows)[-1]
    figures = act.end(
        within=300,
        note=f"{many} due at once: all expired {late:.1f} s later; longest write transaction "
        f"{longest[0]:.0f} ms",
    )
    assert late <= BULK_SECONDS
    assert figures.acked == figures.distinct == many
    if act.stack.postgres is None:
        assert longest[0] <= LONGEST_WRITE_MS


@contextmanager
def _watching(look: Callable[[list[float]], None]) -> Iterator[list[float]]:
    """`look` raises the longest time seen so far, in milliseconds, until the block ends."""
    longest, over = [0.0], threading.Event()

    def run() -> None:
        while not over.wait(0.001):
            look(longest)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield longest
    finally:
        over.set()
        thread.join()


@contextmanager
def watch_sqlite(act: Scene) -> Iterator[list[float]]:
    """How long the write lock is held without a commit, judged by looking all the time."""
    file = act.stack.database_url.removeprefix("sqlite:///")
    connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
    since, version = time.monotonic(), 0

    def look(longest: list[float]) -> None:
        nonlocal since, version
        seen = connection.execute("PRAGMA data_version").fetchone()[0]
        if seen != version or is_free(connection):
            since, version = time.monotonic(), seen
        longest[0] = max(longest[0], (time.monotonic() - since) * 1000)

    with closing(connection), _watching(look) as longest:
        yield longest


def is_free(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    return True


OPEN_TRANSACTIONS = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) * 1000
  FROM pg_stat_activity
 WHERE backend_xid IS NOT NULL
"""


@contextmanager
def watch_postgres(act: Scene) -> Iterator[list[float]]:
    """The age of the oldest transaction that has written something."""
    with psycopg.connect(act.stack.database_url, autocommit=True) as connection:

        def look(longest: list[float]) -> None:
            row = connection.execute(OPEN_TRANSACTIONS).fetchone()
            longest[0] = max(longest[0], float(row[0]) if row else 0.0)

        with _watching(look) as longest:
            yield longest


FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
WRONG_SECONDS = 5.0


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed (apt install faketime)")
def test_T3_wrong_clocks_expire_nothing_early(scene: Open, *, full: bool) -> None:
    act = scene("T3")
    channel, inside, many = act.channel(act.receiver()), act.stack.inside, 50 if full else 10
    inside.make_reviews(channels=[channel.id], count=many, seconds=1800)
    turn_clock(act, "+0")
    act.stack.worker.restart(**fake_clock(act))
    first = inside.make_reviews(channels=[channel.id], count=1, seconds=0)
    assert happens_within(20, lambda: expired(act) == 1 and act.is_quiet()), "it sweeps once"
    happens_within(1, lambda: False)  # and that sweep is over
    early = {}
    for step in ("+1h", "+1d") if full else ("+1h",):
        turn_clock(act, step)
        happens_within(WRONG_SECONDS, lambda: expired(act) > 1)
        early[step] = expired(act) - 1
        turn_clock(act, "+0")
        happens_within(WRONG_SECONDS, lambda: False)
    near = inside.make_reviews(channels=[channel.id], count=many, seconds=1)
    turn_clock(act, "-1d" if full else "-1h")
    happens_within(WRONG_SECONDS, lambda: False)
    missed = sum(early.values())
    behind = expired(act) - missed - 1
    turn_clock(act, "+0")
    assert happens_within(20, lambda: expired(act) == missed + many + 1)
    whose = "the worker's alone" if act.stack.postgres else "the database's, too"
    note = (
        f"clock ({whose}) {', '.join(early)} for {WRONG_SECONDS:g} s: {missed} expired early; "
        f"behind: {behind} of {many} in time, all once it was right"
    )
    act.end(note=note)
    assert not missed
    done = {r["message_id"] for r in act.ledger("reviews").reviews if r["status"] == "expired"}
    assert done == {*first, *near}


def expired(act: Scene) -> int:
    return sum(row["status"] == "expired" for row in act.ledger("reviews").reviews)


def fake_clock(act: Scene) -> dict[str, str]:
    """Wall time comes from a file; time that only passes stays true."""
    return {
        "LD_PRELOAD": str(FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(act.stack.folder / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def turn_clock(act: Scene, step: str) -> None:
    draft = act.stack.folder / "clock.new"
    draft.write_text(step + "\n")
    draft.replace(act.stack.folder / "clock")


def test_T4_press_sweeper_and_wait_at_the_deadline_end_a_review_once(
    scene: Open, *, full: bool
) -> None:
    act = scene("T4")
    channel = act.channel(act.receiver())
    many, spread = (1000, 60.0) if full else (60, 5.0)
    inside = act.stack.inside
    due = inside.make_reviews(channels=[channel.id], count=many, seconds=3600)
    shares = [due[number::PRESSERS] for number in range(PRESSERS)] * 2
    pressers = at_once([partial(Presser, act, share, n % 2) for n, share in enumerate(shares)])
    inside.set_deadlines(due, seconds=1, spread=spread)
    rows = act.ledger("reviews").reviews
    deadlines = {row["message_id"]: row["expires_at"].timestamp() for row in rows}
    last = sorted(due, key=deadlines.__getitem__)[-MOST_WAITS:]
    with act.hurry():
        at_once(
            [partial(presser.press_at, deadlines) for presser in pressers]
            + [partial(wait_at, act, last, deadlines)]
        )
        assert happens_within(30, lambda: nothing_pending(act))
    told = sum(call.told is Told.YES for call in act.calls.all())
    expired = sum(row["status"] == "expired" for row in act.ledger("reviews").reviews)
    figures = act.end(
        within=120, note=f"two people, sweeper and wait at once: {told} pressed, {expired} expired"
    )
    assert figures.acked == figures.distinct == many
    assert told + expired == many, "each stored answer was acknowledged to one person"
    assert told, "nobody met a deadline"
    assert expired, "nobody missed a deadline"


PRESSERS = 4
LEAD_SECONDS = 1.0
MOST_WAITS = 60


def nothing_pending(act: Scene) -> bool:
    return not [row for row in act.ledger("reviews").reviews if row["status"] == "pending"]


class Presser:
    """Somebody with the forms of some reviews open, who sends each in its last moments."""

    def __init__(self, act: Scene, due: list[str], number: int) -> None:
        self.person, self.chance = act.person(number), random.Random(number)  # noqa: S311  # repeatable
        self.forms = {review_id: self.person.open_form(review_id) for review_id in due}

    def press_at(self, deadlines: dict[str, float]) -> None:
        for review_id, form in self.forms.items():
            until(deadlines[review_id] - self.chance.uniform(0, LEAD_SECONDS))
            self.person.press(review_id, form or {})


def wait_at(act: Scene, due: list[str], deadlines: dict[str, float]) -> None:
    """Agents wait for the same reviews."""
    until(deadlines[due[0]] - 1)
    agent = act.agent()
    answers = at_once([partial(agent.wait, review_id) for review_id in due])
    assert None not in answers
    assert {answer["status"] for answer in answers if answer} <= {"completed", "expired"}


def until(moment: float) -> None:
    happens_within(max(0.0, moment - time.time()), lambda: False)
