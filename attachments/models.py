"""Files of a channel. The row comes before the object and goes after it, so nothing is orphaned."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, User, Workspace, new_id
from inbox.models import Channel, Message


class State(models.TextChoices):
    STAGED = "staged", _("Staged")
    READY = "ready", _("Ready")
    DELETING = "deleting", _("Being deleted")


class Attachment(models.Model):
    """One stored file. Without a message it is an orphan that a message may claim once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="attachments")
    message = models.ForeignKey(
        Message, models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    position = models.PositiveIntegerField(default=0)
    # `upload` made its message only to show it; the agent's next message may take it over.
    is_upload = models.BooleanField(default=False)
    uploaded_by_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    uploaded_by_user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.STAGED)
    filename = models.CharField(max_length=150)
    mime_type = models.CharField(max_length=127)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    storage_key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="attachment_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "-id"], name="attachment_channel_newest"),
            models.Index(
                fields=["created_at"],
                name="attachment_unfinished",
                condition=Q(message=None) | ~Q(state="ready"),
            ),
        ]

    def __str__(self) -> str:
        return self.filename
