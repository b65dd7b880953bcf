"""Files of a channel. The row comes before the object; what goes is remembered until it is gone."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, User, Workspace, new_id
from attachments.conversion.refusals import Reason
from inbox.models import Channel, Message


class State(models.TextChoices):
    STAGED = "staged", _("Staged")
    # What a person drew and has not sent: only they see it.
    DRAFT = "draft", _("Not sent yet")
    READY = "ready", _("Ready")


class Attachment(models.Model):
    """One stored file. Without a message it is an orphan that a message may claim once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="attachments", db_index=False)
    message = models.ForeignKey(
        Message, models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    position = models.PositiveIntegerField(default=0)
    # `upload` made its message only to show it; the agent's next message may take it over.
    is_upload = models.BooleanField(default=False)
    uploaded_by_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    uploaded_by_user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    # A person's edited copy of another file. The agent learns of it by `modifiedFileIds`.
    edit_of = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="edits")
    # It went out with an answer, by `modifiedFileIds`: it is on no message, and stays.
    is_answer = models.BooleanField(default=False)
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
            models.CheckConstraint(
                condition=~Q(state="draft") | Q(edit_of__isnull=False),
                name="attachment_draft_is_edit",
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "-id"], name="attachment_channel_newest"),
            models.Index(fields=["workspace", "-id"], name="attachment_newest"),
            models.Index(
                fields=["created_at"],
                name="attachment_unfinished",
                condition=Q(message=None) | ~Q(state="ready"),
            ),
        ]

    def __str__(self) -> str:
        return self.filename


class PreviewKind(models.TextChoices):
    """Which program makes it; each writes the same parts every time."""

    PICTURE = "picture", _("Picture")
    PAGE = "page", _("First page")
    DOCUMENT = "document", _("Document")
    TABLE = "table", _("Table")
    CODE = "code", _("Source code")


class PreviewState(models.TextChoices):
    WANTED = "wanted", _("Wanted")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class Failure(models.TextChoices):
    """Why there is no preview, in the words of a page."""

    TOO_LARGE = Reason.TOO_LARGE.value, _("it is too large")
    TOO_SLOW = Reason.TOO_SLOW.value, _("making it took too long")
    BROKEN = Reason.BROKEN.value, _("the file is damaged or not what its name says")
    ENCRYPTED = Reason.ENCRYPTED.value, _("the file is protected by a password")
    MACROS = Reason.MACROS.value, _("the file holds macros, and such files are not opened here")
    UNSAFE = Reason.UNSAFE.value, _("the file holds definitions that are not safe to read")
    GONE = Reason.GONE.value, _("the stored file is gone")


class Preview(models.Model):
    """What a worker makes of a file, for people to look at. Its parts lie beside the file's bytes.

    The row is written in the transaction that makes the file ready; a worker leases it, and one
    conditional UPDATE closes it.
    """

    attachment = models.OneToOneField(
        Attachment, models.CASCADE, primary_key=True, related_name="preview"
    )
    kind = models.CharField(max_length=8, choices=PreviewKind)
    state = models.CharField(max_length=8, choices=PreviewState, default=PreviewState.WANTED)
    failure = models.CharField(max_length=10, choices=Failure, blank=True)
    storage_key = models.CharField(max_length=210)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=PreviewState.values), name="preview_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="failed") ^ Q(failure=""), name="preview_failure_has_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="preview_wanted", condition=Q(state="wanted")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.pk}"

    @property
    def has_thumbnails(self) -> bool:
        return self.state == PreviewState.READY and self.kind in {
            PreviewKind.PICTURE,
            PreviewKind.PAGE,
        }


class Removal(models.Model):
    """An object that is being deleted: no row names it any more, and a worker has to remove it.

    It is written in the transaction that deletes the row, whoever deletes that, and goes after
    the object.
    """

    key = models.CharField(max_length=250, unique=True)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.key


class Sighting(models.Model):
    """An object that no row names, as comparisons found it. The second sight is its end."""

    key = models.CharField(max_length=250, unique=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Reconciliation(models.Model):
    """One day's comparison of rows with objects. Whoever writes the row makes it."""

    KEPT = timedelta(days=30)

    day = models.DateField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return str(self.day)
