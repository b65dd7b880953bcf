"""How far each person has read each channel, as Placet's web app counts it."""

from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from api.models import ChannelRead
from inbox.cutting import FEW, CountOf
from inbox.models import Channel, Message, Sender

BEFORE_ALL = Value(UUID(int=0), output_field=UUIDField())


def with_unread(channels: QuerySet[Channel], user: User) -> QuerySet[Channel]:
    """The same channels with `unread`, `last_text` and `last_said_at`, in the same statement.

    What nobody has read for long is not counted further than FEW.
    """
    newest = Message.objects.filter(channel=OuterRef("pk")).order_by("-id")
    mark = ChannelRead.objects.filter(user=user, channel=OuterRef("pk"))
    seen = Coalesce(Subquery(mark.values("message_id")[:1]), BEFORE_ALL)
    return channels.alias(seen=seen).annotate(
        unread=CountOf(_said().filter(pk__gt=OuterRef("seen")), most=FEW),
        last_text=Subquery(newest.values("text")[:1]),
        last_said_at=Subquery(newest.values("created_at")[:1]),
    )


def _said() -> QuerySet[Message]:
    """What the agent of the channel outside said."""
    return Message.objects.filter(channel=OuterRef("pk"), sender=Sender.AGENT)


def mark_channel_read(channel: Channel, user: User, *, now: datetime) -> None:
    """Everything that is in the channel by now is read."""
    newest = Message.objects.filter(channel=channel).order_by("-id")
    message_id = newest.values_list("pk", flat=True).first()
    if message_id is not None:
        seen = {"message_id": message_id, "read_at": now}
        ChannelRead.objects.update_or_create(channel=channel, user=user, defaults=seen)
