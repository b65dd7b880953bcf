"""Channels (Placet calls them agents), threads in them, and messages."""

import json
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.encryption import EncryptedTextField
from accounts.models import User, Workspace, new_id


class ChannelStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    BUSY = "busy", _("Busy")
    ERROR = "error", _("Error")
    OFFLINE = "offline", _("Offline")


class Channel(models.Model):
    """One agent and its conversation with people."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="channels")
    name = models.CharField(max_length=200)
    description = models.TextField(null=True, blank=True)  # noqa: DJ001  # absent is null on the wire
    avatar_url = models.CharField(max_length=2048, null=True, blank=True)  # noqa: DJ001
    # Names what `ChannelPicture` holds; empty if there is none.
    picture = models.CharField(max_length=16, blank=True, default="", db_default="", editable=False)
    tag = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001

    status = models.CharField(
        max_length=10, choices=ChannelStatus.choices, default=ChannelStatus.OFFLINE
    )
    status_message = models.CharField(max_length=500, null=True, blank=True)  # noqa: DJ001
    status_since = models.DateTimeField(null=True, blank=True)
    last_active_at = models.DateTimeField(null=True, blank=True)
    commands = models.JSONField(null=True, blank=True)

    webhook_url = models.CharField(max_length=2048, null=True, blank=True)  # noqa: DJ001
    webhook_headers_json = EncryptedTextField(null=True)
    webhook_username = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    webhook_password = EncryptedTextField(null=True)

    management_url = models.CharField(max_length=2048, null=True, blank=True)  # noqa: DJ001
    management_api_key = EncryptedTextField(null=True)

    is_subagent = models.BooleanField(default=False)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="subagents"
    )
    confirm_answers = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ChannelStatus.values), name="channel_status_known"
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=models.F("id")), name="channel_not_own_parent"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "-id"], name="channel_newest")]

    def __str__(self) -> str:
        return self.name

    @property
    def webhook_headers(self) -> dict[str, str] | None:
        text: str | None = self.webhook_headers_json
        return None if text is None else json.loads(text)


class ChannelPicture(models.Model):
    """What an agent looks like: a small WebP that we made. It goes with its channel."""

    channel = models.OneToOneField(Channel, models.CASCADE, primary_key=True, related_name="+")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"picture of {self.channel_id}"


class StatusChange(models.Model):
    """When an agent changed its status, and to what."""

    channel = models.ForeignKey(
        Channel, models.CASCADE, related_name="status_history", db_index=False
    )
    status = models.CharField(max_length=10, choices=ChannelStatus.choices)
    message = models.CharField(max_length=500, null=True, blank=True)  # noqa: DJ001
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ChannelStatus.values), name="status_change_known"
            ),
        ]
        indexes = [models.Index(fields=["channel", "-id"], name="status_change_newest")]

    def __str__(self) -> str:
        return f"{self.status} since {self.changed_at:%Y-%m-%d %H:%M}"


class Mute(models.Model):
    """A person who wants no notifications from a channel."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="mutes")
    user = models.ForeignKey(User, models.CASCADE, related_name="mutes")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "user"], name="mute_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} for {self.user_id}"


class Thread(models.Model):
    """A conversation inside a channel; a foreign room keeps its own id in `foreign_id`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="threads")
    source = models.CharField(max_length=32, default="licet")
    foreign_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  # unique when set
    title = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "source", "foreign_id"],
                name="thread_foreign_id_unique",
                condition=Q(foreign_id__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["channel", "-id"], name="thread_newest")]

    def __str__(self) -> str:
        return self.title or str(self.id)


class Sender(models.TextChoices):
    AGENT = "agent", _("Agent")
    USER = "user", _("Person")
    SYSTEM = "system", _("System")  # a note of a conversation; nobody's words, and no event


class MessageStatus(models.TextChoices):
    INFO = "info", _("Info")
    SUCCESS = "success", _("Success")
    WARNING = "warning", _("Warning")
    ERROR = "error", _("Error")


class DeliveryStatus(models.TextChoices):
    SENT = "sent", _("Sent")
    DELIVERED = "webhook_delivered", _("Delivered")
    FAILED = "webhook_failed", _("Failed")
    ACKNOWLEDGED = "agent_received", _("Acknowledged")


class StreamState(models.TextChoices):
    STREAMING = "streaming", _("Streaming")
    COMPLETE = "complete", _("Complete")
    ABORTED = "aborted", _("Aborted")


class Message(models.Model):
    """Something said in a channel. Newer messages have greater ids (UUIDv7)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # An index that an insert has to enter costs every post: those below begin with what is looked
    # for, and have no entry for what is empty.
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="messages", db_index=False)
    thread = models.ForeignKey(
        Thread, models.CASCADE, null=True, blank=True, related_name="messages", db_index=False
    )
    reply_to = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="replies", db_index=False
    )
    sender = models.CharField(max_length=6, choices=Sender.choices)
    author = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    # Where it was written, if not here, and by whom there. A foreign author is nobody of ours.
    source = models.CharField(max_length=32, blank=True, default="", db_default="")
    source_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  # unique when set
    source_author = models.CharField(max_length=255, blank=True, default="", db_default="")
    source_author_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    text = models.TextField(null=True, blank=True)  # noqa: DJ001  # absent is null on the wire
    status = models.CharField(  # noqa: DJ001
        max_length=7, choices=MessageStatus.choices, null=True, blank=True
    )
    # The agent's own values as text: no database turns 1e21 or a 30-digit number into another.
    metadata_json = models.TextField(null=True, blank=True)  # noqa: DJ001
    webhook_url = models.CharField(max_length=2048, null=True, blank=True)  # noqa: DJ001
    client_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    delivery_status = models.CharField(
        max_length=17, choices=DeliveryStatus.choices, default=DeliveryStatus.SENT
    )
    iteration_group = models.UUIDField(null=True, blank=True)
    iteration = models.PositiveIntegerField(null=True, blank=True)
    stream_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    stream_state = models.CharField(  # noqa: DJ001
        max_length=9, choices=StreamState.choices, null=True, blank=True
    )
    # Name, person and time of each file that people deleted.
    deleted_files = models.JSONField(null=True, blank=True, editable=False)
    stream_lapsed = models.BooleanField(default=False)  # aborted by the clock, not by the agent
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "sender", "client_id"],
                name="message_client_id_unique",
                condition=Q(client_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["thread", "source_id"],
                name="message_source_id_unique",
                condition=Q(source_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["channel", "stream_id"],
                name="message_stream_id_unique",
                condition=Q(stream_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["iteration_group", "iteration"],
                name="message_iteration_unique",
                condition=Q(iteration_group__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(sender__in=Sender.values), name="message_sender_known"
            ),
            models.CheckConstraint(
                condition=Q(status=None) | Q(status__in=MessageStatus.values),
                name="message_status_known",
            ),
            models.CheckConstraint(
                condition=Q(delivery_status__in=DeliveryStatus.values),
                name="message_delivery_status_known",
            ),
            models.CheckConstraint(
                condition=Q(stream_state=None) | Q(stream_state__in=StreamState.values),
                name="message_stream_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "-id"], name="message_channel_newest"),
            models.Index(fields=["workspace", "-id"], name="message_workspace_newest"),
            models.Index(
                fields=["thread", "-id"],
                name="message_thread_newest",
                condition=Q(thread__isnull=False),
            ),
            models.Index(
                fields=["reply_to"],
                name="message_replies",
                condition=Q(reply_to__isnull=False),
            ),
            models.Index(
                fields=["author"], name="message_author", condition=Q(author__isnull=False)
            ),
            models.Index(
                fields=["updated_at"],
                name="message_streaming",
                condition=Q(stream_state="streaming"),
            ),
        ]

    def __str__(self) -> str:
        return (self.text or "")[:60] or str(self.id)

    @property
    def metadata(self) -> dict[str, Any] | None:
        return None if self.metadata_json is None else json.loads(self.metadata_json)


class StatusEvent(models.Model):
    """A step that an agent reports while it writes a streamed reply; the draft may come later."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    channel = models.ForeignKey(
        Channel, models.CASCADE, related_name="status_events", db_index=False
    )
    stream_id = models.CharField(max_length=255)
    index = models.PositiveIntegerField()
    text = models.TextField()
    tool_hint = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "stream_id", "index"], name="status_event_index_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id} #{self.index}"
