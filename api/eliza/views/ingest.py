"""Messages that a bridge brings from other platforms."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.eliza.documentation import operation
from api.eliza.fields import checked_fields
from api.eliza.serializers import (
    ExternalMessageIn,
    IngestedOut,
    PlatformMessage,
    PlatformMessagesIn,
)
from api.eliza.views.base import ElizaView, success
from api.origins import author_name, room_name
from api.placet.drafts import checked_metadata
from api.placet.views.base import read_body, workspace_of
from api.schema import REFERENCE
from delivery import faults
from inbox.models import Channel, Sender
from inbox.queries import find_channel
from inbox.services.messages import Draft, Origin, hold_channel
from inbox.services.threads import Room, post_in_room

SHAPES = (ExternalMessageIn, PlatformMessagesIn)
BODY = {
    "application/json": {
        "oneOf": [{"$ref": REFERENCE.format(name=shape.__name__)} for shape in SHAPES]
    }
}
OF_A_LIST = ("platform", "messages")


class IngestExternal(ElizaView):
    @operation("ingestExternal", body=BODY, answers={200: IngestedOut}, errors=[404])
    def post(self, request: Request) -> Response:
        """Store a message of another platform, or a list of them; a room is a thread here.

        The same `sourceId` of the same room again stores nothing and is answered like the first.
        Messages reach the agent as a person's do.
        """
        values = read_body(request, dict[str, Any])
        if any(name in values for name in OF_A_LIST):
            count = ingest_list(request, checked_fields(values, PlatformMessagesIn))
            return success({"processed": count})
        ingest_one(request, checked_fields(values, ExternalMessageIn))
        return Response({"success": True})


def ingest_one(request: Request, body: ExternalMessageIn) -> None:
    """Raises: InvalidBodyError, ChannelNotFoundError."""
    metadata = checked_metadata(body.metadata or {})
    room = Room(body.sourceType, body.roomId, room_name(metadata))
    channel = find_channel(workspace_of(request), body.agentId)
    draft = _draft(body.sourceType, body.sourceId, body.userId, body.text, metadata)
    post_in_room(channel=channel, room=room, sender=Sender.USER, draft=draft, now=timezone.now())
    faults.hit("create.after_commit")


def ingest_list(request: Request, body: PlatformMessagesIn) -> int:
    """How many messages are stored now, those that were here already among them.

    Raises: InvalidBodyError, ChannelNotFoundError.
    """
    drafts = [
        _draft(body.platform, each.id, each.authorId, each.content, _metadata(each, number))
        for number, each in enumerate(body.messages)
    ]
    channel = find_channel(workspace_of(request), body.channelId)
    title = next(filter(None, (room_name(draft.metadata or {}) for draft in drafts)), "")
    room = Room(body.platform, str(channel.pk), title)
    _store(channel, room, drafts, now=timezone.now())
    faults.hit("create.after_commit")
    return len(drafts)


@transaction.atomic
def _store(channel: Channel, room: Room, drafts: Sequence[Draft], *, now: datetime) -> None:
    """The channel is locked, so that lists with the same messages come one after the other."""
    hold_channel(channel.pk)
    for number, draft in enumerate(drafts):
        at = now + timedelta(microseconds=number)  # ids sort as the list does
        post_in_room(channel=channel, room=room, sender=Sender.USER, draft=draft, now=at)


def _metadata(message: PlatformMessage, number: int) -> dict[str, Any]:
    metadata = dict(message.metadata or {})
    if message.timestamp is not None:
        metadata.setdefault("timestamp", message.timestamp)
    return checked_metadata(metadata, ("messages", number, "metadata"))


def _draft(
    platform: str, message_id: str, author: str, text: str, metadata: Mapping[str, Any]
) -> Draft:
    origin = Origin(platform, message_id, author=author, author_name=author_name(metadata))
    return Draft(text=text, metadata=metadata, origin=origin)
