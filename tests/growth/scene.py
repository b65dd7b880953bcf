"""A seeded workspace, as an agent, a person's script and a person's browser find it."""

from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import User, Workspace
from api.models import Call
from api.placet import examples
from attachments.models import Attachment
from bench.seed import Seeded
from delivery.models import Event
from inbox.models import Channel, Message, Thread
from reviews.models import ReviewRequest, Status
from tests.api.people.world import build_people_world
from tests.api.placet.operations import World
from tests.conftest import Agent, Caller, signed_in
from tests.factories import make_key


@dataclass(frozen=True)
class Scene:
    """`ids` fill the places of addresses; `world` those of documented calls."""

    workspace: Workspace
    person: User
    channel: Channel
    agent: Agent
    caller: Caller
    browser: Client
    world: World
    ids: dict[str, str]


def build_scene(seeded: Seeded, home: str) -> Scene:
    large = home == "large"
    workspace = seeded.workspace if large else seeded.small
    person = seeded.person if large else seeded.small_person
    channel = Channel.objects.filter(workspace=workspace).earliest("pk")
    person.is_staff = True
    person.save(update_fields=["is_staff"])
    browser = Client()
    browser.force_login(person)
    world = build_people_world(workspace, channel)
    return Scene(
        workspace=workspace,
        person=person,
        channel=channel,
        agent=Agent(make_key(workspace).clear),
        caller=signed_in(person),
        browser=browser,
        world=world,
        ids=_ids(channel) | {"file": world.ids[examples.FILE_ID]},
    )


def _ids(channel: Channel) -> dict[str, str]:
    """Rows in the middle of the past, and the newest ones."""
    reviews = ReviewRequest.objects.filter(channel=channel).order_by("-pk")
    messages = Message.objects.filter(channel=channel).order_by("-pk")
    pending = reviews.filter(status=Status.PENDING)
    done = reviews.filter(status=Status.COMPLETED)
    return {
        "channel": str(channel.pk),
        "pending": str(pending.values_list("pk", flat=True)[0]),
        "other": str(pending.values_list("pk", flat=True)[1]),
        "old_pending": _middle(pending),
        "done": _middle(done),
        "newest_done": str(done.values_list("pk", flat=True)[0]),
        "message": _middle(messages),
        "written": _middle(messages.filter(sender="user")),
        "revised": _middle(messages.filter(iteration_group__isnull=False)),
        "thread": _middle(Thread.objects.filter(channel=channel).order_by("-pk")),
        "stream": str(messages.exclude(stream_id=None).values_list("stream_id", flat=True)[0]),
        "listed": _middle(Attachment.objects.filter(channel=channel).order_by("-pk")),
        "call": _middle(Call.objects.filter(workspace=channel.workspace).order_by("-pk")),
        "told": _told(channel),
        "now": f"{timezone.now():%Y-%m-%d}",
    }


def _middle(rows: Any) -> str:
    return str(rows.values_list("pk", flat=True)[rows.count() // 2])


def _told(channel: Channel) -> str:
    """A message of which the agent was told."""
    events = Event.objects.filter(scope=str(channel.pk), body__isnull=False)
    return str(events.order_by("-pk").values_list("reference", flat=True)[0])
