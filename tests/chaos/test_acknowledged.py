"""D1: what was acknowledged is delivered, whoever dies at whatever moment."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from tests.chaos.history import Told
from tests.chaos.people import Person
from tests.chaos.points import WEB, WORKER
from tests.chaos.receiving import Answer, Hit
from tests.chaos.scene import Channel, Scene, at_once
from tests.chaos.stack import WORKSPACES
from tests.polling import happens_within

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

PRESSERS = 4
MOST_WAITING = 12
PLANNED = [*(f"{point}:kill@2" for point in WEB), *(f"{point}:kill@1" for point in WORKER)]
# Kills cost tries, and here nothing may run out of them.
PATIENT = ",".join(["0.2", "0.4", *["0.8"] * 8])


def test_D1_acknowledged_events_survive_kills_at_every_point(  # the promise's name
    scene: Callable[[str], Scene], *, full: bool
) -> None:
    act = scene("D1")
    kill_at_every_point(act, decisions=200 if full else 60)


def kill_at_every_point(act: Scene, *, decisions: int) -> None:
    """People decide while web and worker die at each point in turn, and Redis and beat once.

    1. Web and worker start with a fault; each time they die they start with the next one.
    2. Agents ask, people answer; who gets no answer looks again, as a person does.
    3. Once enough is decided, more is written until every planned death has happened.
    """
    stack = act.stack
    receivers = [act.receiver(a_little_slow) for _ in range(2)]
    channels = [act.channel(r, w) for r in receivers for w in WORKSPACES * 2]
    stack.web.plan.extend(PLANNED[: len(WEB)])
    stack.worker.plan.extend(PLANNED[len(WEB) :])
    stack.web.restart()
    stack.worker.restart(DELIVERY_SCHEDULE=PATIENT)
    stack.wait_for_web()
    others = threading.Thread(target=kill_the_others, args=(act, decisions))
    others.start()
    shares = [range(number, decisions, PRESSERS) for number in range(PRESSERS)]
    at_once([partial(decide, act, channels, share) for share in shares])
    others.join()
    assert happens_within(90, lambda: everything_struck(act, channels)), stack.worker.struck
    stack.wait_for_web()
    act.end(within=40, note=f"{len(WEB) + len(WORKER)} points; Redis and beat too")


def a_little_slow(hit: Hit) -> Answer:
    """Now and then a receiver takes its time, so that leases have to be extended."""
    return Answer(after=1.0 if hit.time_of_all % 20 == 19 else 0.0)


def kill_the_others(act: Scene, decisions: int) -> None:
    """Redis and beat die in the middle."""
    happens_within(60, lambda: len(act.calls.acked("decide")) >= decisions // 3)
    act.stack.broker.kill()
    act.stack.beat.kill()


def decide(act: Scene, channels: list[Channel], share: range) -> None:
    """Ask and answer; each fifth question is left to its deadline."""
    people = {name: act.person(share.start, name) for name in WORKSPACES}
    for index in share:
        channel = channels[index % len(channels)]
        seconds = 1 if index % 5 == 4 else 600
        review_id = ask_until_told(act, channel, f"{act.name}-{index}", seconds)
        if seconds > 1:
            press_until_told(people[channel.workspace], review_id)


def ask_until_told(act: Scene, channel: Channel, client_id: str, seconds: int) -> str:
    """An agent that gets no answer repeats its call with the same client id."""
    agent = act.agent(channel.workspace)

    found: list[str] = []

    def told() -> bool:
        call = agent.ask(channel.id, client_id, expiresInSeconds=seconds)
        found.append(call.about)
        return call.told is Told.YES

    assert happens_within(30, told)
    return found[-1]


def press_until_told(person: Person, review_id: str) -> None:
    """A person who sees an error page opens the request again; an answered one has no form."""

    def done() -> bool:
        form = person.open_form(review_id)
        if form is None:
            return False
        return not form or person.press(review_id, form).told is Told.YES

    assert happens_within(30, done)


def everything_struck(act: Scene, channels: list[Channel]) -> bool:
    """Every planned fault has killed its process; more work keeps them going."""
    stack = act.stack
    if {*PLANNED} <= {*stack.web.struck, *stack.worker.struck}:
        return True
    arrived = sum(len(receiver.accepted()) for receiver in act.receivers)
    if len(act.ledger("events").events) - arrived > MOST_WAITING:
        return False
    for channel in channels:
        act.agent(channel.workspace).ask(
            channel.id, f"more-{len(act.calls.all())}", expiresInSeconds=1
        )
        person = act.person(workspace=channel.workspace)
        act.write(channel, 1, person)
    return False
