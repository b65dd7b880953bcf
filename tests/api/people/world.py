"""Rows of one workspace for people's documented calls."""

import uuid

from django.utils import timezone

from accounts.models import Role, Workspace
from api.people import examples
from api.placet.examples import AGENT_ID, FILE_ID, MESSAGE_ID, PAYLOAD
from attachments.queries import find_file
from attachments.sharing import share_token
from inbox.models import Channel
from inbox.services.pictures import set_picture
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.api.placet.operations import World, build_world
from tests.factories import make_call, make_key, make_person, make_review


def build_people_world(workspace: Workspace, channel: Channel | None = None) -> World:
    """What agents have, a colleague, a key, and a review that waits."""
    world = build_world(workspace, channel)
    channel = Channel.objects.get(pk=world.ids[AGENT_ID])
    channel.webhook_url = "http://127.0.0.1:8999/"
    set_picture(channel, content=b"RIFF")
    channel.save(update_fields=["webhook_url"])
    ids = {
        examples.PERSON_ID: str(make_person(workspace, Role.REVIEWER).pk),
        examples.KEY_ID: str(make_key(workspace).row.pk),
        examples.SHARE_TOKEN: share_token(find_file(workspace, world.ids[FILE_ID])),
        examples.LOG_ID: str(make_call(workspace, timezone.now(), channel_id=channel.pk).pk),
        MESSAGE_ID: str(make_review(channel=channel, payload=PAYLOAD).pk),
    }
    return World(workspace, world.ids | ids)


def decided(world: World) -> None:
    """The review does not wait any more, and its agent is told."""
    review = ReviewRequest.objects.get(pk=uuid.UUID(world.ids[MESSAGE_ID]))
    person = make_person(world.workspace)
    said = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    answer_review(review, answer=said)
