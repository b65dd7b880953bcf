"""A small workspace with `rows` of everything that walks look at, written as a year is."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Membership, Role, User, Workspace
from accounts.services import issue_key
from bench.loading import unchecked
from bench.seed import Seeded
from bench.tables import Writer
from inbox.models import Channel

APART = 600  # numbers of messages repeat their kinds after that many
# Which number stands for what, see `bench.tables.Writer.message`; and what the message asks for.
KINDS = {
    0: "completed",  # a revision with a file
    7: "pending",  # in a thread
    9: "",  # a person's, whose delivery waits
    11: "expired",
    12: "pending",  # with a file
    13: "cancelled",
    17: "",  # in the same thread
    20: "",  # streamed
    36: "",  # with a file
    50: "pending",  # a revision
}
FAILED = 97 * 2400  # what follows a multiple of it by 97 is a person's, and was given up
CALLS_AND_CHANGES = 100  # for each row; of these, a tenth to a fiftieth are written
PEOPLE = 11  # as many as the writer takes turns with


def small_stage(rows: int, now: datetime) -> Seeded:
    """Inside the test's transaction: one busy channel, and `rows` others."""
    workspace, elsewhere = (Workspace.objects.create(name=name) for name in ("Own", "Other"))
    people = [_person(number, workspace) for number in range(PEOPLE + rows)]
    channels = [
        Channel.objects.create(workspace=workspace, name=f"Agent {number}")
        for number in range(rows + 1)
    ]
    writer = Writer(people, now)
    with unchecked():
        for row in range(rows):
            _messages(writer, row, channels[0], channels[1 + row])
        writer.rest(rows * CALLS_AND_CHANGES, channels)
        writer.flush()
    for number in range(rows):
        issue_key(workspace=workspace, created_by=people[0], label=f"Key {number}")
    return Seeded(workspace, people[0], channels[0], elsewhere, people[-1], rows, writer.count, 0)


def _person(number: int, workspace: Workspace) -> User:
    name = f"Person {number}"
    person = User.objects.create_user(f"small{number}@example.org", display_name=name)
    Membership.objects.create(workspace=workspace, user=person, role=Role.OWNER)
    return person


def _messages(writer: Writer, row: int, busy: Channel, quiet: Channel) -> None:
    """All kinds in the busy channel, and a question in the quiet one."""
    at = writer.now - timedelta(minutes=90 - row)
    wanted: list[tuple[int, Any, str]] = [
        (APART * row + number, busy, asks) for number, asks in KINDS.items()
    ]
    wanted.append((FAILED * (1 + row) + 97, busy, ""))
    wanted.append((APART * row + 1, quiet, "pending"))
    for place, (number, channel, asks) in enumerate(wanted):
        writer.message(number, at + timedelta(seconds=place), channel, asks=asks)
