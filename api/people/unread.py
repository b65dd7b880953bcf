"""How far each person has read each channel, as Placet's web app counts it."""

from datetime import datetime
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from api.models import ChannelRead
from inbox.models import Channel, Message, Sender


def with_unread(channels: QuerySet[Channel], user: User) -> QuerySet[Channel]:
    """The same channels with `unread`, `last_text` and `last_said_at`, in the same statement."""
    newest = Message.objects.filter(channel=OuterRef("pk")).order_by("-id")
    return channels.annotate(
        unread=Coalesce(Subquery(_unread(user), output_field=IntegerField()), 0),
        last_text=Subquery(newest.values("text")[:1]),
        last_said_at=Subquery(newest.values("created_at")[:1]),
    )


def _unread(user: User) -> QuerySet[Any, Any]:
    """For the channel outside: how many of its agent's messages are newer than the mark."""
    mark = ChannelRead.objects.filter(user=user, channel=OuterRef("channel"))
    said = Message.objects.filter(channel=OuterRef("pk"), sender=Sender.AGENT)
    unseen = said.annotate(mark=Subquery(mark.values("message_id")[:1]))
    unseen = unseen.filter(Q(mark=None) | Q(pk__gt=F("mark")))
    counted = unseen.order_by().values("channel").annotate(number=Count("pk"))
    return counted.values("number")


def mark_channel_read(channel: Channel, user: User, *, now: datetime) -> None:
    """Everything that is in the channel by now is read."""
    newest = Message.objects.filter(channel=channel).order_by("-id")
    message_id = newest.values_list("pk", flat=True).first()
    if message_id is not None:
        seen = {"message_id": message_id, "read_at": now}
        ChannelRead.objects.update_or_create(channel=channel, user=user, defaults=seen)
