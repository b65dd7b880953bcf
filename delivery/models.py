"""The outbox: events that must leave, deliveries of them, and every attempt that was made.

An event is what happened, frozen as bytes. A delivery is one event for one address. A lane is
the unit of concurrency: one workspace and one receiver's origin, split into four slots.

Apart from that, at the end: what people's own browsers are told, which is best effort.
"""

import uuid
from datetime import UTC, datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.encryption import EncryptedTextField
from accounts.models import User, Workspace, new_id
from delivery.addresses import shown_address

SLOTS = 4


def long_ago() -> datetime:
    """A lease that nobody holds, a breaker that is closed."""
    return datetime(2000, 1, 1, tzinfo=UTC)


def new_event_id() -> str:
    """`msg_` and 26 characters: time-ordered and without a dot, as Standard Webhooks asks."""
    return f"msg_{_base32(new_id())}"


def _base32(value: uuid.UUID) -> str:
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    number, digits = value.int, ""
    for _i in range(26):
        number, remainder = divmod(number, 32)
        digits = alphabet[remainder] + digits
    return digits


class Event(models.Model):
    """Something a receiver must learn. Inserted once, never changed until its body is erased."""

    id = models.CharField(primary_key=True, max_length=30, default=new_event_id, editable=False)
    # Without an index where a constraint begins with the same, here and in the models below.
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    type = models.CharField(max_length=64)
    # What this is about, in the words of the layers above: a message id and a review's revision.
    reference = models.CharField(max_length=64)
    scope = models.CharField(max_length=64)
    once_key = models.CharField(max_length=120, unique=True)
    body = EncryptedTextField(null=True)
    body_sha256 = models.CharField(max_length=64)
    # Its place in the workspace's feed, given when the feed is read: ids follow the time of
    # writing, but a transaction that wrote earlier may commit later, behind a reader's back.
    position = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "position"], name="event_position_unique")
        ]
        indexes = [
            models.Index(
                fields=["workspace", "id"], name="event_unplaced", condition=Q(position=None)
            ),
            # Costs those who write events nothing: a place is given when the feed is read.
            models.Index(
                fields=["scope", "position"],
                name="event_of_scope",
                condition=Q(position__isnull=False),
            ),
            models.Index(fields=["reference"], name="event_reference"),
            models.Index(
                fields=["created_at"], name="event_body_kept", condition=Q(body__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Lane(models.Model):
    """One workspace's deliveries to one origin, in four slots. Who holds the lease sends."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    origin = models.CharField(max_length=300)
    slot = models.PositiveSmallIntegerField()
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(default=long_ago)
    open_until = models.DateTimeField(default=long_ago)
    fail_streak = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_failed_at = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "origin", "slot"], name="lane_unique"),
            models.CheckConstraint(condition=Q(slot__lt=SLOTS), name="lane_slot_known"),
        ]
        indexes = [
            models.Index(fields=["lease_until"], name="lane_turn", condition=Q(disabled_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.origin} [{self.slot}]"


class State(models.TextChoices):
    PENDING = "pending", _("Waiting")
    SENDING = "sending", _("Sending")
    DELIVERED = "delivered", _("Delivered")
    EXHAUSTED = "exhausted", _("Given up")
    GONE = "gone", _("Receiver is gone")
    BLOCKED = "blocked", _("Address not allowed")
    CANCELLED = "cancelled", _("Cancelled")


FAILED_STATES = frozenset({State.EXHAUSTED, State.GONE, State.BLOCKED})
FINAL_STATES = FAILED_STATES | {State.DELIVERED, State.CANCELLED}


class Delivery(models.Model):
    """One event for one address, with the request that is repeated until it ends."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", db_index=False)
    lane = models.ForeignKey(Lane, models.PROTECT, related_name="deliveries", db_index=False)
    url = models.CharField(max_length=2048)
    method = models.CharField(max_length=10, default="POST")
    headers_json = EncryptedTextField(null=True)
    signing_scope = models.CharField(max_length=64)
    target_key = models.CharField(max_length=64)
    replay_no = models.PositiveIntegerField(default=0)
    replay_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "target_key", "replay_no"], name="delivery_unique"
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="delivery_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lane", "next_attempt_at", "id"],
                name="delivery_due",
                condition=Q(state="pending"),
            ),
            models.Index(fields=["lane"], name="delivery_in_flight", condition=Q(state="sending")),
            models.Index(fields=["lane", "id"], name="delivery_of_lane"),
            models.Index(fields=["signing_scope", "created_at"], name="delivery_of_scope"),
            models.Index(
                fields=["replay_of"],
                name="delivery_replays",
                condition=Q(replay_of__isnull=False),
            ),
            models.Index(
                fields=["signing_scope", "finished_at"],
                name="delivery_failed",
                condition=Q(state__in=["exhausted", "gone", "blocked"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {shown_address(self.url)}"


class Attempt(models.Model):
    """One request. The row is written before it leaves: without an end, its outcome is unknown."""

    delivery = models.ForeignKey(
        Delivery, models.CASCADE, related_name="attempt_log", db_index=False
    )
    number = models.PositiveIntegerField()
    token = models.UUIDField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    http_status = models.PositiveIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    response_head = models.TextField(blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_unique"),
        ]
        # Beside agents' calls, by time. It grows at its end, and an attempt's end leaves it alone.
        indexes = [models.Index(fields=["-started_at", "-id"], name="attempt_newest")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"


class GoneUrl(models.Model):
    """An address that answered 410: nothing is sent there until somebody removes the row."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    url_sha256 = models.CharField(max_length=64)
    url = models.CharField(max_length=2048)
    since = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("gone address")
        verbose_name_plural = _("gone addresses")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "url_sha256"], name="gone_url_unique"),
        ]

    def __str__(self) -> str:
        return shown_address(self.url)


class SigningSecret(models.Model):
    """What signatures are checked with: one live secret a scope, older ones until they end."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    scope = models.CharField(max_length=64)
    secret = EncryptedTextField()
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope"], name="signing_secret_live_unique", condition=Q(expires_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"secret of {self.scope}"


class SigningKeyPair(models.Model):
    """A workspace's Ed25519 key: receivers check with its public half, which is no secret."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    private_key = EncryptedTextField()
    public_key = models.CharField(max_length=64)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], name="signing_key_live_unique", condition=Q(expires_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.public_key


class FeedHead(models.Model):
    """How far a workspace's feed reaches. Who gives places to events holds this row."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="+")
    position = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"feed of {self.workspace_id} at {self.position}"


class EngineBeat(models.Model):
    """The last sign of life of a process that sends and expires.

    `place` tells machines and containers apart; within one, `pid` and `born` (its start, in the
    kernel's ticks) name a process for good. `token` is that of the leases it holds.
    """

    name = models.CharField(max_length=200, primary_key=True)
    seen_at = models.DateTimeField()
    place = models.CharField(max_length=100, blank=True)
    pid = models.PositiveIntegerField(default=0)
    born = models.PositiveBigIntegerField(default=0)
    token = models.UUIDField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class PushKey(models.Model):
    """This server's name towards push services (RFC 8292): devices subscribe to its public half.

    A device hears only the key that it subscribed to, so a key that was replaced still signs for
    the devices that it has.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    private_key = EncryptedTextField()
    public_key = models.CharField(max_length=87, unique=True)
    is_live = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_live"], name="push_key_live_unique", condition=Q(is_live=True)
            ),
        ]

    def __str__(self) -> str:
        return self.public_key


class PushSubscription(models.Model):
    """A browser that a person wants notifications in. Who knows its endpoint could disturb it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    key = models.ForeignKey(PushKey, models.CASCADE, related_name="subscriptions")
    endpoint = EncryptedTextField()
    endpoint_sha256 = models.CharField(max_length=64, unique=True)
    p256dh = models.CharField(max_length=87)
    auth = EncryptedTextField()
    label = models.CharField(max_length=80)
    show_titles = models.BooleanField(default=False)
    visible_until = models.DateTimeField(default=long_ago)  # nothing is new to who looks at it
    last_sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.label


class Push(models.Model):
    """What one device is told about one thing. A later word about it replaces the earlier one.

    `due_at` is empty when nothing has to be sent at the moment. The row stays as long as something
    may follow.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(PushSubscription, models.CASCADE, related_name="pushes")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    about = models.UUIDField()
    payload = EncryptedTextField()
    is_last = models.BooleanField(default=False)
    is_urgent = models.BooleanField(default=True)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = _("pushes")
        constraints = [
            models.UniqueConstraint(fields=["subscription", "about"], name="push_about_unique"),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="push_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["about"], name="push_followed", condition=Q(is_last=False)),
        ]

    def __str__(self) -> str:
        return f"{self.about} to {self.subscription_id}"
