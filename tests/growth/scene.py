"""A seeded workspace, as an agent, a person's script and a person's browser find it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.test import Client
from django.utils import timezone

from accounts.models import Session, User, Workspace
from api.models import Call
from api.people import examples as people_examples
from api.placet import examples
from attachments.conversion.parts import thumbnail
from attachments.models import Attachment, Preview, PreviewState
from attachments.storage import put
from bench.seed import Seeded
from delivery.models import Delivery
from inbox.models import Channel, Message, Thread
from reviews.models import ReviewRequest, Status
from tests.api.people.world import build_people_world
from tests.api.placet.operations import World
from tests.conftest import PIXEL, Agent, Caller, signed_in
from tests.factories import make_file, make_key

SIGNING_IN = people_examples.BODIES["signIn"]


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
    person.email = SIGNING_IN["email"]
    person.set_password(SIGNING_IN["password"])
    person.save()
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
        ids=_ids(channel) | _files(channel, world) | {"session": _session_of(person)},
    )


def _ids(channel: Channel) -> dict[str, str]:
    """Rows in the middle of the past, and the newest ones."""
    reviews = ReviewRequest.objects.filter(channel=channel).order_by("-pk")
    messages = Message.objects.filter(channel=channel).order_by("-pk")
    pending = reviews.filter(status=Status.PENDING)
    done = reviews.filter(status=Status.COMPLETED)
    thread = _middle(Thread.objects.filter(channel=channel).order_by("-pk"))
    return {
        "channel": str(channel.pk),
        "pending": str(pending.values_list("pk", flat=True)[0]),
        "other": str(pending.values_list("pk", flat=True)[1]),
        "old_pending": _middle(pending),
        "done": _middle(done),
        "newest_done": str(done.values_list("pk", flat=True)[0]),
        "message": _middle(messages.exclude(review=None).filter(thread=None)),
        "written": _middle(messages.filter(sender="user")),
        "revised": _middle(messages.filter(iteration_group__isnull=False)),
        "thread": thread,
        "begun": str(Message.objects.filter(thread_id=UUID(thread)).earliest("pk").pk),
        "stream": str(messages.exclude(stream_id=None).values_list("stream_id", flat=True)[0]),
        "listed": _middle(Attachment.objects.filter(channel=channel).order_by("-pk")),
        "call": _middle(Call.objects.filter(workspace=channel.workspace).order_by("-pk")),
        "told": _told(channel),
        "now": f"{timezone.now():%Y-%m-%d}",
    }


def _session_of(person: User) -> str:
    """Of the browser, which signed in last."""
    return str(Session.objects.filter(user=person).latest("signed_in_at").pk)


def _files(channel: Channel, world: World) -> dict[str, str]:
    """With bytes in the storage, which seeded ones have not."""
    picture = make_file(channel, content=PIXEL, filename="a.png", mime_type="image/png")
    Preview.objects.filter(attachment=picture).update(state=PreviewState.READY)
    put(f"{picture.preview.storage_key}/{thumbnail(96)}", PIXEL)
    return {"file": world.ids[examples.FILE_ID], "picture": str(picture.pk)}


def _middle(rows: Any) -> str:
    return str(rows.values_list("pk", flat=True)[rows.count() // 2])


def _told(channel: Channel) -> str:
    """A review of whose end the agent was told."""
    sent = Delivery.objects.filter(signing_scope=str(channel.pk))
    about = sent.filter(event__type="review:responded").order_by("-pk")
    return str(about.values_list("event__reference", flat=True)[0])
