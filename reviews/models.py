"""Questions to a person. The decision is in columns, so that one UPDATE can make it."""

import functools
import json
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.encryption import EncryptedTextField
from accounts.models import User, Workspace
from inbox.models import Channel, Message


class Status(models.TextChoices):
    PENDING = "pending", _("Pending")
    COMPLETED = "completed", _("Completed")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


class Closer(models.TextChoices):
    """Which door a decision came through."""

    PAGE = "page", _("Web page")
    API = "api", _("JSON API")
    CLOCK = "clock", _("Deadline")
    AGENT = "agent", _("Agent")


class ReviewRequest(models.Model):
    """A message's question: what may be answered, until when, and what was decided by whom."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="review")
    # Their indexes below begin with them, and serve the lists in their order as well.
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="reviews", db_index=False)
    kind = models.CharField(max_length=200)
    # The agent's own bytes, never re-serialised: what it sent is what it gets back.
    payload_json = models.TextField(null=True, blank=True)  # noqa: DJ001  # absent is not `null`
    callback_url = models.CharField(max_length=2048, blank=True)
    callback_method = models.CharField(max_length=10, blank=True)
    callback_headers_json = EncryptedTextField(null=True)
    expires_at = models.DateTimeField()

    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    revision = models.PositiveIntegerField(default=1)
    response_json = EncryptedTextField(null=True)
    feedback = models.TextField(blank=True)
    modified_file_ids = models.JSONField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    decided_via = models.CharField(max_length=5, choices=Closer.choices, blank=True)
    form_token = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="review_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", decided_at=None)
                | (~Q(status="pending") & Q(decided_at__isnull=False)),
                name="review_decided_once_closed",
            ),
            models.CheckConstraint(
                condition=(Q(status="completed") & Q(response_json__isnull=False))
                | (~Q(status="completed") & Q(response_json=None)),
                name="review_answer_when_completed",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-message"], name="review_newest"),
            models.Index(fields=["channel", "-message"], name="review_newest_in_channel"),
            models.Index(
                fields=["workspace", "-message", "status"],  # people's API asks for one of the two
                name="review_done",
                condition=Q(status__in=["completed", "cancelled"]),
            ),
            models.Index(fields=["expires_at"], name="review_due", condition=Q(status="pending")),
            models.Index(
                fields=["workspace", "-message"],
                name="review_pending",
                condition=Q(status="pending"),
            ),
            models.Index(
                fields=["channel", "-message"],
                name="review_pending_in_channel",
                condition=Q(status="pending"),
            ),
            # Nothing of these is written before a review ends.
            models.Index(
                fields=["workspace", "-message"],
                name="review_expired",
                condition=Q(status="expired"),
            ),
            models.Index(
                fields=["channel", "-message"],
                name="review_done_in_channel",
                condition=Q(status__in=["completed", "cancelled"]),
            ),
            models.Index(
                fields=["channel", "-message"],
                name="review_expired_in_channel",
                condition=Q(status="expired"),
            ),
            models.Index(
                fields=["workspace", "decided_at"],
                name="review_decided",
                condition=Q(decided_at__isnull=False),
            ),
            models.Index(
                fields=["decided_by"],
                name="review_decided_by",
                condition=Q(decided_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id} ({self.status})"

    @property
    def is_pending(self) -> bool:
        return self.status == Status.PENDING

    @functools.cached_property
    def payload(self) -> Any:
        """The agent's payload as Python values; anything may be in it."""
        return None if self.payload_json is None else json.loads(self.payload_json)

    @property
    def response(self) -> dict[str, Any] | None:
        """The person's answer, passwords in clear. Redact before a person or a list reads it."""
        text: str | None = self.response_json
        return None if text is None else json.loads(text)

    @property
    def callback_headers(self) -> dict[str, str]:
        text: str | None = self.callback_headers_json
        return {} if text is None else json.loads(text)


class ReviewRead(models.Model):
    """That a person has seen a review. Without a row it is unread for them."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    review = models.ForeignKey(ReviewRequest, models.CASCADE, related_name="reads", db_index=False)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "user"], name="review_read_once")]

    def __str__(self) -> str:
        return f"{self.user_id} saw {self.review_id}"


class PluginConfig(models.Model):
    """What a workspace set for one version of a plugin. Without a row, its defaults hold."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=64)
    version = models.CharField(max_length=40)
    enabled = models.BooleanField(default=True)
    # Passwords among them: all are kept as secrets.
    values_json = EncryptedTextField(null=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name", "version"], name="plugin_config_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def values(self) -> dict[str, str]:
        """What was given, secrets in clear."""
        text: str | None = self.values_json
        return {} if text is None else json.loads(text)
