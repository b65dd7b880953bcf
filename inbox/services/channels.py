"""Writes about channels."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.ids import uuid7
from accounts.models import Workspace
from inbox.errors import DomainError
from inbox.models import Channel, ChannelPicture, ChannelStatus, StatusChange
from inbox.queries import ChannelNotFoundError
from inbox.signals import channel_changed, channel_deleted


def announce_channel(channel: Channel, *fields: str) -> None:
    channel_changed.send(sender=Channel, channel=channel, fields=frozenset(fields))


def _save(channel: Channel, *, fields: Iterable[str]) -> None:
    """Raises: ChannelNotFoundError for a channel that was deleted meanwhile."""
    try:
        channel.save(update_fields=list(fields))
    except Channel.NotUpdated:
        raise ChannelNotFoundError("Agent not found") from None


def lock_channel(channel: Channel, *, against_references: bool = False) -> Channel:
    """The row as it is now, ours until the transaction ends.

    With `against_references`, new rows that refer to it have to wait, too.

    Raises: ChannelNotFoundError.
    """
    rows = Channel.objects.select_for_update(no_key=not against_references)
    row = rows.filter(pk=channel.pk).first()
    if row is None:
        raise ChannelNotFoundError("Agent not found")
    return row


def create_channel(
    *,
    workspace: Workspace,
    name: str,
    now: datetime,
    description: str | None = None,
    avatar_url: str | None = None,
    webhook_url: str | None = None,
    tag: str | None = None,
) -> Channel:
    return Channel.objects.create(
        id=uuid7(now),
        workspace=workspace,
        name=name,
        description=description,
        avatar_url=avatar_url,
        webhook_url=webhook_url,
        tag=tag,
        created_at=now,
    )


@transaction.atomic
def describe_channel(channel: Channel, **changes: str | bool | None) -> Channel:
    """Change `name`, `description`, `avatar_url`, `tag` or `confirm_answers`; the rest stays.

    The address of a picture elsewhere takes the place of one that was uploaded.
    """
    for name, value in changes.items():
        setattr(channel, name, value)
    fields = set(changes)
    if changes.get("avatar_url") and channel.picture:
        ChannelPicture.objects.filter(channel=channel).delete()
        channel.picture = ""
        fields.add("picture")
    _save(channel, fields=fields)
    announce_channel(channel, *changes)
    return channel


@transaction.atomic
def set_commands(channel: Channel, *, commands: Sequence[Mapping[str, Any]]) -> Channel:
    """Replace the commands that people are offered."""
    channel.commands = [dict(command) for command in commands]
    _save(channel, fields=["commands"])
    announce_channel(channel, "commands")
    return channel


KEPT_STATUS_CHANGES = 500


@transaction.atomic
def note_status(
    channel: Channel, *, status: ChannelStatus, message: str | None, now: datetime
) -> Channel:
    """Take a sign of life. Only another status than before goes into the history."""
    channel = lock_channel(channel)
    if channel.status != status:
        channel.status_since = now
        StatusChange.objects.create(channel=channel, status=status, message=message, changed_at=now)
        _forget_old_changes(channel)
    channel.status, channel.status_message, channel.last_active_at = status, message, now
    _save(channel, fields=["status", "status_message", "status_since", "last_active_at"])
    announce_channel(channel, "status")
    return channel


def _forget_old_changes(channel: Channel) -> None:
    newest = channel.status_history.order_by("-id").values_list("pk", flat=True)
    oldest_kept = newest[KEPT_STATUS_CHANGES - 1 : KEPT_STATUS_CHANGES].first()
    if oldest_kept is not None:
        channel.status_history.filter(pk__lt=oldest_kept).delete()


@transaction.atomic
def delete_channel(channel: Channel) -> None:
    """Delete a channel with its messages, reviews and files; its sub-agents lose their parent.

    The row is locked first: who writes about the channel meanwhile waits, and then finds it gone.
    Without the lock, what came in after the look for dependent rows would make the commit fail.

    Raises: ChannelNotFoundError.
    """
    lock_channel(channel, against_references=True)
    channel.subagents.update(parent=None, is_subagent=False)
    channel_deleted.send(sender=Channel, channel=channel)
    channel.delete()


class SubagentParentError(DomainError):
    """A sub-agent needs a parent other than itself, and only a sub-agent has one."""

    code = "subagent_parent"


@dataclass(frozen=True)
class Webhook:
    """Where a channel's events go. Header values and password are secrets."""

    url: str
    headers: Mapping[str, str] | None = None
    username: str | None = None
    password: str | None = None


def webhook_of(channel: Channel) -> Webhook:
    """The webhook as it is set; with an empty `url` if only headers or a login are."""
    return Webhook(
        url=channel.webhook_url or "",
        headers=channel.webhook_headers,
        username=channel.webhook_username,
        password=channel.webhook_password,
    )


@transaction.atomic
def set_webhook(channel: Channel, *, webhook: Webhook | None) -> Channel:
    """Replace a channel's webhook as a whole; `None` removes it with its headers and login."""
    headers = webhook.headers if webhook else None
    channel.webhook_url = (webhook.url or None) if webhook else None
    channel.webhook_headers_json = None if headers is None else json.dumps(dict(headers))
    channel.webhook_username = webhook.username if webhook else None
    channel.webhook_password = webhook.password if webhook else None
    _save(
        channel,
        fields=[
            "webhook_url",
            "webhook_headers_json",
            "webhook_username",
            "webhook_password",
        ],
    )
    announce_channel(channel, "webhook")
    return channel


@transaction.atomic
def change_webhook(channel: Channel, **parts: Any) -> Channel:
    """Change `url`, `headers`, `username` or `password`; what is not given stays."""
    current = lock_channel(channel)
    return set_webhook(current, webhook=replace(webhook_of(current), **parts))


@transaction.atomic
def set_management(channel: Channel, *, url: str | None, api_key: str | None) -> Channel:
    channel.management_url, channel.management_api_key = url, api_key
    _save(channel, fields=["management_url", "management_api_key"])
    announce_channel(channel, "management")
    return channel


MAX_ANCESTORS = 16


@transaction.atomic
def set_subagent(channel: Channel, *, parent: Channel | None) -> Channel:
    """Make a channel a sub-agent of another, or with `None` an agent of its own.

    Raises: SubagentParentError for a chain of parents that comes back to the channel.
    """
    # Two channels made each other's parent at once would be a cycle that neither call sees.
    Workspace.objects.select_for_update(no_key=True).get(pk=channel.workspace_id)
    if parent is not None:
        _refuse_cycle(channel, parent)
    channel.parent, channel.is_subagent = parent, parent is not None
    _save(channel, fields=["parent", "is_subagent"])
    announce_channel(channel, "parent")
    return channel


def _refuse_cycle(channel: Channel, parent: Channel) -> None:
    if parent.pk == channel.pk:
        raise SubagentParentError("A channel cannot be its own parent")
    seen: list[uuid.UUID] = []
    ancestor: uuid.UUID | None = parent.pk
    while ancestor is not None and len(seen) < MAX_ANCESTORS:
        if ancestor == channel.pk:
            raise SubagentParentError("Sub-agent parent chain would cycle through this channel")
        if ancestor in seen:
            raise SubagentParentError("Sub-agent parent chain is cyclic")
        seen.append(ancestor)
        ancestor = Channel.objects.filter(pk=ancestor).values_list("parent_id", flat=True).first()
