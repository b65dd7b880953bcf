"""Minutes of work while a seed chooses what breaks next. Only in `make chaos-long`."""

import os
import random
from collections.abc import Callable

import pytest

from tests.chaos.nemeses import deciding, flush_each_second, hang_redis, hurt_database, pass_time
from tests.chaos.nemeses import stop_redis as stop_redis_for
from tests.chaos.points import WEB, WORKER
from tests.chaos.receiving import (
    Answer,
    Behaviour,
    Hit,
    always,
    failing_first,
    garbage,
    hanging,
    ok,
    resetting,
)
from tests.chaos.scene import Scene
from tests.chaos.stack import ATTEMPT_SECONDS, LEASE_SECONDS, WORKSPACES

pytestmark = [pytest.mark.chaos, pytest.mark.long, pytest.mark.timeout(1200)]

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "40"))
# Every fault costs tries, and here nothing may run out of them by accident.
PATIENT = ",".join(["0.2", "0.4", *["0.8"] * 30])


def late(_: Hit) -> Answer:
    """Says yes when we have hung up already."""
    return Answer(after=ATTEMPT_SECONDS + 0.5, late=True)


BEHAVIOURS: tuple[Behaviour, ...] = (
    ok,
    failing_first(2),
    always(404),
    always(429, retry_after="1"),
    always(307, location="/stolen"),
    hanging(30),
    resetting,
    garbage,
    late,
)


def kill(act: Scene, chance: random.Random) -> str:
    """SIGKILL for one process."""
    process = chance.choice(act.stack.processes)
    process.kill()
    return f"kill {process.name}"


def kill_at_a_point(act: Scene, chance: random.Random) -> str:
    process, points = chance.choice([(act.stack.web, WEB), (act.stack.worker, WORKER)])
    point = chance.choice(points)
    process.plan.append(f"{point}:kill@{chance.randint(1, 4)}")
    process.kill()
    return f"kill at {point}"


def pause_a_worker(act: Scene, chance: random.Random) -> str:
    """Past its lease, so that the other one takes over."""
    process = chance.choice([act.stack.worker, act.stack.spare])
    process.pause()
    pass_time(LEASE_SECONDS + chance.uniform(0, 2))
    process.resume()
    return f"pause {process.name}"


def two_beats(act: Scene, chance: random.Random) -> str:
    with act.stack.second_beat():
        pass_time(chance.uniform(3, 6))
    return "two beats"


def forget(act: Scene, chance: random.Random) -> str:
    flush_each_second(act, chance.randint(2, 6))
    return "flush"


def stop_redis(act: Scene, chance: random.Random) -> str:
    stop_redis_for(act, chance.uniform(1, 12))
    return "stop redis"


def black_hole(act: Scene, chance: random.Random) -> str:
    hang_redis(act, chance.uniform(1, 8))
    return "hang redis"


def break_database(act: Scene, chance: random.Random) -> str:
    hurt_database(act)
    return "database"


def misbehave(act: Scene, chance: random.Random) -> str:
    receiver = chance.choice(act.receivers)
    receiver.behave = chance.choice(BEHAVIOURS)
    pass_time(chance.uniform(1, 4))
    receiver.behave = ok
    return "receiver"


NEMESES: tuple[Callable[[Scene, random.Random], str], ...] = (
    kill,
    kill_at_a_point,
    kill_at_a_point,
    pause_a_worker,
    two_beats,
    forget,
    stop_redis,
    black_hole,
    break_database,
    misbehave,
    misbehave,
)


def test_N_random_faults_lose_nothing(scene: Callable[[str], Scene]) -> None:
    act = scene("N")
    seed = os.environ.get("SEED") or str(random.randrange(10**6))  # noqa: S311  # repeatable
    chance = random.Random(f"{seed} {act.stack.database}")  # noqa: S311  # repeatable
    receivers = [act.receiver() for _ in range(3)]
    channels = [act.channel(r, w) for r in receivers for w in WORKSPACES]
    act.stack.worker.restart(DELIVERY_SCHEDULE=PATIENT)
    act.stack.spare.extra = {"DELIVERY_SCHEDULE": PATIENT}
    with act.stack.second_worker(), deciding(act, channels):
        for number in range(ROUNDS):
            pass_time(chance.uniform(0.2, 2))
            done = chance.choice(NEMESES)(act, chance)
            act.stage.say(f"   {act.stack.database} {number + 1}/{ROUNDS}: {done}")
    for receiver in receivers:
        receiver.behave = ok
    act.end(within=120, note=f"{ROUNDS} random faults, SEED={seed}")
