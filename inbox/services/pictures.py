"""Writes about pictures of agents."""

import hashlib

from django.db import transaction

from inbox.models import Channel, ChannelPicture
from inbox.services.channels import announce_channel, lock_channel

TAG_LENGTH = 16


@transaction.atomic
def set_picture(channel: Channel, *, content: bytes) -> Channel:
    """Give an agent a picture, in place of an earlier one and of an address of one elsewhere.

    Raises: ChannelNotFoundError.
    """
    channel = lock_channel(channel)
    ChannelPicture.objects.update_or_create(channel=channel, defaults={"content": content})
    channel.picture = hashlib.sha256(content).hexdigest()[:TAG_LENGTH]
    channel.avatar_url = None
    return _saved(channel)


@transaction.atomic
def remove_picture(channel: Channel) -> Channel:
    """An agent without any picture, here or elsewhere.

    Raises: ChannelNotFoundError.
    """
    channel = lock_channel(channel)
    ChannelPicture.objects.filter(channel=channel).delete()
    channel.picture, channel.avatar_url = "", None
    return _saved(channel)


def _saved(channel: Channel) -> Channel:
    channel.save(update_fields=["picture", "avatar_url"])
    announce_channel(channel, "avatar_url")
    return channel
