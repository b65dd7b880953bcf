"""Fill a database as a year of work fills it: up to a million messages, and all that hangs on them.

`python -m bench.seed 1000000` fills the database of DATABASE_URL; it must be migrated, and nobody
may mind what is in it. Programs and tests call `seed(messages=…, pending=…)` after Django's setup.

1. One large workspace has four fifths of everything, in 40 channels; 40 small ones share the rest.
2. Every third message asks for a review, and every fourth is a person's. The latest reviews are
   open, `pending` of them; of the others, most were answered, some expired, few were cancelled.
3. What has an end has it: bodies of a month, attempts of three, calls of a week.

The same figures give the same rows, but for the moment when it runs.
"""

import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User, Workspace
    from inbox.models import Channel

YEAR = timedelta(days=365)
CHANNELS, SMALL_WORKSPACES, SMALL_CHANNELS = 40, 40, 3
LARGE_SHARE = 0.8
CHUNK = 20_000
WORDS = [
    "deploy",
    "rollback",
    "canary",
    "quota",
    "invoice",
    "supplier",
    "ticket",
    "refund",
    "shipment",
    "customer",
    "report",
    "contract",
    "draft",
    "campaign",
    "database",
    "migration",
    "review",
    "approve",
    "budget",
    "forecast",
    "incident",
    "alert",
    "backup",
    "key",
]
RARE = "zeppelin"  # one message of ten thousand has it
FACTS = '{"Error rate": "0.04 %", "Commits": 14}'
ANSWER = '{"selectedOption": "approve"}'
OPTIONS = '{"options": [{"id": "approve", "label": "Approve"}], "allowComment": true}'
EVENT = '{"event": "review:responded", "data": {"status": "completed"}}'
TOLD = (
    '{"event": "message:created", "message": {"id": "01a1fbfb-face-7572-91e0-670124d68395",'
    ' "channelId": "01a1fbfb-face-7572-91e0-670124d68396", "senderType": "user",'
    ' "senderId": "01a1fbfb-face-7572-91e0-670124d68397", "text": "Deploy it",'
    ' "metadata": null, "createdAt": "2026-01-01T00:00:00.000Z"}}'
)


@dataclass(frozen=True)
class Seeded:
    """What a driver needs to find its way: the large workspace, a small one, and their people."""

    workspace: "Workspace"
    person: "User"
    channel: "Channel"
    small: "Workspace"
    small_person: "User"
    messages: int
    rows: int
    seconds: float


def seed(*, messages: int, pending: int | None = None, now: datetime | None = None) -> Seeded:
    """Without `pending`, one of twenty messages is an open review."""
    from django.utils import timezone

    from bench.loading import analyze, unchecked
    from bench.tables import Writer

    started, moment = time.monotonic(), now or timezone.now()
    stage = _Stage()
    with unchecked():
        writer = Writer(stage.people, moment)
        plan = _Plan(messages, messages // 20 if pending is None else pending)
        for number in range(messages):
            at = moment - YEAR * (messages - number) / messages
            writer.message(number, at, stage.place(writer.chance), asks=plan.asks(number))
            if number % CHUNK == CHUNK - 1:
                writer.flush()
        writer.rest(messages, stage.channels)
        writer.flush()
    analyze()
    return Seeded(
        workspace=stage.large,
        person=stage.people[0],
        channel=stage.channels[0],
        small=stage.small[0],
        small_person=stage.people[-1],
        messages=messages,
        rows=writer.count,
        seconds=time.monotonic() - started,
    )


@dataclass(frozen=True)
class _Plan:
    """Which messages ask: among the latest every second one, until `pending` are open."""

    messages: int
    pending: int

    def asks(self, number: int) -> str:
        if self.messages - number <= 2 * self.pending:
            return "pending" if number % 2 else ""
        if number % 3:
            return ""
        return ("completed", "completed", "completed", "expired", "completed", "cancelled")[
            number // 3 % 6
        ]


class _Stage:
    """Workspaces, people and channels, made as the product makes them."""

    def __init__(self) -> None:
        from accounts.models import Membership, Role, User, Workspace
        from inbox.models import Channel

        self.large = Workspace.objects.create(name="Large")
        self.small = [
            Workspace.objects.create(name=f"Small {number}") for number in range(SMALL_WORKSPACES)
        ]
        self.people = [
            User.objects.create_user(f"seed{number}@example.org", display_name=f"Person {number}")
            for number in range(11)
        ]
        homes = [self.large] * 10 + [self.small[0]]
        for person, workspace in zip(self.people, homes, strict=True):
            Membership.objects.create(workspace=workspace, user=person, role=Role.OWNER)
        homes = [self.large] * CHANNELS + self.small * SMALL_CHANNELS
        self.channels = [
            Channel.objects.create(workspace=home, name=f"Agent {number}")
            for number, home in enumerate(homes)
        ]
        self._weights = list(accumulate(_weights()))

    def place(self, chance: random.Random) -> "Channel":
        (channel,) = chance.choices(self.channels, cum_weights=self._weights)
        return channel


def _weights() -> Sequence[float]:
    """A few channels of the large workspace are loud, most are not."""
    loudness = [1 / (rank + 2) for rank in range(CHANNELS)]
    large = [LARGE_SHARE * each / sum(loudness) for each in loudness]
    number = SMALL_WORKSPACES * SMALL_CHANNELS
    return [*large, *([(1 - LARGE_SHARE) / number] * number)]


def main(arguments: Sequence[str]) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    messages = int(arguments[0]) if arguments else 1000
    report(seed(messages=messages, pending=int(arguments[1]) if arguments[1:] else None))


def report(done: Seeded) -> None:
    from django.db import connection

    print(
        f"{connection.vendor}: {done.messages:,} messages, {done.rows:,} rows in "
        f"{done.seconds:.0f} s; the large workspace is {done.workspace.pk}"
    )


def sizes() -> dict[str, int]:
    """Rows of each large table, for those who print them."""
    from django.apps import apps

    names = "inbox.Message reviews.ReviewRequest delivery.Event delivery.Attempt api.Call"
    counted: dict[str, Any] = {each: apps.get_model(each).objects.count() for each in names.split()}
    return counted


if __name__ == "__main__":
    main(sys.argv[1:])
