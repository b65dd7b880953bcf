"""Which channel is whose, remembered: a channel never moves from one workspace to another.

That it was deleted shows when a row that refers to it is stored, because the foreign key decides,
or when nothing is found in it.
"""

from typing import Any
from uuid import UUID

from django.db.models.signals import post_delete
from django.dispatch import receiver

from accounts.models import Workspace
from inbox.models import Channel
from inbox.queries import require_channel

MOST_REMEMBERED = 10_000

_owners: dict[str, tuple[UUID, UUID]] = {}


def remembered_channel(workspace: Workspace, channel_id: str) -> Channel:
    """A channel to post in or to list: a known one costs no statement, and has its ids only.

    The rest is read when asked for; of a channel that was deleted meanwhile that raises
    `Channel.DoesNotExist`.

    Raises: ChannelNotYoursError.
    """
    known = _owners.get(channel_id)
    if known is None or known[1] != workspace.pk:
        channel = require_channel(workspace, channel_id)
        if len(_owners) >= MOST_REMEMBERED:
            _owners.clear()
        _owners[channel_id] = channel.pk, channel.workspace_id
    else:
        channel = Channel.from_db(None, ["id", "workspace_id"], known)
    channel.workspace = workspace
    return channel


@receiver(post_delete, sender=Channel)
def _forget(**_: Any) -> None:
    _owners.clear()
