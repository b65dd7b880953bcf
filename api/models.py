"""What is kept about HTTP itself: people's tokens and what Placet's web app
remembers of them, and the log of agents' calls.

The log is no state: its rows may be missing.
"""

from contextlib import suppress

from django.db import models
from django.utils import timezone

from accounts.encryption import EncryptedTextField, UndecryptableError
from accounts.models import KEY_PREFIX_LENGTH, User, Workspace, new_id
from inbox.models import Channel

LONGEST_PATH = 300
LONGEST_ERROR = 300


class Call(models.Model):
    """One call of an agent that showed a good key. No query string is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Without a constraint: rows are written later and together, and a workspace that was removed
    # meanwhile must not cost the others theirs.
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    key_id = models.UUIDField()
    key_prefix = models.CharField(max_length=KEY_PREFIX_LENGTH)
    # What it was about, as far as the call says; nobody promises that there is such a channel.
    channel_id = models.UUIDField(null=True)
    method = models.CharField(max_length=10)
    route = models.CharField(max_length=200)
    path = models.CharField(max_length=LONGEST_PATH)
    status = models.PositiveSmallIntegerField()
    duration_ms = models.PositiveIntegerField()
    request_bytes = models.PositiveBigIntegerField()
    address = models.CharField(max_length=45)
    error = models.CharField(max_length=LONGEST_ERROR, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="call_newest"),
            models.Index(
                fields=["workspace", "channel_id", "-id"],
                name="call_of_channel",
                condition=models.Q(channel_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status}"


class LoggedTextField(EncryptedTextField):
    """Encrypted text of the log: what no key opens any more is gone, as any row of it may be."""

    def from_db_value(self, value: bytes | None, *context: object) -> str | None:
        with suppress(UndecryptableError):
            return super().from_db_value(value, *context)
        return None


class CallBodies(models.Model):
    """What was sent and what was answered, masked and cut; gone before its call where it is much.

    Apart from the calls, so that lists and figures of them stay small. `size` is what both take.
    """

    call = models.OneToOneField(Call, models.CASCADE, primary_key=True, related_name="bodies")
    # Without a constraint, as for calls.
    workspace = models.ForeignKey(
        Workspace, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    size = models.PositiveIntegerField()
    request = LoggedTextField(null=True)
    answer = LoggedTextField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "call", "size"], name="call_bodies_oldest")]

    def __str__(self) -> str:
        return f"bodies of {self.call_id}"


class PersonToken(models.Model):
    """A person who signed in to the JSON API. The hash of the token is kept; no row, no entry."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    # The person's session hash when they signed in. A new password, and the end of all sessions,
    # change theirs: whichever door that came through, this token opens nothing any more.
    session = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    # The browser that was subscribed with this token: its notifications end with it.
    push_device = models.UUIDField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], name="person_token_expiry"),
            models.Index(
                fields=["push_device"],
                name="person_token_device",
                condition=models.Q(push_device__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"token of {self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class PersonPreference(models.Model):
    """What Placet's web app remembers of a person, and our pages have no use for."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="+")
    management_dashboard = models.BooleanField(default=False)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"


class ChannelRead(models.Model):
    """How far a person has read a channel: up to this message, which may be gone by now."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="+")
    message_id = models.UUIDField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "user"], name="channel_read_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.channel_id} up to {self.message_id}"


class UnnamedCalls(models.Model):
    """How many calls of one hour showed no good key: they belong to nobody, so they are counted."""

    hour = models.DateTimeField(primary_key=True)
    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.number} calls in the hour of {self.hour}"
