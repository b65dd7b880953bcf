"""Writes about which channels a person wants no notifications from."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from inbox.models import Channel, Mute
from inbox.services.channels import lock_channel


@transaction.atomic
def mute_channel(channel: Channel, *, user: User, now: datetime) -> None:
    """Muted twice is muted once, also at the same time.

    Raises: ChannelNotFoundError for a channel that was deleted meanwhile.
    """
    lock_channel(channel)
    Mute.objects.get_or_create(channel=channel, user=user, defaults={"created_at": now})


def unmute_channel(channel: Channel, *, user: User) -> None:
    Mute.objects.filter(channel=channel, user=user).delete()
